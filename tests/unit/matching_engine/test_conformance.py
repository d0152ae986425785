"""The invariants every correct price-time book keeps, each from an empty book, both ways round.

Every command's whole list of events is compared, and the whole book after it. Amending (invariants 5 and 6) comes with
the order that can be amended; what they ask of a book today, that others keep their place, is in invariant 1.
"""

from __future__ import annotations

import pytest

from matching_engine.records import MAX_BOOK_PRICE_TICKS, MAX_QUANTITY_LOTS, BookEvent, Reason, Side
from tests.unit.matching_engine.book_talk import (
    BUY,
    IOC,
    SELL,
    Talk,
    accepted,
    canceled,
    rejected,
    trade,
)

Queues = list[tuple[int, list[tuple[int, int]]]]


class Mirror:
    """A book seen from one side: `rest` is the makers' side, `take` the takers'; prices rise away from the makers' best.

    The same scenario runs with sellers as makers (price 100 + n) and, mirrored, with buyers (price 100 - n).
    """

    def __init__(self, makers: Side) -> None:
        self.makers, self.takers = makers, Side(1 - makers)
        self.talk = Talk()

    def price(self, n: int) -> int:
        return 100 + n if self.makers == SELL else 100 - n

    def rest(self, order_id: int, lots: int, n: int) -> None:
        price = self.price(n)
        assert self.talk.order(order_id, self.makers, lots, price) == [accepted(order_id, self.makers, lots, price)]

    def take(self, order_id: int, lots: int, n: int, fills: list[tuple[int, int, int]], ioc_left: int = 0) -> None:
        """A taker with limit n trades (maker, lots, n) in turn; `ioc_left` makes it IOC with that remainder canceled."""
        price = self.price(n)
        events = [accepted(order_id, self.takers, lots, price)]
        events += [trade(order_id, self.takers, maker, lots, self.price(at)) for maker, lots, at in fills]
        if ioc_left:
            events.append(canceled(order_id, self.takers, ioc_left, price, Reason.IMMEDIATE_OR_CANCEL))
            assert self.talk.order(order_id, self.takers, lots, price, IOC) == events
        else:
            assert self.talk.order(order_id, self.takers, lots, price) == events

    def cancel(self, order_id: int, lots: int, n: int, side: Side | None = None) -> None:
        side = self.makers if side is None else side
        assert self.talk.cancel(order_id) == [canceled(order_id, side, lots, self.price(n))]

    def unknown(self, order_id: int) -> None:
        before = (self.talk.bids(), self.talk.asks())
        assert self.talk.cancel(order_id) == [rejected(order_id, Reason.UNKNOWN_ORDER)]
        assert (self.talk.bids(), self.talk.asks()) == before

    def book(self, resting: Queues, taking: Queues | None = None) -> None:
        """Both sides whole: levels as (n, [(order_id, lots), ...]), best first."""
        sides = {BUY: self.talk.bids(), SELL: self.talk.asks()}
        assert sides[self.makers] == [(self.price(n), queue) for n, queue in resting]
        assert sides[self.takers] == [(self.price(n), queue) for n, queue in taking or []]


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
    maker_side = mirror.makers
    assert mirror.talk.order(3, maker_side, 3, mirror.price(-9)) == [
        accepted(3, maker_side, 3, mirror.price(-9)),
        trade(3, maker_side, 2, 3, mirror.price(0)),
    ]
    mirror.book([])


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


def test_8_cancel_of_a_filled_canceled_or_never_issued_order_is_refused(mirror: Mirror) -> None:
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


def test_11_an_id_may_be_used_again_after_its_order_ended_but_a_live_one_is_refused(mirror: Mirror) -> None:
    makers, price = mirror.makers, mirror.price(0)
    mirror.rest(1, 5, 0)
    assert mirror.talk.order(1, makers, 7, price) == [rejected(1, Reason.DUPLICATE_ORDER_ID, makers, 7, price)]
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
        *(trade(9, takers, order_id, 5, price) for order_id, price in enumerate(prices, start=1)),
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
    assert talk.buy(5, 2, high) == [accepted(5, BUY, 2, high), trade(5, BUY, 4, 1, 0), trade(5, BUY, 3, 1, high)]
    assert talk.sell(6, 2, low) == [accepted(6, SELL, 2, low), trade(6, SELL, 2, 1, -1), trade(6, SELL, 1, 1, low)]
    assert (talk.bids(), talk.asks()) == ([], [])


def test_12_a_sweep_of_5_000_fills_at_one_price(mirror: Mirror) -> None:
    for order_id in range(1, 5_001):
        mirror.rest(order_id, 2, 0)
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


def test_an_event_says_who_and_gives_the_tags_back() -> None:
    talk = Talk()
    maker = {"account": 7, "owner": 70, "tag": -1}
    taker = {"account": 8, "owner": 80, "tag": 99}
    talk.book.submit(1, 1, side=SELL, price_ticks=10, quantity_lots=5, **maker)
    events = talk.book.submit(1, 2, side=BUY, price_ticks=10, quantity_lots=8, time_in_force=IOC, **taker)
    own = {"account": 8, "tag": 99}
    assert [BookEvent(*event) for event in events] == [
        accepted(2, BUY, 8, 10)._replace(**own),
        trade(2, BUY, 1, 5, 10)._replace(account=8, maker_account=7, tag=-1),
        canceled(2, BUY, 3, 10, Reason.IMMEDIATE_OR_CANCEL)._replace(**own),
    ]
