"""Tests of the oracle, where a mistake is likely: expectations by hand, or by a search of every price."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.records import (
    ALL_INSTRUMENTS,
    Command,
    CommandKind,
    Event,
    EventKind,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)
from tests.model.naive_engine import NaiveEngine
from tests.model.naive_queues import auction
from tests.property.engine_flow import numbered, venue

BUY, SELL = Side
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
TRADE, CANCELED, SELF_TRADE_PREVENTED = EventKind.TRADE, EventKind.CANCELED, EventKind.SELF_TRADE_PREVENTED
book_side = st.dictionaries(st.integers(3, 17), st.integers(1, 4), max_size=6)


class Venue:
    """The flow's small venue: instruments at 100 ticks ± 5 %, accounts 2 to 6, of which 3 and 4 are of one owner."""

    def __init__(self) -> None:
        self.engine = NaiveEngine()
        for command in numbered(venue()):
            self.engine.submit(command)

    def submit(self, kind: CommandKind, **fields: Any) -> list[Event]:
        return self.engine.submit(Command(seq=self.engine.last_seq + 1, kind=kind, **fields))

    def order(self, account: int, side: Side, lots: int, price: int, **fields: Any) -> int:
        """Returns the order's id; its events are in `events`."""
        given = {"order_type": OrderType.LIMIT, "time_in_force": GTC} | fields
        self.events = self.submit(
            CommandKind.NEW_ORDER, account=account, side=side, quantity_lots=lots, price_ticks=price, **given
        )
        return self.engine.last_seq

    def kinds(self) -> list[int]:
        return [event.kind for event in self.events if event.kind != EventKind.LEVEL]


@pytest.mark.parametrize(
    ("buys", "sells", "reference", "expected"),
    [
        ({}, {100: 1}, 100, (0, 0, 0)),
        ({99: 5}, {100: 5}, 100, (0, 0, 0)),
        ({102: 10, 100: 5}, {99: 8, 101: 4}, 100, (101, 10, -2)),
        ({105: 10, 100: 5}, {100: 10}, 103, (103, 10, 0)),
        ({105: 10, 100: 5}, {100: 10}, 90, (101, 10, 0)),
        ({105: 10, 100: 5}, {100: 10}, 200, (105, 10, 0)),
        ({101: 10, 100: 2}, {100: 10, 101: 2}, 50, (100, 10, 2)),
        ({101: 10, 100: 2}, {100: 10, 101: 2}, 150, (101, 10, -2)),
    ],
)
def test_the_auction_price(
    buys: dict[int, int], sells: dict[int, int], reference: int, expected: tuple[int, int, int]
) -> None:
    assert auction(buys, sells, reference) == expected


@given(book_side, book_side, st.integers(1, 20))
def test_no_tick_is_a_better_auction_price(buys: dict[int, int], sells: dict[int, int], reference: int) -> None:
    ranked = []
    for price in range(1, 21):
        bought = sum(buys.get(p, 0) for p in range(price, 21))
        sold = sum(sells.get(p, 0) for p in range(1, price + 1))
        volume, imbalance = min(bought, sold), bought - sold
        ranked.append((volume, -abs(imbalance), -abs(price - reference), price, imbalance))
    volume, _, _, price, imbalance = max(ranked)
    assert auction(buys, sells, reference) == ((price, volume, imbalance) if volume else (0, 0, 0))


@pytest.mark.parametrize(
    ("lots", "mode", "fills"),
    [
        (5, SelfTrade.CANCEL_NEWEST, [5]),  # The iceberg's shown part.
        (6, SelfTrade.CANCEL_NEWEST, None),  # Next is the order of its own group.
        (6, SelfTrade.DECREMENT, None),
        (
            28,
            SelfTrade.CANCEL_OLDEST,
            [5, 3, 5, 5, 5, 5],
        ),  # The own order is canceled; the refills queue behind the 3 lots of the other order.
        (29, SelfTrade.CANCEL_OLDEST, None),
    ],
)
def test_what_a_fok_order_counts(lots: int, mode: SelfTrade, fills: list[int] | None) -> None:
    v = Venue()
    v.order(2, SELL, 25, 100, display_lots=5)
    v.order(3, SELL, 10, 100)
    v.order(5, SELL, 3, 100)
    v.order(4, BUY, lots, 100, time_in_force=FOK, self_trade=mode)
    trades = [event.quantity_lots for event in v.events if event.kind == TRADE]
    if fills is None:
        assert v.kinds() == [EventKind.ACCEPTED, CANCELED]
        assert v.events[1].reason == Reason.FILL_OR_KILL
    else:
        assert trades == fills


@pytest.mark.parametrize(
    ("mode", "expected", "left"),
    [
        (SelfTrade.CANCEL_NEWEST, [("new", 8, 0)], 12),
        (SelfTrade.CANCEL_OLDEST, [("old", 12, 0)], 0),
        (SelfTrade.CANCEL_BOTH, [("old", 12, 0), ("new", 8, 0)], 0),
        (
            SelfTrade.DECREMENT,
            [("old", 5, 7), ("new", 5, 3), ("old", 3, 4), ("new", 3, 0)],
            4,
        ),
    ],
)
@pytest.mark.parametrize("phase", [Phase.CONTINUOUS, Phase.CALL_AUCTION])
def test_self_trade_prevention(mode: SelfTrade, expected: list[tuple[str, int, int]], left: int, phase: Phase) -> None:
    """An iceberg of 12 that shows 5 meets an order of 8 of its own group, at entry and in the call phase alike."""
    v = Venue()
    v.submit(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=phase)
    old = v.order(3, SELL, 12, 100, display_lots=5)
    new = v.order(4, BUY, 8, 101, self_trade=mode)
    names = {old: ("old", new), new: ("new", old)}
    prevented = [event for event in v.events if event.kind == SELF_TRADE_PREVENTED]
    assert [(names[e.order_id][0], e.quantity_lots, e.leaves_lots) for e in prevented] == expected
    assert all(e.maker_order_id == names[e.order_id][1] and e.reason == Reason.SELF_TRADE for e in prevented)
    remaining = v.engine.orders.get(old)
    assert (remaining.leaves if remaining else 0) == left
    assert (new in v.engine.orders) == (mode == SelfTrade.CANCEL_OLDEST)


def test_an_uncrossing_goes_by_price_and_time_at_one_price() -> None:
    """B(100) = 12, S(100) = 15, and nothing better: 12 lots at 100, the second sell in two slices around the third."""
    v = Venue()
    v.submit(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CALL_AUCTION)
    late = v.order(2, BUY, 4, 100)
    early = v.order(5, BUY, 8, 102)
    first = v.order(6, SELL, 3, 98)
    iceberg = v.order(3, SELL, 10, 100, display_lots=4)
    last = v.order(6, SELL, 2, 100)
    events = v.submit(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.AUCTION_MATCHING)
    trades = [(e.order_id, e.maker_order_id, e.quantity_lots, e.price_ticks) for e in events if e.kind == TRADE]
    assert trades == [
        (early, first, 3, 100),
        (early, iceberg, 4, 100),
        (early, last, 1, 100),
        (late, last, 1, 100),
        (late, iceberg, 3, 100),
    ]
    assert [(e.side, e.price_ticks, e.quantity_lots, e.number) for e in events if e.kind == EventKind.LEVEL] == [
        (BUY, 102, 0, 0),
        (SELL, 98, 0, 0),
        (SELL, 100, 1, 1),
        (BUY, 100, 0, 0),
    ]
