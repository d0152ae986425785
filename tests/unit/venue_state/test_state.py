from __future__ import annotations

import gc
from random import Random
from typing import Any

from hypothesis import given

from matching_engine.records import EventKind, OrderType, Side, TimeInForce
from services.commands import administrative as admin
from services.commands.attachments import BustText, KeyIssued, KeyRevoked
from services.gateway.order_schemas import Order
from services.gateway.replies.execution_report import order_json
from services.messaging import Submission
from services.venue_state.keys import key_hash
from services.venue_state.orders import VenueOrders
from services.venue_state.state import VenueState
from tests.model.naive_engine import NaiveEngine
from tests.property.engine_flow import flow
from tests.unit.read_model import history
from tests.unit.read_model.history import SENDER, History, batches_of, cancel, opening, order, requests


def as_engine_says(engine: NaiveEngine) -> dict[str, Any]:
    return {
        "venue": (engine.last_seq, engine.trading_date, engine.venue_kill_switch),
        "cash": {account: engine.cash(account) for account in range(1, engine.accounts + 1)},
        "accounts": {
            number: (
                batch.owner, batch.account_class, batch.kill_switch, batch.max_order_lots, batch.max_order_fen,
                batch.max_open_orders, batch.max_day_fen, batch.day_amount,
            )
            for number, batch in engine.ledger.items()
        },
        "lots": {
            (account, instrument): engine.holding(account, instrument)
            for account in range(1, engine.accounts + 1)
            for instrument in range(engine.instruments)
        },
        "phases": [engine.phase(instrument) for instrument in range(engine.instruments)],
        "instruments": [
            (listed.reference, *listed.edges(), listed.collar_ppm, listed.volatility_ppm, listed.auction_s)
            for listed in engine.listed
        ],
        "open": {
            order.order_id: (
                order.account, order.instrument, order.side, order.price, order.trigger, order.leaves, order.filled,
                order.display, order.time_s, order.flags, order.self_trade, order.lot_reserve,
            )
            for order in engine.orders.values()
        },
    }  # fmt: skip


def as_state_says(state: VenueState) -> dict[str, Any]:
    return {
        "venue": (state.last_seq, state.trading_date, state.kill_switch),
        "cash": {number: (account.cash_fen, account.reserved_fen) for number, account in state.accounts.items()},
        "accounts": {
            number: (
                account.owner, account.account_class, account.kill_switch, account.max_order_lots,
                account.max_order_fen, account.max_open_orders, account.max_day_fen, account.day_fen,
            )
            for number, account in state.accounts.items()
        },
        "lots": {
            (number, instrument.number): (held.lots, held.reserved_lots)
            for number, account in state.accounts.items()
            for instrument in state.instruments
            for held in [account.holding(instrument.number)]
        },
        "phases": [instrument.phase for instrument in state.instruments],
        "instruments": [
            (
                listed.reference_ticks, listed.low_ticks, listed.high_ticks, listed.collar_ppm, listed.volatility_ppm,
                listed.auction_s,
            )
            for listed in state.instruments
        ],
        "open": {
            order.order_id: (
                order.account, order.instrument, order.side, order.price_ticks,
                0 if order.triggered_seq else order.trigger_ticks,  # Triggered, the engine knows it no more.
                order.leaves_lots, order.filled_lots, order.display_lots, order.expires_s, order.flags,
                order.self_trade, order.reserved_fen // order.leaves_lots,
            )
            for order in state.orders.open.values()
        },
    }  # fmt: skip


def check_orders(state: VenueState) -> None:
    """Asserts the invariants of every open order, and of the accounts' counts."""
    counts = dict.fromkeys(state.accounts, 0)
    for found in state.orders.open.values():
        assert found.quantity_lots == found.filled_lots + found.leaves_lots
        assert found.state == ("partially_filled" if found.filled_lots else "new")
        counts[found.account] += 1
        report = order_json(found, state.instruments)
        assert Order.model_validate(report).model_dump() == report
    assert {number: account.open_orders for number, account in state.accounts.items()} == counts


def test_whatever_happens_the_state_is_the_engine_s() -> None:
    kinds: set[int] = set()
    for seed in range(12):
        state = VenueState()
        for engine, batch in batches_of(flow(seed, 400), Random(seed)):
            state.apply(batch)
            assert as_state_says(state) == as_engine_says(engine)
            check_orders(state)
            kinds |= {event.kind for event in batch.event_list}
    assert kinds == set(EventKind)


@given(requests)
def test_after_every_batch_the_state_is_the_engine_s(all_batches: list[list[Submission]]) -> None:
    venue, state = History(), VenueState()
    for submissions in [opening(), *all_batches]:
        state.apply(venue.batch(submissions))
        assert as_state_says(state) == as_engine_says(venue.engine)


@given(requests)
def test_a_batch_applied_again_changes_nothing(all_batches: list[list[Submission]]) -> None:
    venue, state = History(), VenueState()
    batches = [venue.batch(submissions) for submissions in [opening(), *all_batches]]
    for batch in batches:
        state.apply(batch)
    before = as_state_says(state)
    state.apply(batches[-1])
    assert as_state_says(state) == before


def test_listeners_get_each_change_of_their_account_s_orders_in_order() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.batch(opening()))
    received: list[tuple[int, str, int, int]] = []
    state.order_listeners[2] = lambda order, event: received.append(
        (event.seq, order.state, order.leaves_lots, order.filled_lots)
    )
    first = venue.engine.last_seq + 1
    state.apply(
        venue.batch(
            [
                order(2, Side.BUY, 1_000, 5),
                order(3, Side.SELL, 1_000, 2),
                cancel(first),
                order(2, Side.BUY, 1_500, 5),
            ]
        )
    )
    assert received == [
        (first, "new", 5, 0),
        (first + 1, "partially_filled", 3, 2),
        (first + 2, "canceled", 0, 2),
        (first + 3, "rejected", 0, 0),
    ]


def test_a_reused_client_order_id_makes_no_order() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.batch(opening()))
    first = venue.engine.last_seq + 1
    state.apply(venue.batch([order(2, Side.BUY, 990, 1, client_order_id=b"a")]))
    state.apply(venue.batch([order(2, Side.BUY, 991, 1, client_order_id=b"a")]))
    assert state.orders.get(first) is not None
    assert state.orders.get(first + 1) is None


def test_keys_come_and_go_with_the_journal() -> None:
    venue, state = History(), VenueState()
    issued = KeyIssued(key_hash=key_hash("rex_x").hex(), account=2, name="desk", scopes=("read", "trade"))
    state.apply(venue.batch([*opening(), admin.record(SENDER, issued)]))
    key = state.find_key("rex_x")
    assert key is not None
    assert (key.account, key.name, key.scopes) == (2, "desk", frozenset({"read", "trade"}))
    assert state.find_key("rex_y") is None
    state.apply(venue.batch([admin.record(SENDER, KeyRevoked(key_id=key.key_id))]))
    assert state.find_key("rex_x") is None


def test_the_memory_of_ended_orders_is_bounded() -> None:
    venue, state = History(), VenueState()
    state.orders = VenueOrders(ended_limit=2)
    state.apply(venue.batch(opening()))
    first = venue.engine.last_seq + 1
    state.apply(venue.batch([order(2, Side.BUY, 2_000, 1)] * 3))
    assert [state.orders.get(first + n) is not None for n in range(3)] == [False, True, True]


def test_ended_orders_are_known_by_their_client_id_as_long_as_they_are_remembered() -> None:
    venue, state = History(), VenueState()
    state.orders = VenueOrders(ended_limit=2)
    state.apply(venue.batch(opening()))
    first = venue.engine.last_seq + 1
    ids = (b"a", b"b", b"c")
    state.apply(venue.batch([order(2, Side.BUY, 2_000, 1, client_order_id=client_id) for client_id in ids]))
    ended = [state.orders.known_as(2, client_id.decode()) for client_id in ids]
    assert [found and found.order_id for found in ended] == [None, first + 1, first + 2]
    assert state.orders.known_as(3, "c") is None
    assert not gc.is_tracked(state.orders._by_client_id[2]), "garbage collection walks every order"


def test_instruments_and_names_are_read_from_the_journal() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.batch(opening()))
    assert list(state.by_symbol) == ["ND-OX", "NDFEB-N42"]
    assert state.accounts[3].name == "trader 3"
    assert state.incarnation == history.JOURNAL_ID.hex()


def test_a_bust_gives_back_and_tells_both_accounts() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.batch(opening()))
    first = venue.engine.last_seq + 1
    before = {number: account.cash_fen for number, account in state.accounts.items()}
    state.apply(venue.batch([order(2, Side.SELL, 1_000, 2), order(3, Side.BUY, 1_000, 2)]))
    received: list[tuple[int, int, int]] = []
    for account in (2, 3):
        state.bust_listeners[account] = lambda account, event: received.append((account, event.seq, event.order_id))
    assert [state.accounts[account].day_fen for account in (2, 3)] == [2_000_000, 2_000_000]
    trade_id = first + 1 << 20 | 1
    state.apply(venue.batch([admin.bust_trade(SENDER, trade_id, BustText(reason="a mistake"))]))
    assert {number: account.cash_fen for number, account in state.accounts.items()} == before
    assert [state.accounts[account].holding(0).lots for account in (2, 3)] == [500, 500]
    assert [state.accounts[account].day_fen for account in (2, 3)] == [0, 0]
    assert received == [(3, first + 2, trade_id), (2, first + 2, trade_id)]
    taken_back = state.orders.get(first + 1)
    assert taken_back is not None
    assert (taken_back.state, taken_back.filled_lots) == ("filled", 2), "the order keeps telling what it did"


def test_a_rejection_is_told_with_the_numbers_of_its_moment() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.batch(opening()))
    first = venue.engine.last_seq + 1
    state.apply(venue.batch([order(2, Side.SELL, 1_000, 501), admin.change_inventory(SENDER, 2, 0, 100)]))
    rejected = state.orders.get(first)
    assert rejected is not None
    assert rejected.reason_text == "The account has too few lots available. Available: 500 lots of ND-OX."


def test_a_market_order_tells_how_far_it_may_go() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.batch(opening()))
    first = venue.engine.last_seq + 1
    market = order(2, Side.BUY, 0, 1, order_type=OrderType.MARKET, time_in_force=TimeInForce.IOC)
    state.apply(venue.batch([market]))
    found = state.orders.get(first)
    assert found is not None
    report = order_json(found, state.instruments)
    assert (report["price"], report["protection_price"], report["reason"]) == (None, "10500.00", "no_liquidity")
