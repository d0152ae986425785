"""Accounts, cash, lots, instruments, fees, phases and halts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from matching_engine import Engine
from matching_engine.limits import MAX_ACCOUNTS, MAX_HELD_LOTS, MAX_INSTRUMENTS, MAX_TICK_VALUE_FEN
from matching_engine.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    VENUE,
    CommandKind,
    Event,
    EventKind,
    Flag,
    Phase,
    Reason,
)
from tests.unit.matching_engine.engine_talk import BUY, CASH, LOTS, SELL, Talk

TERM_FLAGS = (Flag.CHANGE_BAND, Flag.CHANGE_COLLAR, Flag.CHANGE_QUANTITY)
ALL_TERMS = int(Flag.CHANGE_BAND | Flag.CHANGE_COLLAR | Flag.CHANGE_QUANTITY)


def test_accounts_are_numbered_after_the_venues_own(talk: Talk) -> None:
    assert talk.engine.cash(VENUE) == (0, 0)
    assert talk.tell(CommandKind.OPEN_ACCOUNT, account_class=7) == [talk.event(EventKind.ACCOUNT_OPENED, account=5)]
    assert talk.engine.accounts == 5
    with pytest.raises(KeyError):
        talk.engine.cash(6)


def test_there_is_a_last_account() -> None:
    """Runs on the engine only: the naive one sums all accounts after every command."""
    engine = Engine()
    commands = np.zeros(2**12, COMMAND)
    commands["kind"] = CommandKind.OPEN_ACCOUNT
    while engine.accounts < MAX_ACCOUNTS:
        commands["seq"] = np.arange(len(commands)) + engine.last_seq + 1
        events = engine.process(commands)
    assert events[-1].tolist() == Event(seq=engine.last_seq, kind=EventKind.REJECTED, reason=Reason.TOO_MANY)
    assert events["account"].tolist() == [*range(MAX_ACCOUNTS - len(commands) + 2, MAX_ACCOUNTS + 1), 0]
    assert Engine.from_state(engine.state()).accounts == MAX_ACCOUNTS


def test_money_comes_and_goes(talk: Talk) -> None:
    changed = talk.tell(CommandKind.DEPOSIT, account=2, amount_fen=5)
    assert changed == [talk.event(EventKind.BALANCE_CHANGED, account=2, amount_fen=5)]
    changed = talk.tell(CommandKind.WITHDRAW, account=2, amount_fen=CASH + 5)
    assert changed == [talk.event(EventKind.BALANCE_CHANGED, account=2, amount_fen=-CASH - 5)]
    assert talk.engine.cash(2) == (0, 0)


def test_goods_come_and_go(talk: Talk) -> None:
    changed = talk.tell(CommandKind.RECEIVE, account=2, quantity_lots=5)
    assert changed == [talk.event(EventKind.BALANCE_CHANGED, account=2, quantity_lots=5)]
    changed = talk.tell(CommandKind.RELEASE, account=2, quantity_lots=LOTS + 5)
    assert changed == [talk.event(EventKind.BALANCE_CHANGED, account=2, quantity_lots=-LOTS - 5)]
    assert talk.engine.holding(2, 0) == (0, 0)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": CommandKind.DEPOSIT, "account": 9, "amount_fen": 1}, Reason.UNKNOWN_ACCOUNT),
        ({"kind": CommandKind.DEPOSIT, "account": 2, "amount_fen": 0}, Reason.INVALID_AMOUNT),
        ({"kind": CommandKind.DEPOSIT, "account": 2, "amount_fen": -1}, Reason.INVALID_AMOUNT),
        ({"kind": CommandKind.DEPOSIT, "account": 2, "amount_fen": 2**63 - 1}, Reason.INVALID_AMOUNT),
        ({"kind": CommandKind.DEPOSIT, "account": 2, "amount_fen": MAX_AMOUNT_FEN - 3 * CASH + 1}, Reason.INVALID_AMOUNT),
        ({"kind": CommandKind.WITHDRAW, "account": 0, "amount_fen": 1}, Reason.UNKNOWN_ACCOUNT),
        ({"kind": CommandKind.WITHDRAW, "account": 2, "amount_fen": -(2**63)}, Reason.INVALID_AMOUNT),
        ({"kind": CommandKind.WITHDRAW, "account": 2, "amount_fen": CASH + 1}, Reason.INSUFFICIENT_FUNDS),
        ({"kind": CommandKind.RECEIVE, "account": 9, "quantity_lots": 1}, Reason.UNKNOWN_ACCOUNT),
        ({"kind": CommandKind.RECEIVE, "account": 2, "instrument": 1, "quantity_lots": 1}, Reason.UNKNOWN_INSTRUMENT),
        ({"kind": CommandKind.RECEIVE, "account": 2, "quantity_lots": 0}, Reason.INVALID_QUANTITY),
        ({"kind": CommandKind.RECEIVE, "account": 2, "quantity_lots": MAX_HELD_LOTS - 3 * LOTS + 1}, Reason.INVALID_QUANTITY),
        ({"kind": CommandKind.RELEASE, "account": 2, "quantity_lots": 2**63 - 1}, Reason.INVALID_QUANTITY),
        ({"kind": CommandKind.RELEASE, "account": 2, "quantity_lots": LOTS + 1}, Reason.INSUFFICIENT_INVENTORY),
        ({"kind": CommandKind.RELEASE, "account": VENUE, "quantity_lots": 1}, Reason.INSUFFICIENT_INVENTORY),
    ],
)  # fmt: skip
def test_what_cannot_be_booked(talk: Talk, fields: dict[str, Any], reason: Reason) -> None:
    before = talk.engine.state()
    echoed = {name: fields[name] for name in ("account", "instrument", "quantity_lots") if name in fields}
    assert talk.tell(**fields) == [talk.rejected(reason, **echoed)]
    assert [part.tobytes() for part in talk.engine.state()[1:]] == [part.tobytes() for part in before[1:]]


def test_what_is_reserved_cannot_leave(talk: Talk) -> None:
    talk.order(2, BUY, 1, 1000)
    talk.order(2, SELL, 1, 1050)
    withdraw = {"account": 2, "amount_fen": CASH - 100_050 + 1}
    assert talk.tell(CommandKind.WITHDRAW, **withdraw)[0].reason == Reason.INSUFFICIENT_FUNDS
    assert talk.tell(CommandKind.RELEASE, account=2, quantity_lots=LOTS)[0].reason == Reason.INSUFFICIENT_INVENTORY
    withdraw["amount_fen"] -= 1
    assert talk.tell(CommandKind.WITHDRAW, **withdraw)[0].kind == EventKind.BALANCE_CHANGED
    assert talk.tell(CommandKind.RELEASE, account=2, quantity_lots=LOTS - 1)[0].kind == EventKind.BALANCE_CHANGED


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"instrument": 0}, Reason.UNKNOWN_INSTRUMENT),
        ({"instrument": 2}, Reason.UNKNOWN_INSTRUMENT),
        ({"quantity_lots": 0}, Reason.INVALID_QUANTITY),
        ({"quantity_lots": MAX_QUANTITY_LOTS + 1}, Reason.INVALID_QUANTITY),
        ({"price_ticks": 0}, Reason.INVALID_PRICE),
        ({"price_ticks": MAX_PRICE_TICKS + 1}, Reason.INVALID_PRICE),
        ({"amount_fen": 0}, Reason.INVALID_AMOUNT),
        ({"amount_fen": MAX_TICK_VALUE_FEN + 1}, Reason.INVALID_AMOUNT),
        ({"rate_ppm": 1_000_000}, Reason.INVALID_RATE),
    ],
)
def test_what_cannot_be_listed(talk: Talk, fields: dict[str, int], reason: Reason) -> None:
    events = talk.list_instrument(**{"instrument": 1, **fields})
    assert [(event.kind, event.reason) for event in events] == [(EventKind.REJECTED, reason)]
    assert talk.engine.instruments == 1


def test_other_terms_hold_for_the_present_day_and_end_what_they_leave_outside(talk: Talk) -> None:
    talk.order(2, BUY, 3, 955)
    low = talk.seq
    talk.order(2, BUY, 1, 985)
    terms = {"rate_ppm": 20_000, "taker_rate_ppm": 10_000, "quantity_lots": 4}
    events = talk.tell(CommandKind.CHANGE_INSTRUMENT, flags=ALL_TERMS, **terms)
    assert events[0] == talk.event(EventKind.INSTRUMENT_CHANGED)
    assert [(e.kind, e.order_id, e.reason) for e in events[1:]] == [
        (EventKind.CANCELED, low, Reason.OUTSIDE_BAND),
        (EventKind.LEVEL, 0, Reason.NONE),
    ]
    assert talk.order(2, BUY, 5, 1000)[0].reason == Reason.INVALID_QUANTITY
    assert talk.order(2, BUY, 4, 1011)[0].reason == Reason.PRICE_OUTSIDE_COLLAR
    assert talk.order(2, BUY, 4, 1021)[0].reason == Reason.PRICE_ABOVE_BAND
    assert talk.order(2, BUY, 4, 1010)[0].kind == EventKind.ACCEPTED


def test_terms_that_cannot_be_change_nothing(talk: Talk) -> None:
    right = {"flags": ALL_TERMS, "rate_ppm": 999_999, "taker_rate_ppm": 999_999, "quantity_lots": MAX_QUANTITY_LOTS}
    for fields, reason in (
        ({"instrument": 1, "quantity_lots": 0}, Reason.UNKNOWN_INSTRUMENT),
        ({"flags": ALL_TERMS | Flag.POST_ONLY, "quantity_lots": 0}, Reason.INVALID_OPTION),
        ({"flags": ALL_TERMS | 128}, Reason.INVALID_OPTION),
        ({"flags": ALL_TERMS & ~Flag.CHANGE_BAND}, Reason.INVALID_OPTION),
        ({"flags": ALL_TERMS & ~Flag.CHANGE_COLLAR}, Reason.INVALID_OPTION),
        ({"flags": ALL_TERMS & ~Flag.CHANGE_QUANTITY}, Reason.INVALID_OPTION),
        ({"quantity_lots": 0, "rate_ppm": 10**6}, Reason.INVALID_QUANTITY),
        ({"quantity_lots": MAX_QUANTITY_LOTS + 1}, Reason.INVALID_QUANTITY),
        ({"rate_ppm": 10**6}, Reason.INVALID_RATE),
        ({"taker_rate_ppm": 10**6}, Reason.INVALID_RATE),
    ):
        before = talk.engine.state().instruments.tobytes()
        events = talk.tell(CommandKind.CHANGE_INSTRUMENT, **(right | fields))
        assert [(event.kind, event.reason) for event in events] == [(EventKind.REJECTED, reason)]
        assert talk.engine.state().instruments.tobytes() == before
    assert talk.tell(CommandKind.CHANGE_INSTRUMENT, **right)[0].kind == EventKind.INSTRUMENT_CHANGED


def test_a_term_that_no_flag_names_stays(talk: Talk) -> None:
    def terms() -> list[int]:
        (row,) = talk.engine.state().instruments[["band_ppm", "collar_ppm", "max_quantity_lots"]].tolist()
        return list(row)

    expected = terms()
    for place, (flag, field) in enumerate(
        zip(TERM_FLAGS, ("rate_ppm", "taker_rate_ppm", "quantity_lots"), strict=True)
    ):
        expected[place] = 7
        assert (
            talk.tell(CommandKind.CHANGE_INSTRUMENT, flags=flag, **{field: 7})[0].kind == EventKind.INSTRUMENT_CHANGED
        )
        assert terms() == expected
    assert talk.tell(CommandKind.CHANGE_INSTRUMENT)[0].kind == EventKind.INSTRUMENT_CHANGED
    assert terms() == expected


def test_a_delisted_instrument_is_restored_as_such(talk: Talk) -> None:
    talk.list_instrument(1)
    talk.order(2, BUY, 3, 990)
    talk.tell(CommandKind.HALT)
    assert [event.kind for event in talk.tell(CommandKind.DELIST_INSTRUMENT)] == [
        EventKind.INSTRUMENT_DELISTED, EventKind.PHASE_CHANGED, EventKind.CANCELED, EventKind.LEVEL,
    ]  # fmt: skip
    assert talk.engine.phase(0) == Phase.DELISTED
    if isinstance(talk.engine, Engine):
        talk.engine = Engine.from_state(talk.engine.state())
    talk.tell(CommandKind.RESUME, instrument=ALL_INSTRUMENTS)
    talk.tell(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS)
    assert talk.order(2, BUY, 1, 1000)[0].reason == Reason.NO_LONGER_LISTED
    assert talk.order(2, BUY, 1, 1000, instrument=1)[0].kind == EventKind.ACCEPTED
    assert talk.tell(CommandKind.RELEASE, account=2, quantity_lots=LOTS)[0].kind == EventKind.BALANCE_CHANGED


def test_there_is_a_last_instrument(talk: Talk) -> None:
    for number in range(1, MAX_INSTRUMENTS):
        talk.list_instrument(number)
    assert talk.engine.instruments == MAX_INSTRUMENTS
    assert talk.list_instrument(MAX_INSTRUMENTS)[0].reason == Reason.TOO_MANY


def test_a_new_instrument_begins_in_the_venues_phase(talk: Talk) -> None:
    assert talk.list_instrument(1) == [
        talk.event(EventKind.INSTRUMENT_LISTED, instrument=1, price_ticks=1000),
        talk.event(EventKind.PHASE_CHANGED, instrument=1, phase=Phase.CONTINUOUS),
    ]
    talk.tell(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CLOSED)
    assert talk.list_instrument(2) == [talk.event(EventKind.INSTRUMENT_LISTED, instrument=2, price_ticks=1000)]
    talk.tell(CommandKind.HALT, instrument=ALL_INSTRUMENTS)
    assert talk.list_instrument(3)[1:] == [talk.event(EventKind.PHASE_CHANGED, instrument=3, phase=Phase.HALTED)]
    assert [talk.engine.phase(i) for i in range(4)] == [Phase.HALTED] * 4
    with pytest.raises(IndexError):
        talk.engine.phase(4)


def test_orders_are_refused_while_closed_and_while_halted(talk: Talk) -> None:
    talk.tell(CommandKind.SET_PHASE, phase=Phase.CLOSED)
    assert talk.order(2, BUY, 1, 1000)[0].reason == Reason.MARKET_CLOSED
    talk.tell(CommandKind.HALT)
    assert talk.order(2, BUY, 1, 1000)[0].reason == Reason.MARKET_CLOSED
    talk.tell(CommandKind.SET_PHASE, phase=Phase.CONTINUOUS)
    assert talk.order(2, BUY, 1, 1000)[0].reason == Reason.INSTRUMENT_HALTED
    talk.tell(CommandKind.RESUME)
    assert talk.order(2, BUY, 1, 1000)[0].kind == EventKind.ACCEPTED


def test_a_halt_outlives_changes_of_phase(talk: Talk) -> None:
    def changed(instrument: int, phase: Phase) -> Any:
        return talk.event(EventKind.PHASE_CHANGED, instrument=instrument, phase=phase)

    talk.list_instrument(1)
    assert talk.tell(CommandKind.HALT, instrument=1) == [changed(1, Phase.HALTED)]
    assert talk.tell(CommandKind.SET_PHASE, instrument=1, phase=Phase.CLOSED) == [changed(1, Phase.HALTED)]
    assert talk.tell(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS) == [
        changed(ALL_INSTRUMENTS, Phase.CONTINUOUS),
        changed(1, Phase.HALTED),
    ]
    assert talk.tell(CommandKind.RESUME, instrument=1) == [changed(1, Phase.CONTINUOUS)]
    assert talk.tell(CommandKind.HALT, instrument=ALL_INSTRUMENTS) == [changed(ALL_INSTRUMENTS, Phase.HALTED)]
    assert talk.tell(CommandKind.SET_PHASE, instrument=0, phase=Phase.CLOSED) == [changed(0, Phase.HALTED)]
    assert talk.tell(CommandKind.RESUME, instrument=ALL_INSTRUMENTS) == [
        changed(ALL_INSTRUMENTS, Phase.CONTINUOUS),
        changed(0, Phase.CLOSED),
    ]


@pytest.mark.parametrize("kind", [CommandKind.SET_PHASE, CommandKind.HALT, CommandKind.RESUME])
def test_phases_of_unknown_instruments(talk: Talk, kind: CommandKind) -> None:
    assert talk.tell(kind, instrument=1) == [talk.rejected(Reason.UNKNOWN_INSTRUMENT, instrument=1)]


def test_an_unknown_phase_is_refused_and_only_operators_halt(talk: Talk) -> None:
    for phase in (Phase.HALTED, 5, 255):
        assert talk.tell(CommandKind.SET_PHASE, phase=phase) == [talk.rejected(Reason.INVALID_PHASE)]


def test_fees_below_the_whole_value_are_taken(talk: Talk) -> None:
    assert talk.tell(CommandKind.SET_FEES, rate_ppm=999_999) == [talk.event(EventKind.FEES_SET)]
    assert talk.tell(CommandKind.SET_FEES, rate_ppm=10**6) == [talk.rejected(Reason.INVALID_RATE)]
    assert talk.tell(CommandKind.SET_FEES, taker_rate_ppm=2**32 - 1) == [talk.rejected(Reason.INVALID_RATE)]


def test_a_decision_for_the_readers_is_only_numbered(talk: Talk) -> None:
    assert talk.tell(CommandKind.RECORD, attachment=1) == [talk.event(EventKind.RECORDED)]
