"""A fixed flow through every rule leads to the same events and the same state as ever."""

from __future__ import annotations

from hashlib import blake2b

import pytest

from matching_engine import Engine
from matching_engine.records import (
    ALL_INSTRUMENTS,
    BOTH_SIDES,
    Command,
    CommandKind,
    EventKind,
    Flag,
    OrderType,
    TimeInForce,
)
from tests.model.naive_engine import NaiveEngine
from tests.property.engine_flow import array, numbered, venue

GOLDEN_EVENTS = "93e3923e4c69d3c7f6da7898baeab669"
"""The hash of the events."""
GOLDEN_STATE_HASH = "380f72b8d969b3c0892ea28fc4ad88380723943ea6d619345feecad9f1df119e"
GOLDEN_TERMS = "ec5f88e3403a60c6ab23f55377f3677b"
"""The hash of the events of other terms and of delistings after the flow."""
LATER = {EventKind.INSTRUMENT_CHANGED, EventKind.INSTRUMENT_DELISTED}
"""Kinds of event that are younger than the flow."""
LENGTH = 4_000
SECOND_NS = 10**9


class Draw:
    """A row of numbers made by arithmetic alone, so that no library's idea of chance can change them."""

    def __init__(self) -> None:
        self.state = 1

    def below(self, bound: int) -> int:
        self.state = (self.state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (self.state >> 33) % bound


def order(draw: Draw, seq: int) -> Command:
    """Any type with any time in force, an iceberg or post-only now and then; some cannot be."""
    order_type = (OrderType.LIMIT, OrderType.LIMIT, OrderType.LIMIT, *OrderType)[draw.below(7)]
    limit = order_type == OrderType.LIMIT
    time_in_force = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GTD)[draw.below(4)]
    if order_type == OrderType.MARKET or (limit and draw.below(5) == 0):
        time_in_force = (TimeInForce.IOC, TimeInForce.FOK)[draw.below(2)]
    return Command(
        kind=CommandKind.NEW_ORDER,
        account=2 + draw.below(5),
        instrument=draw.below(2),
        side=draw.below(2),
        order_type=order_type,
        time_in_force=time_in_force,
        self_trade=draw.below(4),
        price_ticks=97 + draw.below(7) if order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT) else 0,
        trigger_ticks=97 + draw.below(7) if order_type in (OrderType.STOP, OrderType.STOP_LIMIT) else 0,
        quantity_lots=1 + draw.below(12),
        display_lots=1 if limit and draw.below(5) == 0 else 0,
        flags=1 if limit and draw.below(10) == 0 else 0,
        time_s=seq + 1 + draw.below(40) if time_in_force == TimeInForce.GTD else 0,
        client_order_id=b"%d" % draw.below(3_000) if draw.below(3) else b"",
    )


def amend(draw: Draw, commands: list[Command]) -> Command:
    """Of a late order, if it was one."""
    order_id = len(commands) - draw.below(25)
    flags = (2, 4, 4, 6, 8, 2 * draw.below(16))[draw.below(6)]
    return Command(
        kind=CommandKind.AMEND,
        account=commands[order_id - 1].account,
        order_id=order_id,
        flags=flags,
        price_ticks=97 + draw.below(7) if flags & 2 else 0,
        quantity_lots=1 + draw.below(14) if flags & 4 else 0,
        display_lots=draw.below(3) if flags & 8 else 0,
        trigger_ticks=97 + draw.below(7) if flags & 16 else 0,
    )


def operators(draw: Draw, seq: int) -> Command:
    """One of the operators' commands; most of them leave the market open."""
    instrument = (0, 1, ALL_INSTRUMENTS)[draw.below(3)]
    account = draw.below(7)
    commands = (
        Command(kind=CommandKind.SET_PHASE, instrument=instrument, phase=(1, 1, 3, 4)[draw.below(4)]),
        Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=1),
        Command(kind=(CommandKind.HALT, CommandKind.RESUME)[draw.below(2)], instrument=1),
        Command(kind=CommandKind.RESUME, instrument=ALL_INSTRUMENTS),
        Command(kind=CommandKind.MASS_CANCEL, account=account, instrument=instrument, side=draw.below(BOTH_SIDES + 1)),
        Command(kind=CommandKind.SET_COLLAR, instrument=draw.below(2), rate_ppm=20_000 * draw.below(3)),
        Command(kind=CommandKind.SET_VOLATILITY_BAND, instrument=draw.below(2), rate_ppm=20_000, time_s=5),
        Command(kind=(CommandKind.KILL_SWITCH_ON, CommandKind.KILL_SWITCH_OFF)[draw.below(2)], account=6),
        Command(kind=CommandKind.KILL_SWITCH_ON) if draw.below(8) == 0 else Command(kind=CommandKind.KILL_SWITCH_OFF),
        Command(
            kind=CommandKind.SET_ORDER_LIMITS,
            account=account,
            quantity_lots=10 * draw.below(2),
            number=9 * draw.below(2),
        ),
        Command(kind=CommandKind.SET_TURNOVER_LIMIT, account=account, amount_fen=10**6 * draw.below(2)),
        Command(kind=CommandKind.SET_FEES, account_class=draw.below(2), rate_ppm=draw.below(900), taker_rate_ppm=700),
        Command(kind=CommandKind.BUST_TRADE, order_id=max(seq - draw.below(40), 0) << 20 | 1),
        Command(kind=CommandKind.RECORD),
    )
    return commands[draw.below(len(commands))]


def fixed_flow() -> list[Command]:
    """The small venue and some thousand commands, a second apart."""
    draw, commands = Draw(), venue()
    while len(commands) < LENGTH:
        seq, kind = len(commands), draw.below(100)
        if seq % 700 == 699:
            commands.append(Command(kind=CommandKind.DAY_ROLL, date=20231227 + seq // 700))
        elif kind < 60:
            commands.append(order(draw, seq))
        elif kind < 75:
            commands.append(amend(draw, commands))
        elif kind < 82:
            commands.append(Command(kind=CommandKind.CANCEL, order_id=max(seq - draw.below(30), 0)))
        elif kind < 87:
            commands.append(Command(kind=CommandKind.TIME))
        elif kind < 90:
            commands.append(commands[seq - 1 - draw.below(3)])
        else:
            commands.append(operators(draw, seq))
    return [command._replace(time_ns=command.seq * SECOND_NS) for command in numbered(commands)]


@pytest.mark.parametrize("make", [Engine, NaiveEngine])
def test_a_fixed_flow_leads_to_the_same_state_as_ever(make: type[Engine] | type[NaiveEngine]) -> None:
    """Another hash is another rule: raise ENGINE_VERSION with it, or the journals of the past cannot be replayed."""
    engine = make()
    events = engine.process(array(fixed_flow()))
    assert set(events["kind"].tolist()) == set(EventKind) - LATER
    assert blake2b(events.tobytes(), digest_size=16).hexdigest() == GOLDEN_EVENTS
    assert engine.state_hash() == GOLDEN_STATE_HASH


@pytest.mark.parametrize("make", [Engine, NaiveEngine])
def test_other_terms_and_delistings_lead_to_the_same_events_as_ever(make: type[Engine] | type[NaiveEngine]) -> None:
    engine, flow = make(), fixed_flow()
    engine.process(array(flow))
    flags = Flag.CHANGE_BAND | Flag.CHANGE_COLLAR | Flag.CHANGE_QUANTITY
    kind = CommandKind.CHANGE_INSTRUMENT
    term = Command(kind=kind, flags=flags, rate_ppm=10_000, taker_rate_ppm=20_000, quantity_lots=5)
    later = [
        Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=1),
        term,
        term._replace(instrument=1, rate_ppm=90_000),
        *(order(Draw(), len(flow) + n) for n in range(5)),
        Command(kind=CommandKind.DELIST_INSTRUMENT, instrument=1),
        Command(kind=CommandKind.DELIST_INSTRUMENT),
        Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=3),
        Command(kind=CommandKind.DAY_ROLL, date=20240131),
    ]
    stamped = [command._replace(time_ns=command.seq * SECOND_NS) for command in numbered(later, len(flow))]
    events = engine.process(array(stamped))
    assert set(events["kind"].tolist()) >= LATER
    assert blake2b(events.tobytes(), digest_size=16).hexdigest() == GOLDEN_TERMS
