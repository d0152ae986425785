from __future__ import annotations

from typing import Any

from hypothesis import given

from matching_engine.records import Side
from services import admin_commands as admin
from services.attachments import KeyIssued, KeyRevoked
from services.gateway.keys import key_hash
from services.gateway.state import VenueState
from services.gateway.venue_orders import VenueOrders
from services.messaging import Submission
from tests.unit.reporting import history
from tests.unit.reporting.history import SENDER, History, batches, cancel, opening, order


def as_engine_says(engine: Any) -> dict[str, Any]:
    return {
        "seq": engine.last_seq,
        "trading_date": engine.trading_date,
        "cash": {account: engine.cash(account) for account in range(1, engine.accounts + 1)},
        "lots": {
            (account, instrument): engine.holding(account, instrument)
            for account in range(1, engine.accounts + 1)
            for instrument in range(engine.instruments)
        },
        "phases": [engine.phase(instrument) for instrument in range(engine.instruments)],
        "bands": [(listed.reference, *listed.edges()) for listed in engine.listed],
        "open": {
            order.order_id: (order.account, order.instrument, order.side, order.price, order.leaves, order.lot_reserve)
            for order in engine.orders.values()
        },
    }


def as_state_says(state: VenueState) -> dict[str, Any]:
    return {
        "seq": state.last_seq,
        "trading_date": state.trading_date,
        "cash": {number: (account.cash_fen, account.reserved_fen) for number, account in state.accounts.items()},
        "lots": {
            (number, instrument.number): (held.lots, held.reserved_lots)
            for number, account in state.accounts.items()
            for instrument in state.instruments
            for held in [account.holding(instrument.number)]
        },
        "phases": [instrument.phase for instrument in state.instruments],
        "bands": [(listed.reference_ticks, listed.low_ticks, listed.high_ticks) for listed in state.instruments],
        "open": {
            order.order_id: (
                order.account,
                order.instrument,
                order.side,
                order.price_ticks,
                order.leaves_lots,
                order.reserved_fen // order.leaves_lots,
            )
            for order in state.orders.open.values()
        },
    }


@given(batches)
def test_after_every_row_the_state_is_the_engine_s(all_batches: list[list[Submission]]) -> None:
    venue, state = History(), VenueState()
    for submissions in [opening(), *all_batches]:
        state.apply(venue.row(submissions))
        assert as_state_says(state) == as_engine_says(venue.engine)


@given(batches)
def test_a_row_applied_again_changes_nothing(all_batches: list[list[Submission]]) -> None:
    venue, state = History(), VenueState()
    rows = [venue.row(submissions) for submissions in [opening(), *all_batches]]
    for row in rows:
        state.apply(row)
    before = as_state_says(state)
    state.apply(rows[-1])
    assert as_state_says(state) == before


def test_listeners_hear_each_change_of_their_account_s_orders_in_order() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.row(opening()))
    heard: list[tuple[int, str, int, int]] = []
    state.order_listeners[2] = lambda order, event: heard.append(
        (event.seq, order.state, order.leaves_lots, order.filled_lots)
    )
    first = venue.engine.last_seq + 1
    state.apply(
        venue.row(
            [
                order(2, Side.BUY, 1_000, 5),
                order(3, Side.SELL, 1_000, 2),
                cancel(first),
                order(2, Side.BUY, 1_500, 5),
            ]
        )
    )
    assert heard == [
        (first, "new", 5, 0),
        (first + 1, "partially_filled", 3, 2),
        (first + 2, "canceled", 0, 2),
        (first + 3, "rejected", 0, 0),
    ]


def test_a_reused_client_order_id_makes_no_order() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.row(opening()))
    first = venue.engine.last_seq + 1
    state.apply(venue.row([order(2, Side.BUY, 990, 1, client_order_id=b"a")]))
    state.apply(venue.row([order(2, Side.BUY, 991, 1, client_order_id=b"a")]))
    assert state.orders.get(first) is not None
    assert state.orders.get(first + 1) is None


def test_keys_come_and_go_with_the_journal() -> None:
    venue, state = History(), VenueState()
    issued = KeyIssued(key_hash=key_hash("rex_x").hex(), account=2, name="desk", scopes=("read", "trade"))
    state.apply(venue.row([*opening(), admin.record(SENDER, issued)]))
    key = state.find_key("rex_x")
    assert key is not None
    assert (key.account, key.name, key.scopes) == (2, "desk", frozenset({"read", "trade"}))
    assert state.find_key("rex_y") is None
    state.apply(venue.row([admin.record(SENDER, KeyRevoked(key_id=key.key_id))]))
    assert state.find_key("rex_x") is None


def test_the_memory_of_ended_orders_is_bounded() -> None:
    venue, state = History(), VenueState()
    state.orders = VenueOrders(ended_limit=2)
    state.apply(venue.row(opening()))
    first = venue.engine.last_seq + 1
    state.apply(venue.row([order(2, Side.BUY, 2_000, 1)] * 3))
    assert [state.orders.get(first + n) is not None for n in range(3)] == [False, True, True]


def test_ended_orders_are_known_by_their_client_id_as_long_as_they_are_remembered() -> None:
    venue, state = History(), VenueState()
    state.orders = VenueOrders(ended_limit=2)
    state.apply(venue.row(opening()))
    first = venue.engine.last_seq + 1
    ids = (b"a", b"b", b"c")
    state.apply(venue.row([order(2, Side.BUY, 2_000, 1, client_order_id=client_id) for client_id in ids]))
    ended = [state.orders.ended_as(2, client_id.decode()) for client_id in ids]
    assert [found and found.order_id for found in ended] == [None, first + 1, first + 2]
    assert state.orders.ended_as(3, "c") is None


def test_instruments_and_names_are_read_from_the_journal() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.row(opening()))
    assert list(state.by_symbol) == ["ND-OX", "NDFEB-N42"]
    assert state.accounts[3].name == "trader 3"
    assert state.incarnation == history.JOURNAL_ID.hex()
