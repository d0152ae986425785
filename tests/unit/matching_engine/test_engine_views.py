"""What services ask the engine: deadlines, phases, prices, limits."""

from __future__ import annotations

import numpy as np
import pytest

from matching_engine import Engine
from matching_engine.engine import AccountLimits
from matching_engine.records import COMMAND, Command, CommandKind, EventKind, OrderType, Phase, Side, TimeInForce
from tests.long import some
from tests.property.engine_flow import array, numbered
from tests.unit.matching_engine.engine_talk import BUY, SELL, Talk

GTD = TimeInForce.GTD


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_the_next_deadline_is_the_earliest_of_the_open_orders(engine: Engine) -> None:
    talk = Talk(engine)
    assert engine.next_deadline_ns == 0
    for second in (30, 10, 20, 10):
        talk.order(2, BUY, 1, 1000, GTD, time_s=second)
    assert engine.next_deadline_ns == 10 * 10**9
    first = talk.seq
    talk.cancel(2, first - 2)
    talk.cancel(2, first)
    assert engine.next_deadline_ns == 20 * 10**9
    talk.tell(CommandKind.TIME, time_ns=20 * 10**9)
    assert engine.next_deadline_ns == 30 * 10**9


def test_thousands_of_expiries_come_in_their_order_whatever_ended_between(engine: Engine) -> None:
    talk = Talk(engine)
    draw = np.random.default_rng(3)
    kept = []
    for number in range(3000):
        second = int(draw.integers(1, 500))
        talk.order(2, BUY, 1, 1000, GTD, time_s=second)
        if number % 10:
            talk.cancel(2, talk.seq)
        else:
            kept.append((second, talk.seq))
    kept.sort()
    for now in (100, 499, 500):
        events = talk.tell(CommandKind.TIME, time_ns=now * 10**9)
        due = [order_id for second, order_id in kept if second <= now]
        kept = [item for item in kept if item[0] > now]
        assert [event.order_id for event in events if event.kind == EventKind.EXPIRED] == due
    assert kept == []
    assert engine.next_deadline_ns == 0


def test_a_volatility_auction_is_a_deadline_and_a_phase(engine: Engine) -> None:
    talk = Talk(engine)
    talk.tell(CommandKind.SET_VOLATILITY_BAND, rate_ppm=10_000, time_s=60)
    talk.order(3, SELL, 2, 1011)
    talk.order(2, BUY, 2, 1011, time_ns=5)
    assert (engine.phase(0), engine.venue_phase) == (Phase.CALL_AUCTION, Phase.CONTINUOUS)
    assert engine.indicative(0) == (1011, 2, 0)
    assert engine.next_deadline_ns == 60 * 10**9 + 5
    talk.tell(CommandKind.TIME, time_ns=60 * 10**9 + 5)
    assert (engine.phase(0), engine.last_ticks(0), engine.next_deadline_ns) == (Phase.CONTINUOUS, 1011, 0)
    assert engine.indicative(0) == (0, 0, 0)


def test_prices_that_orders_are_held_against(engine: Engine) -> None:
    talk = Talk(engine)
    assert (engine.last_ticks(0), engine.anchor_ticks(0)) == (0, 1000)
    assert (engine.protection_ticks(0, BUY), engine.protection_ticks(0, SELL)) == (1050, 950)
    talk.tell(CommandKind.SET_COLLAR, rate_ppm=20_000)
    talk.order(3, SELL, 1, 990)
    talk.order(2, BUY, 1, 990)
    assert (engine.last_ticks(0), engine.anchor_ticks(0)) == (990, 990)
    assert (engine.protection_ticks(0, BUY), engine.protection_ticks(0, SELL)) == (1009, 971)
    for view in (engine.phase, engine.last_ticks, engine.anchor_ticks, engine.indicative):
        for unlisted in (-1, 1, 2**40):
            with pytest.raises(IndexError):
                view(unlisted)


def test_limits_and_what_has_been_used_of_them(engine: Engine) -> None:
    talk = Talk(engine)
    talk.tell(CommandKind.SET_ORDER_LIMITS, account=2, quantity_lots=100, amount_fen=10**8, number=5)
    talk.tell(CommandKind.SET_TURNOVER_LIMIT, account=2, amount_fen=10**9)
    talk.tell(CommandKind.KILL_SWITCH_ON, account=3)
    talk.order(2, SELL, 3, 1000, display_lots=1)
    talk.order(2, BUY, 1, 990)
    talk.tell(CommandKind.NEW_ORDER, account=2, side=BUY, order_type=OrderType.STOP, time_in_force=TimeInForce.DAY,
              quantity_lots=1, trigger_ticks=1010)  # fmt: skip
    assert engine.limits(2) == AccountLimits(100, 10**8, 5, 10**9, False, 3, 0)
    assert engine.limits(3).kill_switch
    talk.order(4, BUY, 2, 1000)
    assert engine.limits(2).day_fen == engine.limits(4).day_fen == 200_000
    assert engine.limits(2).open_orders == 3
    talk.order(4, BUY, 2, 1000)
    assert (engine.limits(2).open_orders, engine.limits(4).open_orders) == (2, 1)
    with pytest.raises(KeyError):
        engine.limits(99)


@pytest.mark.parametrize("seed", some(range(5), 2))
def test_random_bytes_are_answered(seed: int) -> None:
    """Whatever a command holds, it is carried out or refused; each has an event, and money and goods stay."""
    engine = Engine()
    talk = Talk(engine)
    data = np.random.default_rng(seed).integers(0, 256, 2000 * COMMAND.itemsize, "u1")
    commands = data.view(COMMAND).copy()
    commands["seq"] = np.arange(len(commands)) + talk.seq + 1
    commands["kind"][::2] = np.resize([int(kind) for kind in CommandKind], len(commands[::2]))
    commands["account"][::3] = 2
    commands["instrument"][::4] = 0
    events = engine.process(commands)
    assert set(commands["seq"]) == set(events["seq"])
    assert engine.last_seq == talk.seq + len(commands)


def test_values_that_no_field_holds_are_refused_before_anything_changes(engine: Engine) -> None:
    for wrong in (
        Command(seq=1, kind=256),
        Command(seq=1, price_ticks=2**63),
        Command(seq=1, account=-1),
        Command(seq=1, client_order_id=b"x" * 37),
        Command(seq=2**64),
        Command(seq=1, account=1.5),  # type: ignore[arg-type]
        Command(seq=1, client_order_id="a"),  # type: ignore[arg-type]
    ):
        with pytest.raises(OverflowError):
            engine.submit(wrong)
    assert engine.last_seq == 0
    engine.process(array(numbered([Command(kind=CommandKind.RECORD)])))
    assert engine.last_seq == 1


@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_auction_that_nothing_would_trade_in_has_no_indicative_price(engine: Engine, side: Side) -> None:
    talk = Talk(engine)
    talk.tell(CommandKind.SET_PHASE, phase=Phase.CALL_AUCTION)
    assert engine.indicative(0) == (0, 0, 0)
    events = talk.order(2, side, 3, 1000)
    assert events[1:] == [talk.level(side, 1000, 3, 1), talk.event(EventKind.INDICATIVE)]
    assert engine.indicative(0) == (0, 0, 0)
    talk.order(3, Side(1 - side), 2, 1000)
    assert engine.indicative(0) == (1000, 2, 1 if side == BUY else -1)
