"""A book seen from one side, so that each scenario runs both ways round, and is compared whole after every command."""

from __future__ import annotations

from matching_engine.records import BookEvent, Reason, Side
from tests.unit.matching_engine.book.book_talk import (
    BUY,
    GTC,
    IOC,
    SELL,
    Queues,
    Talk,
    accepted,
    canceled,
    rejected,
    replaced,
    trade,
)

Fills = list[tuple[int, int, int]]


class Mirror:
    """`rest` is the makers' side, `take` the takers'; prices n rise away from the makers' best.

    The same scenario runs with sellers as makers (price 100 + n) and, mirrored, with buyers (price 100 - n). What a test says
    of a command (who trades with whom, what rests) is all that may happen: `says` holds what the book must be by now, and
    every command compares best prices, levels and queues of both sides with it.
    """

    def __init__(self, makers: Side) -> None:
        self.makers, self.takers = makers, Side(1 - makers)
        self.talk = Talk()
        self.says: dict[Side, dict[int, list[tuple[int, int]]]] = {BUY: {}, SELL: {}}

    def price(self, n: int) -> int:
        return 100 + n if self.makers == SELL else 100 - n

    def rest(self, order_id: int, lots: int, n: int, display: int = 0, side: Side | None = None) -> None:
        """An order that trades with nobody; an iceberg shows `display` lots."""
        side = self.makers if side is None else side
        price = self.price(n)
        assert self.talk.order(order_id, side, lots, price, display=display) == [accepted(order_id, side, lots, price)]
        self._rests(side, n, order_id, display or lots)
        self._compare()

    def take(
        self,
        order_id: int,
        lots: int,
        n: int,
        fills: Fills,
        ioc_left: int = 0,
        side: Side | None = None,
        refilled: dict[int, int] | None = None,
    ) -> None:
        """A taker with limit n trades (maker, lots, n) in turn and rests; `ioc_left` makes it IOC with that canceled. The
        icebergs `refilled` (order_id: lots) show so many lots next, at the end of their queue, when a fill has used up what
        they showed."""
        side = self.takers if side is None else side
        price = self.price(n)
        events = [accepted(order_id, side, lots, price), *self._trades(order_id, side, lots, fills, refilled)]
        left = lots - sum(lots for _, lots, _ in fills)
        if ioc_left:
            assert left == ioc_left
            events.append(canceled(order_id, side, ioc_left, price, Reason.IMMEDIATE_OR_CANCEL))
        elif left:
            self._rests(side, n, order_id, left)
        assert self.talk.order(order_id, side, lots, price, IOC if ioc_left else GTC) == events
        self._compare()

    def amend_in_place(self, order_id: int, n: int, left: int, shown: int | None = None, **changes: int) -> None:
        """An amend that keeps the order's place and leaves it `left` lots."""
        assert self.talk.amend(order_id, **changes) == [replaced(order_id, self.makers, left, self.price(n))]
        queue = self.says[self.makers][n]
        self.says[self.makers][n] = [(i, (shown or left) if i == order_id else lots) for i, lots in queue]
        self._compare()

    def amend(
        self, order_id: int, was: int, n: int, left: int, fills: Fills, side: Side | None = None, **changes: int
    ) -> None:
        """An amend that takes the order, at n by now and at `was` before, out of its queue and in again with `left` lots."""
        side = self.makers if side is None else side
        self._leaves(side, was, order_id)
        events = [replaced(order_id, side, left, self.price(n)), *self._trades(order_id, side, left, fills)]
        rest = left - sum(lots for _, lots, _ in fills)
        if rest:
            self._rests(side, n, order_id, min(rest, changes.get("display", 0) or rest))
        assert self.talk.amend(order_id, **changes) == events
        self._compare()

    def cancel(self, order_id: int, lots: int, n: int, side: Side | None = None) -> None:
        side = self.makers if side is None else side
        assert self.talk.cancel(order_id) == [canceled(order_id, side, lots, self.price(n))]
        self._leaves(side, n, order_id)
        self._compare()

    def refuses(self, events: list[BookEvent], order_id: int, reason: Reason, **fields: int) -> None:
        """What has just been answered was refused and changed nothing."""
        assert [event._replace(side=BUY) for event in events] == [rejected(order_id, reason)._replace(**fields)]
        self._compare()

    def unknown(self, order_id: int) -> None:
        """Neither cancel nor amend knows the order."""
        self.refuses(self.talk.cancel(order_id), order_id, Reason.UNKNOWN_ORDER)
        self.refuses(self.talk.amend(order_id, lots=1), order_id, Reason.UNKNOWN_ORDER, quantity_lots=1)

    def book(self, resting: Queues, taking: Queues | None = None) -> None:
        """Both sides whole: levels as (n, [(order_id, lots), ...]), best first."""
        sides = {BUY: self.talk.bids(), SELL: self.talk.asks()}
        assert sides[self.makers] == [(self.price(n), queue) for n, queue in resting]
        assert sides[self.takers] == [(self.price(n), queue) for n, queue in taking or []]

    def _trades(
        self, order_id: int, side: Side, lots: int, fills: Fills, refilled: dict[int, int] | None = None
    ) -> list[BookEvent]:
        events = []
        parts = dict(refilled or {})
        for maker, traded, at in fills:
            lots -= traded
            events.append(trade(order_id, side, maker, traded, self.price(at), lots))
            queue = self.says[Side(1 - side)][at]
            assert queue[0][0] == maker  # a test that says otherwise is wrong itself
            queue[0] = (maker, queue[0][1] - traded)
            if queue[0][1] == 0:
                self._leaves(Side(1 - side), at, maker)
                if maker in parts:
                    self._rests(Side(1 - side), at, maker, parts.pop(maker))
        return events

    def _rests(self, side: Side, n: int, order_id: int, lots: int) -> None:
        self.says[side].setdefault(n, []).append((order_id, lots))

    def _leaves(self, side: Side, n: int, order_id: int) -> None:
        self.says[side][n] = [entry for entry in self.says[side][n] if entry[0] != order_id]
        if not self.says[side][n]:
            del self.says[side][n]

    def _compare(self) -> None:
        book = self.talk.book
        for side, levels in self.says.items():
            best_first = sorted(levels, reverse=side == self.takers)
            depth = [(self.price(n), sum(lots for _, lots in levels[n]), len(levels[n])) for n in best_first]
            assert book.depth(0, side, 1_000) == depth
            assert book.best(0, side) == (depth[0] if depth else None)
            for n in best_first:
                queue = [(order.order_id, order.shown_lots) for order in book.orders_at(0, side, self.price(n))]
                assert queue == levels[n]
