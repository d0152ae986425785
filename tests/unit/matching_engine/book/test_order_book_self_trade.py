"""Self-trade prevention (rulebook 5): what an incoming order and one of its own group do by each mode."""

from __future__ import annotations

import pytest

from matching_engine.records import BookEvent, Reason, SelfTrade, TimeInForce
from tests.unit.matching_engine.book.book_talk import (
    BUY,
    GTC,
    IOC,
    MARKET,
    SELL,
    Queues,
    Talk,
    accepted,
    canceled,
    prevented,
    trade,
)

NEWEST, OLDEST, BOTH, DECREMENT = SelfTrade


@pytest.fixture
def talk() -> Talk:
    """Somebody's 5 lots, then the own iceberg of 9 that shows 4, then somebody's 3, all at 100."""
    talk = Talk()
    talk.sell(1, 5, 100, owner=9)
    talk.order(2, SELL, 9, 100, owner=7, display=4)
    talk.sell(3, 3, 100)
    return talk


BEGINS = [accepted(4, BUY, 12, 100), trade(4, BUY, 1, 5, 100, 7)]


@pytest.mark.parametrize("tif", [GTC, IOC])
def test_cancel_newest_ends_the_incoming_order_after_what_it_traded(talk: Talk, tif: TimeInForce) -> None:
    assert talk.buy(4, 12, 100, tif, owner=7) == [*BEGINS, prevented(4, BUY, 2, 7, 100)]
    assert (talk.bids(), talk.asks()) == ([], [(100, [(2, 4), (3, 3)])])


def test_cancel_oldest_ends_the_resting_order_and_the_incoming_goes_on(talk: Talk) -> None:
    events = [*BEGINS, prevented(2, SELL, 4, 9, 100), trade(4, BUY, 3, 3, 100, 4)]
    assert talk.order(4, BUY, 12, 100, owner=7, mode=OLDEST) == events
    assert (talk.bids(), talk.asks()) == ([(100, [(4, 4)])], [])
    assert talk.book.refills == 0


def test_cancel_both_ends_both(talk: Talk) -> None:
    events = [*BEGINS, prevented(2, SELL, 4, 9, 100), prevented(4, BUY, 2, 7, 100)]
    assert talk.order(4, BUY, 12, 100, owner=7, mode=BOTH) == events
    assert (talk.bids(), talk.asks()) == ([], [(100, [(3, 3)])])


def test_decrement_takes_what_is_shown_from_both_and_goes_on(talk: Talk) -> None:
    assert talk.order(4, BUY, 12, 100, owner=7, mode=DECREMENT) == [
        *BEGINS,
        prevented(2, SELL, 4, 4, 100, 5),
        prevented(4, BUY, 2, 4, 100, 3),
        trade(4, BUY, 3, 3, 100),
    ]
    assert (talk.bids(), talk.asks()) == ([], [(100, [(2, 4)])])


def test_decrement_meets_a_refilled_iceberg_again_until_one_has_nothing_left(talk: Talk) -> None:
    assert talk.order(4, BUY, 30, 100, IOC, owner=7, mode=DECREMENT) == [
        accepted(4, BUY, 30, 100),
        trade(4, BUY, 1, 5, 100, 25),
        prevented(2, SELL, 4, 4, 100, 5),
        prevented(4, BUY, 2, 4, 100, 21),
        trade(4, BUY, 3, 3, 100, 18),
        prevented(2, SELL, 4, 4, 100, 1),
        prevented(4, BUY, 2, 4, 100, 14),
        prevented(2, SELL, 4, 1, 100),
        prevented(4, BUY, 2, 1, 100, 13),
        canceled(4, BUY, 13, 100, Reason.IMMEDIATE_OR_CANCEL),
    ]
    assert (talk.bids(), talk.asks()) == ([], [])


def test_decrement_of_a_smaller_incoming_order_leaves_the_resting_one_in_place(talk: Talk) -> None:
    assert talk.order(4, BUY, 8, 100, owner=7, mode=DECREMENT) == [
        accepted(4, BUY, 8, 100),
        trade(4, BUY, 1, 5, 100, 3),
        prevented(2, SELL, 4, 3, 100, 6),
        prevented(4, BUY, 2, 3, 100),
    ]
    assert (talk.bids(), talk.asks()) == ([], [(100, [(2, 1), (3, 3)])])
    assert talk.book.order(2).filled_lots == 0  # type: ignore[union-attr]


def test_a_market_order_is_prevented_likewise() -> None:
    talk = Talk()
    talk.buy(1, 5, 100, owner=7)
    events = [accepted(2, SELL, 3, kind=MARKET), prevented(2, SELL, 1, 3, 0)]
    assert talk.market(2, SELL, 3, owner=7) == events
    assert talk.bids() == [(100, [(1, 5)])]


def test_own_orders_that_are_not_met_or_have_no_owner_prevent_nothing() -> None:
    talk = Talk()
    talk.sell(1, 5, 100, owner=9)
    talk.sell(2, 5, 101, owner=7)
    talk.sell(3, 5, 102)
    assert talk.buy(4, 5, 105, owner=7) == [accepted(4, BUY, 5, 105), trade(4, BUY, 1, 5, 100)]
    events = [accepted(5, BUY, 10, 105), trade(5, BUY, 2, 5, 101, 5), trade(5, BUY, 3, 5, 102)]
    assert talk.buy(5, 10, 105) == events


def test_an_amended_order_is_prevented_by_its_own_mode() -> None:
    talk = Talk()
    talk.order(1, BUY, 5, 90, owner=7, mode=OLDEST)
    talk.sell(2, 3, 100, owner=7)
    assert talk.amend(1, price=100)[1:] == [prevented(2, SELL, 1, 3, 100)]
    assert (talk.bids(), talk.asks()) == ([(100, [(1, 5)])], [])


@pytest.mark.parametrize(
    ("mode", "events", "bids", "asks"),
    [
        (NEWEST, [prevented(4, BUY, 2, 12, 101)], [], [(100, [(1, 5), (2, 4), (3, 3)]), (101, [(5, 2)])]),
        (OLDEST, [prevented(2, SELL, 4, 9, 100), prevented(5, SELL, 4, 2, 101)], [(101, [(4, 12)])], [(100, [(1, 5), (3, 3)])]),
        (BOTH, [prevented(2, SELL, 4, 9, 100), prevented(4, BUY, 2, 12, 101)], [], [(100, [(1, 5), (3, 3)]), (101, [(5, 2)])]),
        (
            DECREMENT,
            [
                prevented(2, SELL, 4, 4, 100, 5),
                prevented(4, BUY, 2, 4, 101, 8),
                prevented(2, SELL, 4, 4, 100, 1),
                prevented(4, BUY, 2, 4, 101, 4),
                prevented(2, SELL, 4, 1, 100),
                prevented(4, BUY, 2, 1, 101, 3),
                prevented(5, SELL, 4, 2, 101),
                prevented(4, BUY, 5, 2, 101, 1),
            ],
            [(101, [(4, 1)])],
            [(100, [(1, 5), (3, 3)])],
        ),
    ],
)  # fmt: skip
def test_in_a_call_auction_it_happens_at_entry_and_others_are_passed_over(
    talk: Talk, mode: SelfTrade, events: list[BookEvent], bids: Queues, asks: Queues
) -> None:
    talk.sell(5, 2, 101, owner=7)
    talk.collecting(True)
    assert talk.order(4, BUY, 12, 101, owner=7, mode=mode) == [accepted(4, BUY, 12, 101), *events]
    assert (talk.bids(), talk.asks()) == (bids, asks)
