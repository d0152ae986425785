"""The invariants every correct price-time book keeps, each from an empty book, both ways round.

Every command's whole list of events is compared, and after it best prices, levels and queues of both sides: `Mirror` does so.
"""

from __future__ import annotations

import pytest

from matching_engine.records import MAX_BOOK_PRICE_TICKS, MAX_QUANTITY_LOTS, BookEvent, Reason, Side
from tests.unit.matching_engine.book.book_talk import (
    BUY,
    IOC,
    SELL,
    Talk,
    accepted,
    canceled,
    rejected,
    trade,
)
from tests.unit.matching_engine.book.mirrored_book import Mirror


@pytest.fixture(params=[SELL, BUY], ids=["makers sell", "makers buy"])
def mirror(request: pytest.FixtureRequest) -> Mirror:
    return Mirror(request.param)


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ([1], [2, 3, 4, 5]),
        ([3], [1, 2, 4, 5]),
        ([5], [1, 2, 3, 4]),
        ([2, 4], [1, 3, 5]),
        ([5, 1, 3], [2, 4]),
        ([1, 2, 3, 4, 5], []),
    ],
)
def test_1_cancels_in_a_level_lose_none_of_the_others_and_keep_their_order(
    mirror: Mirror, gone: list[int], left: list[int]
) -> None:
    for order_id in range(1, 6):
        mirror.rest(order_id, 10 + order_id, 0)
    resting = list(range(1, 6))
    for order_id in gone:
        mirror.cancel(order_id, 10 + order_id, 0)
        resting.remove(order_id)
        mirror.book([(0, [(order, 10 + order) for order in resting])] if resting else [])
    assert resting == left
    if left:
        mirror.take(9, sum(10 + order for order in left), 0, [(order, 10 + order, 0) for order in left])
    mirror.book([])


def test_2_a_sweep_fills_the_best_price_first_at_the_makers_prices_and_an_exact_one_leaves_nothing(
    mirror: Mirror,
) -> None:
    mirror.rest(1, 5, 2)
    mirror.rest(2, 5, 0)
    mirror.rest(3, 5, 1)
    mirror.rest(4, 5, 0)
    mirror.book([(0, [(2, 5), (4, 5)]), (1, [(3, 5)]), (2, [(1, 5)])])
    mirror.take(9, 20, 50, [(2, 5, 0), (4, 5, 0), (3, 5, 1), (1, 5, 2)])
    mirror.book([])


def test_3_a_limit_stops_at_its_own_price_and_rests_there(mirror: Mirror) -> None:
    mirror.rest(1, 5, 0)
    mirror.rest(2, 5, 1)
    mirror.rest(3, 5, 2)
    mirror.take(9, 20, 1, [(1, 5, 0), (2, 5, 1)])
    mirror.book([(2, [(3, 5)])], [(1, [(9, 10)])])


def test_3_the_remainder_of_an_ioc_is_canceled_and_never_rests(mirror: Mirror) -> None:
    mirror.rest(1, 5, 0)
    mirror.rest(2, 5, 2)
    mirror.take(9, 20, 1, [(1, 5, 0)], ioc_left=15)
    mirror.book([(2, [(2, 5)])])
    mirror.unknown(9)
    mirror.take(10, 5, 1, [], ioc_left=5)
    mirror.book([(2, [(2, 5)])])


def test_4_a_remainder_becomes_the_new_best_and_can_be_filled(mirror: Mirror) -> None:
    mirror.rest(1, 5, 0)
    mirror.take(2, 8, 0, [(1, 5, 0)])
    mirror.book([], [(0, [(2, 3)])])
    mirror.take(3, 3, -9, [(2, 3, 0)], side=mirror.makers)
    mirror.book([])


def test_5_an_amend_that_crosses_trades_at_once_at_the_makers_price(mirror: Mirror) -> None:
    mirror.rest(1, 5, 0)
    mirror.rest(2, 5, 1)
    mirror.take(3, 4, -10, [])
    mirror.amend(3, -10, 0, 4, [(1, 4, 0)], side=mirror.takers, price=mirror.price(0))
    mirror.book([(0, [(1, 1)]), (1, [(2, 5)])])


def test_5_even_when_its_new_limit_is_better_than_the_makers_and_its_remainder_rests_there(mirror: Mirror) -> None:
    mirror.rest(1, 5, 0)
    mirror.rest(2, 5, 1)
    mirror.rest(4, 5, 9)
    mirror.take(3, 4, -10, [])
    fills = [(1, 5, 0), (2, 5, 1)]
    mirror.amend(3, -10, 7, 14, fills, side=mirror.takers, price=mirror.price(7), lots=14)
    mirror.book([(9, [(4, 5)])], [(7, [(3, 4)])])
    mirror.cancel(3, 4, 7, side=mirror.takers)
    mirror.book([(9, [(4, 5)])])


def test_6_amending_one_of_two_orders_leaves_the_other_where_it_was(mirror: Mirror) -> None:
    mirror.rest(1, 5, 0)
    mirror.rest(2, 6, 0)
    mirror.amend_in_place(1, 0, 3, lots=3)
    mirror.book([(0, [(1, 3), (2, 6)])])
    mirror.amend(1, 0, 0, 4, [], lots=4)
    mirror.book([(0, [(2, 6), (1, 4)])])
    mirror.amend(2, 0, 1, 6, [], price=mirror.price(1))
    mirror.book([(0, [(1, 4)]), (1, [(2, 6)])])
    mirror.amend(2, 1, 0, 2, [], price=mirror.price(0), lots=2)
    mirror.take(3, 6, 0, [(1, 4, 0), (2, 2, 0)])
    mirror.book([])


def test_6_likewise_an_iceberg_and_its_neighbour(mirror: Mirror) -> None:
    mirror.rest(1, 9, 0, display=3)
    mirror.rest(2, 6, 0)
    mirror.amend_in_place(1, 0, 5, shown=3, lots=5)  # what it hides goes first
    mirror.amend_in_place(1, 0, 3, lots=3)
    mirror.book([(0, [(1, 3), (2, 6)])])
    mirror.amend(1, 0, 0, 3, [], display=2)
    mirror.book([(0, [(2, 6), (1, 2)])])
    mirror.cancel(1, 3, 0)
    mirror.book([(0, [(2, 6)])])


def test_7_the_remainder_of_a_partly_filled_order_is_conserved_and_can_be_canceled(mirror: Mirror) -> None:
    mirror.rest(1, 10, 0)
    mirror.take(2, 4, 0, [(1, 4, 0)])
    mirror.book([(0, [(1, 6)])])
    mirror.cancel(1, 6, 0)
    mirror.book([])


def test_7_so_is_the_remainder_of_a_taker(mirror: Mirror) -> None:
    mirror.rest(1, 4, 0)
    mirror.take(2, 10, 0, [(1, 4, 0)])
    mirror.cancel(2, 6, 0, side=mirror.takers)
    mirror.book([])


def test_7_the_remainder_of_a_partly_filled_order_can_be_amended_its_fill_counted(mirror: Mirror) -> None:
    mirror.rest(1, 10, 0)
    mirror.take(2, 4, 0, [(1, 4, 0)])
    mirror.amend_in_place(1, 0, 5, lots=9)
    mirror.amend(1, 0, 0, 7, [], lots=11)
    mirror.amend(1, 0, 3, 7, [], price=mirror.price(3))
    below = [canceled(1, mirror.makers, 7, mirror.price(3), Reason.BELOW_FILLED)]
    assert mirror.talk.amend(1, lots=4) == below
    mirror.book([])
    assert mirror.talk.cancel(1) == [rejected(1, Reason.UNKNOWN_ORDER)]


def test_7_an_iceberg_trades_all_of_its_parts(mirror: Mirror) -> None:
    mirror.rest(1, 8, 0, display=3)
    mirror.rest(2, 2, 0)
    mirror.take(11, 3, 0, [(1, 3, 0)], refilled={1: 3})
    mirror.book([(0, [(2, 2), (1, 3)])])
    mirror.take(12, 6, 0, [(2, 2, 0), (1, 3, 0), (1, 1, 0)], refilled={1: 2})
    mirror.book([(0, [(1, 1)])])
    mirror.take(13, 5, 0, [(1, 1, 0)])
    mirror.book([], [(0, [(13, 4)])])


def test_8_cancel_or_amend_of_a_filled_canceled_or_never_issued_order_is_refused(mirror: Mirror) -> None:
    mirror.unknown(1)
    mirror.rest(1, 5, 0)
    mirror.unknown(2)
    mirror.take(2, 5, 0, [(1, 5, 0)])
    mirror.unknown(1)
    mirror.unknown(2)
    mirror.rest(3, 5, 0)
    mirror.cancel(3, 5, 0)
    mirror.unknown(3)
    mirror.book([])


def test_9_a_partly_consumed_maker_keeps_the_front_between_takers(mirror: Mirror) -> None:
    mirror.rest(1, 10, 0)
    mirror.rest(2, 10, 0)
    mirror.take(11, 3, 0, [(1, 3, 0)])
    mirror.book([(0, [(1, 7), (2, 10)])])
    mirror.take(12, 3, 0, [(1, 3, 0)])
    mirror.book([(0, [(1, 4), (2, 10)])])
    mirror.take(13, 6, 0, [(1, 4, 0), (2, 2, 0)])
    mirror.book([(0, [(2, 8)])])


def test_9_a_refilled_iceberg_goes_to_the_back_and_a_partly_shown_one_stays(mirror: Mirror) -> None:
    mirror.rest(1, 10, 0, display=4)
    mirror.rest(2, 5, 0)
    mirror.take(11, 3, 0, [(1, 3, 0)])
    mirror.book([(0, [(1, 1), (2, 5)])])
    mirror.take(12, 1, 0, [(1, 1, 0)], refilled={1: 4})
    mirror.book([(0, [(2, 5), (1, 4)])])


def test_10_canceling_the_best_level_leaves_no_phantom_best(mirror: Mirror) -> None:
    for order_id, n in ((1, 0), (2, 3), (3, 200), (4, 100_000)):
        mirror.rest(order_id, 5, n)
    mirror.cancel(1, 5, 0)
    mirror.book([(3, [(2, 5)]), (200, [(3, 5)]), (100_000, [(4, 5)])])
    mirror.cancel(2, 5, 3)
    mirror.book([(200, [(3, 5)]), (100_000, [(4, 5)])])
    mirror.take(9, 1, 199, [], ioc_left=1)
    mirror.cancel(3, 5, 200)
    mirror.cancel(4, 5, 100_000)
    mirror.book([])


def test_10_nor_does_amending_it_away(mirror: Mirror) -> None:
    mirror.rest(1, 5, 0)
    mirror.rest(2, 5, 3)
    mirror.amend(1, 0, 200, 5, [], price=mirror.price(200))
    mirror.book([(3, [(2, 5)]), (200, [(1, 5)])])
    mirror.take(9, 1, 2, [], ioc_left=1)
    mirror.book([(3, [(2, 5)]), (200, [(1, 5)])])


def test_11_an_id_may_be_used_again_after_its_order_ended_but_a_live_one_is_refused(mirror: Mirror) -> None:
    price = mirror.price(0)
    mirror.rest(1, 5, 0)
    again = mirror.talk.order(1, mirror.makers, 7, price)
    mirror.refuses(again, 1, Reason.DUPLICATE_ORDER_ID, quantity_lots=7, price_ticks=price)
    mirror.book([(0, [(1, 5)])])
    mirror.cancel(1, 5, 0)
    mirror.rest(1, 7, 1)
    mirror.take(2, 7, 1, [(1, 7, 1)])
    mirror.rest(1, 9, 2)
    mirror.book([(2, [(1, 9)])])


@pytest.mark.parametrize("edge", [MAX_BOOK_PRICE_TICKS - 70, -MAX_BOOK_PRICE_TICKS - 1])
@pytest.mark.parametrize("makers", [SELL, BUY])
def test_12_prices_at_the_edge_of_the_range_work_in_full(edge: int, makers: Side) -> None:
    talk = Talk()
    takers = Side(1 - makers)
    prices = [edge, edge + 1, edge + 69, edge + 70] if makers == SELL else [edge + 70, edge + 69, edge + 1, edge]
    for order_id, price in enumerate(prices, start=1):
        assert talk.order(order_id, makers, 5, price) == [accepted(order_id, makers, 5, price)]
    opposite = prices[0] - 1 if makers == SELL else prices[0] + 1
    side = talk.asks() if makers == SELL else talk.bids()
    assert side == [(price, [(order_id, 5)]) for order_id, price in enumerate(prices, start=1)]
    if -MAX_BOOK_PRICE_TICKS - 1 <= opposite <= MAX_BOOK_PRICE_TICKS:
        assert talk.order(8, takers, 1, opposite) == [accepted(8, takers, 1, opposite)]
        assert talk.cancel(8) == [canceled(8, takers, 1, opposite)]
    assert talk.order(9, takers, 20, prices[-1]) == [
        accepted(9, takers, 20, prices[-1]),
        *(trade(9, takers, order_id, 5, price, 20 - 5 * order_id) for order_id, price in enumerate(prices, start=1)),
    ]
    assert (talk.bids(), talk.asks()) == ([], [])


def test_12_both_ends_of_the_range_in_one_book() -> None:
    talk = Talk()
    low, high = -MAX_BOOK_PRICE_TICKS - 1, MAX_BOOK_PRICE_TICKS
    talk.buy(1, 1, low)
    talk.buy(2, 1, -1)
    talk.sell(3, 1, high)
    talk.sell(4, 1, 0)
    assert talk.bids() == [(-1, [(2, 1)]), (low, [(1, 1)])]
    assert talk.asks() == [(0, [(4, 1)]), (high, [(3, 1)])]
    assert talk.buy(5, 2, high) == [accepted(5, BUY, 2, high), trade(5, BUY, 4, 1, 0, 1), trade(5, BUY, 3, 1, high)]
    assert talk.sell(6, 2, low) == [accepted(6, SELL, 2, low), trade(6, SELL, 2, 1, -1, 1), trade(6, SELL, 1, 1, low)]
    assert (talk.bids(), talk.asks()) == ([], [])


def test_12_a_sweep_of_5_000_fills_at_one_price(mirror: Mirror) -> None:
    for order_id in range(1, 5_001):
        mirror.talk.order(order_id, mirror.makers, 2, mirror.price(0))
    mirror.says[mirror.makers][0] = [(order_id, 2) for order_id in range(1, 5_001)]
    mirror.rest(5_001, 2, 1)
    mirror.take(9_000, 10_000, 0, [(order_id, 2, 0) for order_id in range(1, 5_001)])
    mirror.book([(1, [(5_001, 2)])])


def test_13_the_largest_quantities_add_up_and_the_book_is_never_crossed(mirror: Mirror) -> None:
    largest = MAX_QUANTITY_LOTS
    for order_id in range(1, 101):
        mirror.rest(order_id, largest, 0)
    assert mirror.talk.book.best(0, mirror.makers) == (mirror.price(0), 100 * largest, 100)
    mirror.take(200, largest, 5, [(1, largest, 0)])
    mirror.take(201, largest - 1, 0, [(2, largest - 1, 0)])
    mirror.book([(0, [(2, 1), *((order_id, largest) for order_id in range(3, 101))])])
    mirror.rest(300, 1, 1)
    mirror.take(301, 1, -1, [])
    mirror.book(
        [(0, [(2, 1), *((order_id, largest) for order_id in range(3, 101))]), (1, [(300, 1)])], [(-1, [(301, 1)])]
    )


def test_14_duplicate_cancels_change_nothing(mirror: Mirror) -> None:
    mirror.rest(1, 5, 0)
    mirror.rest(2, 5, 0)
    mirror.cancel(1, 5, 0)
    for _ in range(3):
        mirror.unknown(1)
    mirror.take(3, 5, 0, [(2, 5, 0)])
    mirror.unknown(1)
    mirror.unknown(2)
    mirror.book([])


def test_14_stale_amends_change_nothing(mirror: Mirror) -> None:
    mirror.rest(1, 5, 0)
    mirror.rest(2, 5, 0)
    mirror.cancel(1, 5, 0)
    mirror.take(3, 5, 0, [(2, 5, 0)])
    mirror.rest(4, 5, 1)
    for order_id in (1, 2, 3, 99):
        mirror.unknown(order_id)
        late = mirror.talk.amend(order_id, price=mirror.price(-5))
        mirror.refuses(late, order_id, Reason.UNKNOWN_ORDER, price_ticks=mirror.price(-5))
    for _ in range(3):
        mirror.amend_in_place(4, 1, 5, lots=5)
    mirror.book([(1, [(4, 5)])])


def test_an_event_says_who() -> None:
    talk = Talk()
    talk.book.submit(1, 1, side=SELL, price_ticks=10, quantity_lots=5, account=7, owner=70)
    events = talk.book.submit(1, 2, side=BUY, price_ticks=10, quantity_lots=8, time_in_force=IOC, account=8, owner=80)
    assert [BookEvent(*event) for event in events] == [
        accepted(2, BUY, 8, 10)._replace(account=8),
        trade(2, BUY, 1, 5, 10, 3)._replace(account=8, maker_account=7),
        canceled(2, BUY, 3, 10, Reason.IMMEDIATE_OR_CANCEL)._replace(account=8),
    ]
