"""The engine's surface: arrays in and out, and faults."""

from __future__ import annotations

import numpy as np
import pytest

from matching_engine import Engine, EngineFault
from matching_engine.faults import Fault
from matching_engine.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    EVENT,
    VENUE,
    Command,
    CommandKind,
    EventKind,
    OrderType,
    unpack_events,
)
from tests.property.engine_flow import array, flow, numbered, venue
from tests.unit.matching_engine.engine_talk import BUY, SELL, Talk


def test_a_new_engine_is_empty() -> None:
    engine = Engine()
    assert (engine.last_seq, engine.trading_date, engine.instruments, engine.accounts) == (0, 0, 0, 1)
    assert engine.cash(VENUE) == (0, 0)
    assert engine.holding(VENUE, 0) == (0, 0)
    assert engine.turnover_fen(2023) == 0
    assert len(engine.process(np.zeros(0, COMMAND))) == 0


def test_events_come_as_one_array_that_stays_as_it_is() -> None:
    engine = Engine()
    first = engine.process(array(numbered(venue())))
    copy = first.copy()
    assert first.dtype == EVENT
    assert engine.process(array(numbered([Command(kind=CommandKind.RECORD)], engine.last_seq))).dtype == EVENT
    assert first.tobytes() == copy.tobytes()


@pytest.mark.parametrize("held", [slice(None), slice(700, None), slice(5, 9)])
def test_events_of_large_batches_stay_as_they_are_while_somebody_holds_them_or_a_part_of_them(held: slice) -> None:
    """A large batch's events are not copied: each batch has other memory while those of the ones before are held."""
    commands = [np.zeros(1_000, COMMAND) for _ in range(6)]
    for number, batch in enumerate(commands):
        batch["kind"] = CommandKind.OPEN_ACCOUNT
        batch["seq"] = np.arange(1_000) + 1_000 * number + 1
    engine = Engine()
    kept = [engine.process(batch)[held] for batch in commands]
    once_more = Engine()
    copies = [once_more.process(batch)[held].copy() for batch in commands]
    assert [part.tobytes() for part in kept] == [part.tobytes() for part in copies]
    assert [part["account"].tolist() for part in kept] == [
        list(range(1_000 * number + 2, 1_000 * number + 1_002))[held] for number in range(6)
    ]


@pytest.mark.parametrize("step", [1, 2, -1])
def test_arrays_need_not_be_contiguous_or_writable(step: int) -> None:
    wide = np.zeros(6, COMMAND)
    commands = wide[:: 2 * step]
    commands["kind"] = CommandKind.OPEN_ACCOUNT
    commands["seq"] = np.arange(len(commands)) + 1
    commands.flags.writeable = False
    assert Engine().process(commands)["account"].tolist() == list(range(2, 2 + len(commands)))


@pytest.mark.parametrize("offset", range(8))
def test_arrays_may_begin_anywhere_in_a_row_of_the_journal(offset: int) -> None:
    commands = array(flow(0, 50))
    row = bytes(offset) + commands.tobytes()
    events = Engine().process(np.frombuffer(row, COMMAND, len(commands), offset))
    assert events.tobytes() == Engine().process(commands).tobytes()


def test_other_arrays_are_refused() -> None:
    engine = Engine()
    for wrong in (np.zeros(2, EVENT), np.zeros((2, 2), COMMAND), np.zeros(160, "u1"), [1]):
        with pytest.raises(ValueError, match="COMMAND array"):
            engine.process(wrong)
    with pytest.raises(OverflowError):
        engine.submit(Command(seq=1, kind=256))
    assert engine.last_seq == 0


@pytest.mark.parametrize("seq", [0, 2, 2**64 - 1])
def test_a_gap_in_the_sequence_is_a_fault(talk: Talk, seq: int) -> None:
    with pytest.raises(EngineFault) as caught:
        talk.engine.submit(Command(seq=seq, kind=CommandKind.RECORD))
    assert (caught.value.code, caught.value.seq) == (Fault.NOT_IN_SEQUENCE, seq)
    with pytest.raises(EngineFault):
        talk.tell(CommandKind.RECORD)


def test_money_from_nowhere_is_a_fault_that_names_the_command() -> None:
    engine = Engine()
    talk = Talk(engine)
    engine.ledger.move_cash(2, 1)
    commands = array(numbered([Command(kind=CommandKind.RECORD)] * 3, talk.seq))
    for _ in range(2):
        with pytest.raises(EngineFault) as caught:
            engine.process(commands)
        assert (caught.value.code, caught.value.seq) == (Fault.CASH_NOT_CONSERVED, talk.seq + 1)


def test_goods_from_nowhere_are_a_fault() -> None:
    engine = Engine()
    talk = Talk(engine)
    engine.ledger.move_lots(2, 0, -1)
    with pytest.raises(EngineFault) as caught:
        talk.tell(CommandKind.RECORD)
    assert caught.value.code == Fault.INVENTORY_NOT_CONSERVED


def test_an_account_that_reserved_more_than_it_has_is_a_fault() -> None:
    engine = Engine()
    talk = Talk(engine)
    engine.ledger.reserve_cash(2, -1)
    with pytest.raises(EngineFault) as caught:
        talk.order(2, BUY, 1, 1000)
    assert caught.value.code == Fault.OVERDRAWN


def test_a_book_and_accounts_that_differ_are_a_fault() -> None:
    """The seller's reserve is gone when its order trades."""
    engine = Engine()
    talk = Talk(engine)
    talk.order(3, SELL, 1, 1000)
    engine.ledger.reserve_lots(3, 0, -1)
    with pytest.raises(EngineFault) as caught:
        talk.order(2, BUY, 1, 1000)
    assert (caught.value.code, caught.value.seq) == (Fault.OVERDRAWN, talk.seq)


def test_a_sweep_of_many_orders_in_one_command() -> None:
    engine = Engine()
    talk = Talk(engine)
    count = 400
    for _ in range(count):
        talk.order(3, SELL, 1, 1000)
    events = talk.order(2, BUY, count, 1000)
    assert [event.number for event in events[1:-1]] == list(range(1, count + 1))
    assert events[-1] == talk.level(SELL, 1000, 0, 0)
    assert engine.holding(2, 0) == (1000 + count, 0)


def test_a_roll_that_ends_many_orders_in_one_command() -> None:
    engine = Engine()
    talk = Talk(engine)
    orders = [
        Command(
            kind=CommandKind.NEW_ORDER,
            account=2,
            side=BUY,
            order_type=OrderType.LIMIT,
            time_in_force=1,
            price_ticks=950 + n % 50,
            quantity_lots=1,
        )
        for n in range(3000)
    ]
    engine.process(array(numbered(orders, talk.seq)))
    roll = Command(kind=CommandKind.DAY_ROLL, date=20230103)
    events = list(unpack_events(engine.process(array(numbered([roll], engine.last_seq))).tobytes()))
    assert [event.kind for event in events[2:]] == [EventKind.EXPIRED] * 3000 + [EventKind.LEVEL] * 50
    assert engine.cash(2)[1] == 0


def test_resuming_all_says_nothing_of_instruments_that_do_not_differ(talk: Talk) -> None:
    talk.list_instrument(1)
    assert len(talk.tell(CommandKind.RESUME, instrument=ALL_INSTRUMENTS)) == 1


@pytest.mark.parametrize("size", [1, 7, 64])
def test_room_made_ahead_changes_nothing(size: int) -> None:
    commands = array(flow(3, 600))
    whole, roomy = Engine(), Engine()
    events = whole.process(commands).tobytes()
    parts = []
    for first in range(0, len(commands), size):
        roomy.make_room()
        parts.append(roomy.process(commands[first : first + size]).tobytes())
    assert b"".join(parts) == events
    assert roomy.state_hash() == whole.state_hash()
