"""Laws of the order book: for any commands it equals the naive book, event for event and order for order."""

from __future__ import annotations

import random
from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine import OrderBook
from matching_engine.book.library import OpenOrder
from matching_engine.records import (
    BOOK_COMMAND,
    BOOK_EVENT,
    MAX_BOOK_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    BookCommand,
    BookEvent,
    CommandKind,
    EventKind,
    Flag,
    OrderType,
    Side,
    TimeInForce,
)
from tests.model.naive_book import Fields, NaiveBook, NaiveOrder

INSTRUMENTS = 2
FEWEST, MOST = 12, 60
"""The steps of a flow. Without a least number Hypothesis draws five of them, which hardly meet."""

law = settings(deadline=None, max_examples=200)


class Phase(NamedTuple):
    """A call auction of an instrument begins or ends; a call of the book, not a command."""

    instrument: int
    on: bool
    reference_ticks: int


Step = Fields | Phase

narrow_prices = st.integers(-3, 3)
wide_prices = st.one_of(
    narrow_prices,
    st.sampled_from([63, 64, 2_048, 4_096, -4_097, 131_072, 2**40, 2**61, -(2**61), -(2**61) - 1]),
    st.integers(-MAX_BOOK_PRICE_TICKS - 1, -MAX_BOOK_PRICE_TICKS + 100),
    st.integers(MAX_BOOK_PRICE_TICKS - 100, MAX_BOOK_PRICE_TICKS),
)
any_number = st.integers(-(2**63), 2**63 - 1)


def fields(
    order_id: int = 0,
    price: int = 0,
    trigger: int = 0,
    lots: int = 0,
    display: int = 0,
    owner: int = 0,
    instrument: int = 0,
    kind: int = CommandKind.NEW_ORDER,
    side: int = 0,
    order_type: int = OrderType.LIMIT,
    tif: int = TimeInForce.GTC,
    self_trade: int = 0,
    flags: int = 0,
) -> Fields:
    """The values of a BOOK_COMMAND. The account follows from the owner, so that events identify it."""
    return (
        order_id, price, trigger, lots, display, 10 + owner, owner, instrument, kind, side, order_type, tif, self_trade, flags,
    )  # fmt: skip


ids = st.integers(1, 12)
few_lots = st.integers(1, 9)
common = {
    "order_id": ids,
    "lots": few_lots,
    "owner": st.sampled_from([0, 0, 1, 2]),
    "instrument": st.sampled_from([0, 0, 0, 1]),
    "side": st.integers(0, 1),
    "self_trade": st.integers(0, 3),
}
rest = st.sampled_from([TimeInForce.DAY, TimeInForce.GTC])
at_once = st.sampled_from([TimeInForce.IOC, TimeInForce.FOK])


def orders(prices: st.SearchStrategy[int]) -> st.SearchStrategy[Fields]:
    """New orders that are valid, except for a used id or a wrong phase."""
    limit = st.builds(fields, **common, price=prices, tif=rest | at_once)
    iceberg = st.builds(fields, **common, price=prices, tif=rest, display=st.integers(1, 4))
    post_only = st.builds(
        fields, **common, price=prices, tif=rest, display=st.integers(0, 2), flags=st.just(Flag.POST_ONLY)
    )
    market = st.builds(fields, **common, order_type=st.just(OrderType.MARKET), tif=at_once)
    stop = st.builds(fields, **common, order_type=st.just(OrderType.STOP), tif=rest, trigger=prices)
    stop_limit = st.builds(
        fields, **common, order_type=st.just(OrderType.STOP_LIMIT), tif=rest, trigger=prices, price=prices
    )
    return st.one_of(limit, limit, limit, iceberg, iceberg, post_only, market, stop, stop_limit)


def amends(prices: st.SearchStrategy[int]) -> st.SearchStrategy[Fields]:
    """Amends with the fields that their flags name, sometimes with another one."""

    def amend(order_id: int, flags: int, price: int, lots: int, display: int, trigger: int, strict: bool) -> Fields:
        keep = [not strict or bool(flags & flag) for flag in (2, 4, 8, 16)]
        return fields(
            order_id, price * keep[0], trigger * keep[3], lots * keep[1], display * keep[2],
            kind=CommandKind.AMEND, flags=flags,
        )  # fmt: skip

    flags = st.sampled_from([2, 4, 4, 6, 8, 12, 14, 16, 18, 20, 30]) | st.integers(0, 255)
    return st.builds(
        amend, ids, flags, prices, few_lots, st.integers(0, 4), prices, st.sampled_from([True] * 9 + [False])
    )


cancels = st.builds(fields, order_id=ids, kind=st.just(CommandKind.CANCEL))
byte = st.integers(0, 255)
hostile = st.tuples(
    ids | st.integers(0, 2**64 - 1),
    narrow_prices | any_number,
    narrow_prices | any_number,
    few_lots | st.sampled_from([0, MAX_QUANTITY_LOTS, MAX_QUANTITY_LOTS + 1, 2**32 - 1]),
    st.integers(0, 9) | st.sampled_from([MAX_QUANTITY_LOTS // 100, 2**32 - 1]),
    st.integers(0, 3),
    st.sampled_from([0, 0, 1, 2**32 - 1]),
    st.integers(0, INSTRUMENTS) | st.just(65_535),
    st.sampled_from([1, 1, 1, 2, 3]) | byte,
    st.integers(0, 1) | byte,
    st.integers(1, 4) | byte,
    st.integers(1, 5) | byte,
    st.integers(0, 3) | byte,
    st.sampled_from([0, 0, 1, 4]) | byte,
)


def command(prices: st.SearchStrategy[int]) -> st.SearchStrategy[Fields]:
    return st.one_of(*[orders(prices)] * 5, amends(prices), cancels, hostile)


def commands(prices: st.SearchStrategy[int]) -> st.SearchStrategy[list[Fields]]:
    return st.lists(command(prices), min_size=FEWEST, max_size=MOST)


def steps(prices: st.SearchStrategy[int]) -> st.SearchStrategy[list[Step]]:
    """Commands, and call auctions that begin and end."""
    phases = st.builds(Phase, st.sampled_from([0, 0, 1]), st.booleans(), prices)
    return st.lists(st.one_of(*[command(prices)] * 8, phases), min_size=FEWEST, max_size=MOST)


def changed(row: Fields, name: str, data: bytes) -> Fields:
    """The row of a command with other bytes in one field."""
    place = BookCommand._fields.index(name)
    [value] = np.frombuffer(data, BOOK_COMMAND[name], 1).tolist()
    return (*row[:place], value, *row[place + 1 :])


any_bytes = st.binary(min_size=8, max_size=8)  # for the widest field
sound = orders(narrow_prices)
spoilt = st.builds(changed, sound | cancels, st.sampled_from(BookCommand._fields), any_bytes)


def as_array(flow: list[Fields]) -> np.ndarray:
    return np.array(flow, BOOK_COMMAND)


def account_of(order: object) -> dict[str, int]:
    """The fields of an open order that both books have."""
    if isinstance(order, NaiveOrder):
        return {
            "order_id": order.order_id, "price_ticks": order.price_ticks, "shown_lots": order.shown,
            "quantity_lots": order.open, "display_lots": order.display, "filled_lots": order.filled,
            "trigger_ticks": order.trigger_ticks or 0, "order_type": order.order_type, "flags": order.flags,
            "self_trade": order.self_trade, "account": order.account, "owner": order.owner,
            "time_in_force": order.time_in_force,
        }  # fmt: skip
    assert isinstance(order, OpenOrder)
    return {name: value for name, value in order._asdict().items() if name not in ("instrument", "side")}


def same_books(book: OrderBook, naive: NaiveBook) -> None:
    assert len(book) == len(naive.resting) + len(naive.waiting)
    refills = 0
    for instrument in range(naive.instruments):
        stops = naive.in_trigger_order([order for order in naive.waiting if order.instrument == instrument])
        for side in Side:
            queue = naive.queue(instrument, side)
            prices = list(dict.fromkeys(order.price_ticks for order in queue))
            levels = [[order for order in queue if order.price_ticks == price] for price in prices]
            depth = [(level[0].price_ticks, sum(order.shown for order in level), len(level)) for level in levels]
            assert book.depth(instrument, side, 1_000) == depth
            assert book.best(instrument, side) == (depth[0] if depth else None)
            for level in levels:
                found = book.orders_at(instrument, side, level[0].price_ticks)
                assert [account_of(order) for order in found] == [account_of(order) for order in level]
            waiting = [account_of(order) for order in stops if order.side == side]
            assert [account_of(order) for order in book.waiting_stops(instrument, side)] == waiting
            refills += sum(-(-order.hidden // order.display) for order in queue if order.display)
    assert book.refills == refills
    assert book.stops == len(naive.waiting)


def step(book: OrderBook, what: Step) -> list[BookEvent]:
    if isinstance(what, Phase):
        return [BookEvent(*event) for event in book.collecting(*what)]
    order_id, price, trigger, lots, display, account, owner, instrument, kind, side, order_type, tif, mode, flags = what
    events = book.submit(
        kind, order_id, instrument, side, price, lots, order_type, tif, mode, flags, account, owner, display, trigger
    )
    return [BookEvent(*event) for event in events]


def naive_step(naive: NaiveBook, what: Step) -> list[BookEvent]:
    return naive.collecting(*what) if isinstance(what, Phase) else naive.apply(what)


@settings(deadline=None, max_examples=500)
@given(steps(narrow_prices) | steps(wide_prices))
def test_every_command_does_what_it_does_in_the_naive_book(flow: list[Step]) -> None:
    book, naive = OrderBook(INSTRUMENTS), NaiveBook(INSTRUMENTS)
    for what in flow:
        assert step(book, what) == naive_step(naive, what)
        same_books(book, naive)


@law
@given(commands(narrow_prices) | commands(wide_prices), st.integers(0, 60))
def test_where_a_batch_ends_changes_nothing(flow: list[Fields], cut: int) -> None:
    whole, cut_up, naive = OrderBook(INSTRUMENTS), OrderBook(INSTRUMENTS), NaiveBook(INSTRUMENTS)
    array = as_array(flow)
    events = whole.process(array)
    assert events.tobytes() == cut_up.process(array[:cut]).tobytes() + cut_up.process(array[cut:]).tobytes()
    assert [BookEvent(*event) for event in events.tolist()] == [e for what in flow for e in naive.apply(what)]


@pytest.mark.hypothesis
def test_any_bytes_in_any_field_are_answered_like_anything_else() -> None:
    answers: Counter[tuple[bool, EventKind]] = Counter()  # of sound and of spoilt rows

    @law
    @given(
        st.lists(st.tuples(st.just(False), sound) | st.tuples(st.just(True), spoilt), min_size=FEWEST, max_size=MOST)
    )
    def answered(flow: list[tuple[bool, Fields]]) -> None:
        book, naive = OrderBook(INSTRUMENTS), NaiveBook(INSTRUMENTS)
        for is_spoilt, row in flow:
            events = [BookEvent(*event) for event in book.process(as_array([row])).tolist()]
            assert events == naive.apply(row)
            answers.update((is_spoilt, EventKind(event.kind)) for event in events)
        same_books(book, naive)

    answered()
    for is_spoilt in (False, True):
        for kind in (EventKind.ACCEPTED, EventKind.TRADE, EventKind.REJECTED):
            assert answers[is_spoilt, kind] > 20, "the law was tried on next to nothing"


@law
@given(steps(narrow_prices))
def test_quantities_add_up_and_the_book_is_crossed_in_a_call_auction_only(flow: list[Step]) -> None:
    book = OrderBook(INSTRUMENTS)
    left: dict[int, int] = {}  # accepted, and neither traded nor ended since
    calls: set[int] = set()
    for what in flow:
        if isinstance(what, Phase):
            calls = calls | {what.instrument} if what.on else calls - {what.instrument}
        for event in step(book, what):
            if event.kind in (EventKind.ACCEPTED, EventKind.REPLACED):
                left[event.order_id] = event.quantity_lots
            elif event.kind == EventKind.TRADE:
                left[event.order_id] -= event.quantity_lots
                left[event.maker_order_id] -= event.quantity_lots
                assert left[event.order_id] == event.leaves_lots
            elif event.kind in (EventKind.CANCELED, EventKind.SELF_TRADE_PREVENTED):
                left[event.order_id] -= event.quantity_lots
                assert left[event.order_id] == event.leaves_lots
        resting = {order_id: lots for order_id, lots in left.items() if lots}
        for order_id, lots in resting.items():
            order = book.order(order_id)
            assert order is not None
            assert order.quantity_lots == lots
        assert len(book) == len(resting)
        for instrument in set(range(INSTRUMENTS)) - calls:
            bid, ask = book.best(instrument, Side.BUY), book.best(instrument, Side.SELL)
            assert bid is None or ask is None or bid[0] < ask[0]


@pytest.mark.parametrize("spread", [20, 5_000, 2**30, 2**61])
def test_a_long_walk_of_prices_agrees_with_the_naive_book(spread: int) -> None:
    """Pages, nodes, slots and table entries are reused many times; the price trees of orders and of stops grow and shrink."""
    draw = random.Random(spread)
    flow: list[Fields] = []
    center = 0
    for order_id in range(1, 3_001):
        if order_id % 500 == 0:
            center = draw.randrange(-spread, spread)
        price = center + draw.choice([draw.randrange(-spread, spread), draw.randrange(-20, 20)])
        lots, side = draw.randrange(1, 9), draw.randrange(2)
        if draw.random() < 0.1:
            flow.append(fields(order_id, price, price, lots, side=side, order_type=OrderType.STOP_LIMIT))
        else:
            tif = draw.choice([1, 2, 3])
            display = draw.choice([0, 0, 1]) if tif < TimeInForce.IOC else 0
            flow.append(fields(order_id, price, 0, lots, display, side=side, tif=tif))
        target = draw.randrange(max(1, order_id - 60), order_id + 1)
        if draw.random() < 0.7:
            flow.append(fields(target, kind=CommandKind.CANCEL))
        elif draw.random() < 0.3:
            flow.append(fields(target, price + 1, kind=CommandKind.AMEND, flags=Flag.CHANGE_PRICE))
    book, naive = OrderBook(1), NaiveBook(1)
    for start in range(0, len(flow), 400):
        batch = flow[start : start + 400]
        events = book.process(as_array(batch))
        assert events.dtype == BOOK_EVENT
        assert [BookEvent(*e) for e in events.tolist()] == [e for what in batch for e in naive.apply(what)]
        same_books(book, naive)
