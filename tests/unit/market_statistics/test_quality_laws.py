"""The quality of a day is what a slow program computes from the naive engine's books, for any commands of any market."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.records import ALL_INSTRUMENTS, Command, CommandKind, Phase, Side, TimeInForce
from services.market_statistics.quality import day_quality
from tests.property.engine_flow import flow
from tests.unit.market_statistics.days_by_hand import MONDAY, TUESDAY, Market, read_day
from tests.unit.market_statistics.naive_quality import NaiveDay

_order = st.tuples(
    st.just("order"), st.sampled_from(Side), st.sampled_from((1, 1, 2, 9)), st.integers(-30, 30), st.sampled_from((2, 3)),
    st.sampled_from((TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC)), st.sampled_from((0, 0, 1)),
)  # fmt: skip
_other = st.sampled_from((("halt",), ("resume",), ("auction",), ("continuous",), ("bust",), ("cancel",), ("clear",)))
moves = st.lists(st.tuples(st.sampled_from((0, 0, 1, 7)), st.one_of(_order, _order, _order, _other)), max_size=60)
"""Seconds that pass, then a move."""


def played(before: Sequence[Any], moves_of_day: Sequence[Any]) -> Market:
    """A Sunday's moves, then Monday's, then Tuesday begins."""
    market = Market()
    market.roll(20230101)
    market.phase(Phase.CONTINUOUS)
    market.tell(CommandKind.SET_VOLATILITY_BAND, rate_ppm=25_000, time_s=3)
    for part, date in ((before, MONDAY), (moves_of_day, TUESDAY)):
        for seconds, move in part:
            market.now_s += seconds
            make(market, *move)
        market.now_s += 5
        market.roll(date)
    return market


def make(market: Market, name: str, *terms: int) -> None:
    if name == "order":
        side, lots, away, account, time_in_force, display = terms
        market.order(
            Side(side), lots, 1000 + away, account, time_in_force=time_in_force,
            display_lots=display if time_in_force != TimeInForce.IOC else 0,
        )  # fmt: skip
    elif name == "bust":
        market.bust(market.commands[-1].seq)
    elif name == "cancel":
        market.cancel(len(market.commands))
    elif name == "clear":
        market.tell(CommandKind.MASS_CANCEL, account=2, instrument=ALL_INSTRUMENTS, side=2)
    elif name in ("halt", "resume"):
        market.tell(CommandKind[name.upper()], instrument=0)
    else:
        market.tell(CommandKind.TIME)
        market.phase(Phase.CALL_AUCTION if name == "auction" else Phase.CONTINUOUS)


@settings(max_examples=60, deadline=None)
@given(moves, moves)
def test_it_is_what_the_slow_program_computes(before: Sequence[Any], of_day: Sequence[Any]) -> None:
    commands = played(before, of_day).commands
    assert day_quality(read_day(commands, MONDAY)) == NaiveDay().run(commands, MONDAY)


def dated(seed: int, length: int) -> tuple[list[Command], list[int]]:
    """A flow of the engine's property tests with times that never fall, and its trading days."""
    commands, last_ns = [], 0
    dates: list[int] = []
    naive = NaiveDay()
    for command in flow(seed, length):
        last_ns = max(last_ns, command.time_ns)
        commands.append(command._replace(time_ns=last_ns))
        naive.engine.submit(commands[-1])
        if naive.engine.trading_date not in (0, *dates[-1:]):
            dates.append(naive.engine.trading_date)
    return commands, dates


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32), st.integers(100, 250), st.integers(1, 300))
def test_so_it_is_of_any_flow_that_the_engine_takes(seed: int, length: int, in_a_row: int) -> None:
    commands, dates = dated(seed, length)
    for date in dates:
        found = day_quality(read_day(commands, date, in_a_row=in_a_row))
        assert found == NaiveDay().run(commands, date)


@settings(max_examples=20, deadline=None)
@given(moves, st.integers(0, 10**9))
def test_a_later_clock_changes_nothing(of_day: Sequence[Any], later_s: int) -> None:
    commands = played((), of_day).commands
    later = [command._replace(time_ns=command.time_ns + later_s * 10**9) for command in commands]
    assert day_quality(read_day(later, MONDAY)) == day_quality(read_day(commands, MONDAY))
