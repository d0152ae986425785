"""The quality of a day is what a slow program computes from the naive engine's books, for any commands of any market."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.records import ALL_INSTRUMENTS, Command, CommandKind, OrderType, Phase, Side, TimeInForce
from services.market_statistics.quality import day_quality
from tests.long import examples
from tests.property.engine_flow import flow
from tests.unit.market_statistics.days_by_hand import MONDAY, TUESDAY, Market, read_day
from tests.unit.market_statistics.naive_quality import NaiveDay

seeds = st.integers(0, 2**32)


def played(seed: int) -> Market:
    """Moves of a Sunday, then of Monday; then Tuesday begins, at times. Quotes lie around 1,000, most trades are small."""
    chance, market = Random(seed), Market()
    market.roll(20230101)
    market.phase(Phase.CONTINUOUS)
    market.tell(CommandKind.SET_VOLATILITY_BAND, rate_ppm=25_000, time_s=9)
    for date in (MONDAY, TUESDAY):
        for _ in range(chance.randint(0, 70)):
            market.now_s += chance.choice((0, 0, 1, 7, 60))
            chance.choices(MOVES, WEIGHTS)[0](market, chance)
        if date == MONDAY or chance.random() < 0.7:
            market.roll(date)
    return market


def quote(market: Market, chance: Random) -> None:
    for side, away in ((Side.BUY, -1), (Side.SELL, 1)):
        price = 1000 + away * chance.randint(1, 14)
        market.order(
            side, chance.randint(1, 9), price, display_lots=chance.choice((0, 0, 1)), time_in_force=chance.choice(KEEPS)
        )


def take(market: Market, chance: Random) -> None:
    lots = chance.choice((1, 1, 1, 2, 6, 15))
    side = chance.choice((Side.BUY, Side.SELL))
    market.order(side, lots, 1015 if side == Side.BUY else 985, 3, time_in_force=TimeInForce.IOC)


def stop(market: Market, chance: Random) -> None:
    """A stop of another member: a buy above the market, a sell below it."""
    side = chance.choice((Side.BUY, Side.SELL))
    trigger = 1000 + (5 if side == Side.BUY else -5)
    market.order(side, chance.choice((1, 4)), 0, 4, order_type=OrderType.STOP, trigger_ticks=trigger)


def cancel(market: Market, chance: Random) -> None:
    market.cancel(chance.randint(max(len(market.commands) - 8, 1), len(market.commands)))


def pause(market: Market, chance: Random) -> None:
    """A halt or an auction, with a cancel and a quote in it, and the way back."""
    halts = chance.random() < 0.5
    if halts:
        market.tell(CommandKind.HALT, instrument=0)
    else:
        market.phase(Phase.CALL_AUCTION)
    for move in chance.choices((cancel, quote), k=2):
        market.now_s += 5
        move(market, chance)
    if halts:
        market.tell(CommandKind.RESUME, instrument=0)
    else:
        market.phase(Phase.CONTINUOUS)


def bust(market: Market, _chance: Random) -> None:
    market.bust(len(market.commands))


def pass_time(market: Market, _chance: Random) -> None:
    market.tell(CommandKind.TIME)


def clear(market: Market, _chance: Random) -> None:
    market.tell(CommandKind.MASS_CANCEL, account=2, instrument=ALL_INSTRUMENTS, side=2)


KEEPS = (TimeInForce.DAY, TimeInForce.GTC)
MOVES = (quote, take, stop, cancel, pause, bust, pass_time, clear)
WEIGHTS = (8, 9, 2, 4, 1, 1, 2, 0.5)


@settings(max_examples=examples(60), deadline=None)
@given(seeds, st.integers(1, 40))
def test_it_is_what_the_slow_program_computes(seed: int, in_a_row: int) -> None:
    commands = played(seed).commands
    assert day_quality(read_day(commands, MONDAY, in_a_row=in_a_row)) == NaiveDay().run(commands, MONDAY)


def test_these_days_have_all_that_is_measured() -> None:
    found = [day_quality(read_day(played(seed).commands, MONDAY))[0] for seed in range(40)]
    assert sum(one.effective_spread_ticks is not None for one in found) > 20
    assert sum(one.buy_depth_lots is not None and one.buy_depth_lots.denominator > 1 for one in found) > 20
    assert sum(one.recovery_ns is not None and one.recovery_ns > 0 for one in found) > 3
    assert sum(one.unrecovered_trades > 0 for one in found) > 3
    assert sum(one.two_sided_ns < one.continuous_ns for one in found) > 5


def test_it_does_not_matter_how_much_is_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    days = [read_day(played(seed).commands, MONDAY) for seed in range(20)]
    at_once = [day_quality(day) for day in days]
    monkeypatch.setattr("services.market_statistics.continuous_time._AT_ONCE", 3)
    monkeypatch.setattr("services.market_statistics.depth._PAIRS", 4)
    assert [day_quality(day) for day in days] == at_once


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


@settings(max_examples=examples(8), deadline=None)
@given(seeds, st.integers(100, 250), st.integers(1, 300))
def test_so_it_is_of_any_flow_that_the_engine_takes(seed: int, length: int, in_a_row: int) -> None:
    commands, dates = dated(seed, length)
    for date in dates:
        found = day_quality(read_day(commands, date, in_a_row=in_a_row))
        assert found == NaiveDay().run(commands, date)


@settings(max_examples=examples(20), deadline=None)
@given(seeds, st.integers(0, 10**9))
def test_a_later_clock_changes_nothing(seed: int, later_s: int) -> None:
    commands = played(seed).commands
    later = [command._replace(time_ns=command.time_ns + later_s * 10**9) for command in commands]
    assert day_quality(read_day(later, MONDAY)) == day_quality(read_day(commands, MONDAY))
