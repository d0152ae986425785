"""An engine made of a snapshot goes on as the one it was taken of; bytes that are no state are refused with a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from matching_engine import Engine
from matching_engine.records import (
    ALL_INSTRUMENTS,
    Command,
    CommandKind,
    EventKind,
    OrderType,
    Phase,
    Side,
    TimeInForce,
)
from matching_engine.snapshot import state
from tests.long import some
from tests.property.engine_flow import array, flow, numbered

CUTS = (0, 1, 40, 200, 350, 499, 500)


@pytest.mark.parametrize("seed", some(range(3)))
def test_a_snapshot_and_the_tail_are_the_whole_flow(seed: int) -> None:
    commands = array(flow(seed, 500))
    whole = Engine()
    events = whole.process(commands)
    for cut in CUTS:
        before = Engine()
        first = before.process(commands[:cut])
        after = Engine.from_state(state.from_bytes(state.snapshot_bytes(before.state())))
        assert after.state_hash() == before.state_hash()
        assert after.next_deadline_ns == before.next_deadline_ns
        last = after.process(commands[cut:])
        assert np.concatenate([first, last]).tobytes() == events.tobytes()
        assert after.state_hash() == whole.state_hash()


def test_a_restored_engine_counts_what_its_accounts_have_open() -> None:
    engine = Engine()
    engine.process(array(flow(1, 500)))
    again = Engine.from_state(engine.state())
    for account in range(1, engine.accounts + 1):
        assert again.limits(account) == engine.limits(account)


def test_a_restored_engine_has_room_for_buyers_that_hold_nothing_yet() -> None:
    """One uncrossing gives 40 buyers their first lots of 40 instruments: more holdings than one command may open."""
    many = range(40)
    commands = [Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CALL_AUCTION)]
    commands += [Command(kind=CommandKind.OPEN_ACCOUNT) for _ in (0, *many)]
    commands += [Command(kind=CommandKind.DEPOSIT, account=3 + buyer, amount_fen=10**6) for buyer in many]
    order = Command(kind=CommandKind.NEW_ORDER, order_type=OrderType.LIMIT, time_in_force=TimeInForce.GTC)
    for i in many:
        listing = Command(kind=CommandKind.LIST_INSTRUMENT, instrument=i, amount_fen=1, price_ticks=100)
        commands += [
            listing._replace(quantity_lots=40),
            Command(kind=CommandKind.RECEIVE, account=2, instrument=i, quantity_lots=40),
            order._replace(account=2, instrument=i, side=Side.SELL, price_ticks=100, quantity_lots=40),
        ]
        commands += [order._replace(account=3 + n, instrument=i, price_ticks=100, quantity_lots=1) for n in many]
    engine = Engine()
    engine.process(array(numbered(commands)))
    again = Engine.from_state(engine.state())
    seq = engine.last_seq + 1
    uncross = Command(kind=CommandKind.SET_PHASE, seq=seq, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS)
    events = again.submit(uncross)
    assert events == engine.submit(uncross)
    assert sum(event.kind == EventKind.TRADE for event in events) == 1600
    assert again.state_hash() == engine.state_hash()


def test_restoring_reserves_no_more_than_running_did() -> None:
    """A million orders can rest, so a million can be restored: the levels that so many may open would not fit."""
    many = 20_000
    opening = [
        Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CALL_AUCTION),
        Command(kind=CommandKind.LIST_INSTRUMENT, amount_fen=1, price_ticks=1, quantity_lots=1),
        Command(kind=CommandKind.OPEN_ACCOUNT),
        Command(kind=CommandKind.DEPOSIT, account=2, amount_fen=10**9),
    ]
    order = Command(kind=CommandKind.NEW_ORDER, order_type=OrderType.LIMIT, time_in_force=TimeInForce.GTC)
    order = order._replace(account=2, price_ticks=1, quantity_lots=1)
    commands = np.concatenate([array(opening), np.repeat(array([order]), many)])
    commands["seq"] = np.arange(len(commands)) + 1
    engine = Engine()
    engine.process(commands)
    again = Engine.from_state(engine.state())
    assert len(again.book) == many
    assert again.state_hash() == engine.state_hash()
    assert again.book.levels.spare_nodes <= engine.book.levels.spare_nodes


@pytest.mark.parametrize("section", ["accounts", "holdings", "orders", "trades", "client_ids"])
def test_rows_in_another_order_are_no_state(section: str) -> None:
    engine = Engine()
    engine.process(array(flow(6, 500)))
    kept = engine.state()
    with pytest.raises(state.StateError):
        Engine.from_state(kept._replace(**{section: getattr(kept, section)[::-1].copy()}))


def test_bytes_that_were_changed_never_make_anything_but_an_engine_or_a_state_error() -> None:
    engine = Engine()
    engine.process(array(flow(2, 400)))
    data = state.snapshot_bytes(engine.state())
    draw = np.random.default_rng(1)
    refused = 0
    for _ in range(400):
        broken = bytearray(data)
        broken[draw.integers(16, len(data))] ^= 1 << draw.integers(8)
        try:
            again = Engine.from_state(state.from_bytes(bytes(broken)))
        except state.StateError:
            refused += 1
        else:
            assert state.snapshot_bytes(again.state()) == broken
    assert refused > 100


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no snapshot"),
        (b"REXSTATE" + (99).to_bytes(8, "little"), "format 99, and this engine reads format 3"),
        (
            b"REXSTATE" + state.STATE_FORMAT.to_bytes(8, "little") + (5).to_bytes(8, "little"),
            "ends within its section 'venue'",
        ),
        (state.snapshot_bytes(Engine().state()) + b"x", "1 bytes too many"),
        (state.snapshot_bytes(Engine().state())[:-1], "ends within"),
    ],
)
def test_other_bytes_are_refused_with_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(state.StateError, match=says):
        state.from_bytes(data)
