"""The order book alone: refusals, views, arrays, faults, and its largest cases. The rules of the market are in tests/scenarios,
and tests/property compares each command with the naive book."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from matching_engine import EngineFault, OrderBook, pools
from matching_engine.book import order_book
from matching_engine.book.library import OpenOrder
from matching_engine.faults import Fault
from matching_engine.records import (
    BOOK_COMMAND,
    BOOK_EVENT,
    MAX_BOOK_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    BookEvent,
    CommandKind,
    EventKind,
    Flag,
    Reason,
    Side,
    TimeInForce,
)
from tests.unit.matching_engine.book.book_talk import (
    BUY,
    DAY,
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    SELL,
    STOP,
    STOP_LIMIT,
    Talk,
    accepted,
    canceled,
    rejected,
    trade,
    triggered,
)


def test_a_market_order_takes_any_price_and_its_remainder_finds_no_liquidity() -> None:
    talk = Talk()
    talk.sell(1, 5, 100)
    talk.sell(2, 5, MAX_BOOK_PRICE_TICKS)
    assert talk.market(3, BUY, 12) == [
        accepted(3, BUY, 12, kind=MARKET),
        trade(3, BUY, 1, 5, 100, 7),
        trade(3, BUY, 2, 5, MAX_BOOK_PRICE_TICKS, 2),
        canceled(3, BUY, 2, 0, Reason.NO_LIQUIDITY),
    ]
    assert talk.market(4, SELL, 1) == [accepted(4, SELL, 1, kind=MARKET), canceled(4, SELL, 1, 0, Reason.NO_LIQUIDITY)]
    assert (talk.bids(), talk.asks()) == ([], [])


def test_day_and_gtc_orders_rest() -> None:
    talk = Talk()
    talk.buy(1, 5, 10, DAY)
    talk.buy(2, 5, 10)
    assert talk.bids() == [(10, [(1, 5), (2, 5)])]


def command(**changes: int) -> np.ndarray:
    """An order that can be carried out, but for the changes."""
    array = np.zeros(1, BOOK_COMMAND)
    fields = {"kind": CommandKind.NEW_ORDER, "order_id": 5, "price_ticks": 10, "quantity_lots": 3, "order_type": 1}
    for name, value in {**fields, "time_in_force": TimeInForce.GTC, **changes}.items():
        array[name] = value
    return array


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": 0}, Reason.UNKNOWN_COMMAND),
        ({"kind": CommandKind.DEPOSIT}, Reason.UNKNOWN_COMMAND),
        ({"kind": 255, "instrument": 9}, Reason.UNKNOWN_COMMAND),
        ({"kind": CommandKind.CANCEL}, Reason.UNKNOWN_ORDER),
        ({"kind": CommandKind.CANCEL, "instrument": 9, "side": 255}, Reason.UNKNOWN_ORDER),
        ({"kind": CommandKind.AMEND, "flags": 255}, Reason.UNKNOWN_ORDER),
        ({"instrument": 2}, Reason.UNKNOWN_INSTRUMENT),
        ({"instrument": 65_535, "side": 2}, Reason.UNKNOWN_INSTRUMENT),
        ({"side": 2}, Reason.INVALID_SIDE),
        ({"side": 255, "order_type": 0}, Reason.INVALID_SIDE),
        ({"order_type": 0}, Reason.INVALID_ORDER_TYPE),
        ({"order_type": 5, "time_in_force": 0}, Reason.INVALID_ORDER_TYPE),
        ({"time_in_force": 0}, Reason.INVALID_TIME_IN_FORCE),
        ({"time_in_force": TimeInForce.GTD, "self_trade": 9}, Reason.INVALID_TIME_IN_FORCE),
        ({"order_type": MARKET, "price_ticks": 0}, Reason.INVALID_TIME_IN_FORCE),
        ({"order_type": STOP, "price_ticks": 0, "time_in_force": IOC}, Reason.INVALID_TIME_IN_FORCE),
        ({"order_type": STOP_LIMIT, "time_in_force": FOK}, Reason.INVALID_TIME_IN_FORCE),
        ({"self_trade": 4, "flags": 2}, Reason.INVALID_SELF_TRADE),
        ({"flags": 2, "quantity_lots": 0}, Reason.INVALID_OPTION),
        ({"flags": 3}, Reason.INVALID_OPTION),
        ({"flags": 1, "time_in_force": IOC}, Reason.INVALID_OPTION),
        ({"flags": 1, "order_type": STOP_LIMIT}, Reason.INVALID_OPTION),
        ({"quantity_lots": 0, "display_lots": 1}, Reason.INVALID_QUANTITY),
        ({"quantity_lots": 2**32 - 1}, Reason.INVALID_QUANTITY),
        ({"quantity_lots": MAX_QUANTITY_LOTS + 1}, Reason.INVALID_QUANTITY),
        ({"display_lots": 4, "price_ticks": 2**62}, Reason.INVALID_DISPLAY),
        ({"quantity_lots": 1_001, "display_lots": 10}, Reason.INVALID_DISPLAY),
        ({"display_lots": 1, "time_in_force": IOC}, Reason.INVALID_DISPLAY),
        ({"display_lots": 1, "order_type": STOP_LIMIT}, Reason.INVALID_DISPLAY),
        ({"price_ticks": MAX_BOOK_PRICE_TICKS + 1, "trigger_ticks": 1}, Reason.INVALID_PRICE),
        ({"price_ticks": -MAX_BOOK_PRICE_TICKS - 2, "order_id": 1}, Reason.INVALID_PRICE),
        ({"price_ticks": 2**63 - 1}, Reason.INVALID_PRICE),
        ({"order_type": MARKET, "time_in_force": IOC, "price_ticks": 1}, Reason.INVALID_PRICE),
        ({"order_type": STOP, "price_ticks": 1}, Reason.INVALID_PRICE),
        ({"trigger_ticks": 1, "order_id": 1}, Reason.INVALID_TRIGGER),
        ({"order_type": STOP_LIMIT, "trigger_ticks": 2**62}, Reason.INVALID_TRIGGER),
        ({"order_type": MARKET, "time_in_force": FOK, "price_ticks": 0, "trigger_ticks": 1}, Reason.INVALID_TRIGGER),
        ({"order_id": 1, "side": SELL, "flags": 1}, Reason.DUPLICATE_ORDER_ID),
        ({"side": SELL, "flags": 1}, Reason.POST_ONLY_WOULD_TRADE),
    ],
)
def test_what_cannot_be_carried_out_is_rejected_for_the_first_reason_and_changes_nothing(
    changes: dict[str, int], reason: Reason
) -> None:
    book = OrderBook(2)
    resting = book.process(command(order_id=1))
    assert resting["kind"].tolist() == [EventKind.ACCEPTED]
    sent = command(account=3, owner=4, **changes)
    (event,) = book.process(sent).tolist()
    fields = {name: sent[name].item() for name in ("order_id", "price_ticks", "quantity_lots", "account", "side")}
    assert BookEvent(*event) == BookEvent(
        kind=EventKind.REJECTED, reason=reason, instrument=sent["instrument"].item(), **fields
    )
    assert len(book) == 1
    assert book.depth(0, BUY) == [(10, 3, 1)]


@pytest.mark.parametrize("order_id", [0, 2**64 - 1])
def test_any_64_bit_number_is_an_order_id(order_id: int) -> None:
    talk = Talk()
    assert talk.sell(order_id, 5, 10) == [accepted(order_id, SELL, 5, 10)]
    assert talk.sell(order_id, 5, 10) == [rejected(order_id, Reason.DUPLICATE_ORDER_ID, SELL, 5, 10)]
    assert talk.cancel(order_id) == [canceled(order_id, SELL, 5, 10)]


def test_instruments_are_apart() -> None:
    book = OrderBook(3)
    book.process(command(order_id=1, instrument=0, side=SELL))
    book.process(command(order_id=2, instrument=2, side=SELL))
    events = book.process(command(order_id=3, instrument=2, side=BUY))
    assert [(BookEvent(*e).kind, BookEvent(*e).maker_order_id) for e in events.tolist()] == [
        (EventKind.ACCEPTED, 0),
        (EventKind.TRADE, 2),
    ]
    assert [book.best(n, SELL) for n in range(3)] == [(10, 3, 1), None, None]


def test_views() -> None:
    book = OrderBook(2)
    book.submit(1, 1, 1, BUY, 10, 5, time_in_force=DAY, account=3, owner=4, display_lots=2)
    book.submit(1, 2, 1, BUY, 10, 6)
    book.submit(1, 3, 1, BUY, 8, 1)
    book.submit(1, 4, 1, BUY, 13, 2, order_type=STOP_LIMIT, trigger_ticks=12)
    first = OpenOrder(1, 1, BUY, LIMIT, DAY, 10, 5, 2, 2, 0, 0, 0, 0, 3, 4)
    waiting = OpenOrder(4, 1, BUY, STOP_LIMIT, GTC, 13, 2, 2, 0, 0, 12, 0, 0, 0, 0)
    assert book.order(1) == first
    assert book.order(4) == waiting
    assert book.order(9) is None
    assert book.orders_at(1, BUY, 10) == [first, OpenOrder(2, 1, BUY, LIMIT, GTC, 10, 6, 6, 0, 0, 0, 0, 0, 0, 0)]
    assert book.orders_at(1, BUY, 9) == []
    assert book.orders_at(1, SELL, 10) == []
    assert book.orders_at(1, BUY, 2**80) == []
    assert book.waiting_stops(1, BUY) == [waiting]
    assert book.waiting_stops(1, SELL) == book.waiting_stops(0, BUY) == []
    assert book.depth_at(1, BUY, 10) == (8, 2)
    assert book.depth_at(1, BUY, 9) == book.depth_at(1, SELL, 10) == book.depth_at(1, BUY, 2**80) == (0, 0)
    assert book.best(1, BUY) == (10, 8, 2)
    assert book.best(1, SELL) is None
    assert book.depth(1, BUY) == [(10, 8, 2), (8, 1, 1)]
    assert book.depth(1, BUY, 1) == [(10, 8, 2)]
    assert book.depth(1, BUY, 0) == []
    assert len(book) == 4
    book.submit(1, 5, 1, SELL, 10, 3, time_in_force=IOC)
    assert book.order(1) == first._replace(quantity_lots=3, filled_lots=2)


def test_depth_has_ten_levels_unless_one_asks_for_another_number() -> None:
    talk = Talk()
    for price in range(1, 13):
        talk.buy(price, 1, price)
    best_first = [(price, 1, 1) for price in range(12, 0, -1)]
    assert talk.book.depth(0, BUY) == best_first[:10]
    assert talk.book.depth(0, BUY, 11) == best_first[:11]


@pytest.mark.parametrize("price", [-MAX_BOOK_PRICE_TICKS - 1, MAX_BOOK_PRICE_TICKS])
def test_the_last_prices_of_a_side_are_seen_and_there_are_none_beyond(price: int) -> None:
    talk = Talk()
    talk.buy(1, 5, price)
    assert talk.book.depth_at(0, BUY, price) == (5, 1)
    assert [order.order_id for order in talk.book.orders_at(0, BUY, price)] == [1]
    for beyond in (-MAX_BOOK_PRICE_TICKS - 2, MAX_BOOK_PRICE_TICKS + 1, 2**63 - 1, -(2**63)):
        assert talk.book.depth_at(0, BUY, beyond) == (0, 0)
        assert talk.book.orders_at(0, BUY, beyond) == []


@pytest.mark.parametrize(("instrument", "side"), [(2, 0), (-1, 0), (0, 2), (0, -1)])
def test_views_of_what_is_not_there_say_so(instrument: int, side: int) -> None:
    with pytest.raises(ValueError, match="no "):
        OrderBook(2).depth(instrument, side)


@pytest.mark.parametrize("instruments", [0, -1, 65_536])
def test_a_book_has_1_to_65_535_instruments(instruments: int) -> None:
    with pytest.raises(ValueError, match="instruments"):
        OrderBook(instruments)


def test_process_takes_any_length_and_layout_of_a_command_array() -> None:
    book = OrderBook(1)
    empty = book.process(np.zeros(0, BOOK_COMMAND))
    assert (empty.dtype, len(empty)) == (BOOK_EVENT, 0)
    array = np.concatenate([command(order_id=n) for n in range(1, 2_001)])
    array.flags.writeable = False
    assert book.process(array[::2])["order_id"].tolist() == list(range(1, 2_001, 2))
    assert len(book) == 1_000


@pytest.mark.parametrize("wrong", [np.zeros(3), np.zeros(3, BOOK_EVENT), np.zeros((2, 2), BOOK_COMMAND), [1]])
def test_process_refuses_another_array(wrong: object) -> None:
    with pytest.raises(ValueError, match="BOOK_COMMAND"):
        OrderBook(1).process(wrong)


@pytest.mark.parametrize(
    "fields",
    [
        {"side": -1},
        {"side": 256},
        {"price_ticks": 2**63},
        {"instrument": 65_536},
        {"owner": 2**32},
        {"quantity_lots": -1},
        {"trigger_ticks": -(2**63) - 1},
        {"display_lots": 2**32},
    ],
)
def test_submit_refuses_a_value_its_field_cannot_hold(fields: dict[str, int]) -> None:
    book = OrderBook(1)
    with pytest.raises(OverflowError):
        book.submit(1, 1, **fields)
    assert book.submit(2, 1) == [rejected(1, Reason.UNKNOWN_ORDER)]


def test_an_impossible_state_stops_the_book_and_names_the_command() -> None:
    """The index of orders loses an order behind the book's back, which the next trade with it finds out."""
    book = OrderBook(1)
    book.reserve(10)
    book.process(command(order_id=1, side=SELL))
    book.ids.erase(1)
    with pytest.raises(EngineFault) as caught:
        book.process(np.concatenate([command(order_id=2, price_ticks=9), command(order_id=3), command(order_id=4)]))
    assert (caught.value.code, caught.value.seq) == (Fault.ORDER_LOST, 2)
    assert str(caught.value) == "engine fault 2 (ORDER_LOST) at command 2"
    with pytest.raises(EngineFault):
        book.process(command(order_id=5))
    with pytest.raises(EngineFault):
        book.submit(CommandKind.CANCEL, 2)


@pytest.mark.parametrize("mode", [0, 3])
def test_there_is_room_for_all_that_the_commands_of_one_array_can_cause(mode: int) -> None:
    """254 icebergs of 100 parts each; one order takes them all, or is decremented with each part."""
    icebergs = [
        command(order_id=n, side=SELL, quantity_lots=1_000, display_lots=10, owner=1 if mode else 0)
        for n in range(1, 255)
    ]
    sweep = command(order_id=1_000, quantity_lots=254_000, owner=1, self_trade=mode)
    events = OrderBook(1).process(np.concatenate([*icebergs, sweep]))
    assert len(events) == 255 + 25_400 * (2 if mode else 1)
    assert events["leaves_lots"][-1] == 0


def test_a_cascade_of_10_000_stops_runs_to_its_end() -> None:
    talk = Talk()
    count = 10_000
    for n in range(1, count + 1):
        talk.stop(n, BUY, 1, n)
        talk.sell(count + n, 1, n)
    talk.sell(3 * count, 1, count + 1)
    events = talk.buy(4 * count, 1, 1)
    assert events[:2] == [accepted(4 * count, BUY, 1, 1), trade(4 * count, BUY, count + 1, 1, 1)]
    cascade = [
        event for n in range(1, count) for event in (triggered(n, BUY, 1), trade(n, BUY, count + n + 1, 1, n + 1))
    ]
    assert events[2:-2] == cascade
    assert events[-2:] == [triggered(count, BUY, 1), trade(count, BUY, 3 * count, 1, count + 1)]
    assert len(talk.book) == 0


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"flags": Flag.POST_ONLY},
        {"flags": Flag.CHANGE_PRICE | Flag.POST_ONLY, "price_ticks": 11},
        {"flags": Flag.CHANGE_PRICE, "price_ticks": 11, "quantity_lots": 2},
        {"flags": Flag.CHANGE_QUANTITY, "quantity_lots": 2, "price_ticks": 10},
        {"flags": Flag.CHANGE_QUANTITY, "quantity_lots": 2, "display_lots": 1},
        {"flags": Flag.CHANGE_QUANTITY, "quantity_lots": 2, "trigger_ticks": 10},
    ],
)
def test_an_amend_names_what_it_changes_and_nothing_else(side: Side, fields: dict[str, int]) -> None:
    talk = Talk()
    talk.order(1, side, 3, 10)
    (event,) = talk.book.submit(CommandKind.AMEND, 1, side=side, **fields)
    lots, price = fields.get("quantity_lots", 0), fields.get("price_ticks", 0)
    assert BookEvent(*event) == rejected(1, Reason.INVALID_OPTION, side, lots, price)
    assert talk.cancel(1) == [canceled(1, side, 3, 10)]


def test_values_that_are_no_integers_or_that_no_field_holds_are_refused_before_anything_changes() -> None:
    book = OrderBook()
    for wrong in ({"price_ticks": 1.5}, {"quantity_lots": 2.0}, {"account": -1}, {"side": 256}, {"owner": "1"}):
        with pytest.raises(OverflowError):
            book.submit(CommandKind.NEW_ORDER, 1, **{"price_ticks": 5, "quantity_lots": 3, **wrong})  # type: ignore[arg-type]
    assert (len(book), book.submit(CommandKind.CANCEL, 1)[0][-3]) == (0, Reason.UNKNOWN_ORDER)


def test_integers_of_numpy_are_integers() -> None:
    book = OrderBook()
    book.submit(CommandKind.NEW_ORDER, np.uint64(1), price_ticks=np.int64(2**40), quantity_lots=np.uint8(200))  # type: ignore[arg-type]
    (order,) = book.orders_at(0, BUY, 2**40)
    assert (order.order_id, order.quantity_lots) == (1, 200)
    assert len(book.submit(CommandKind.NEW_ORDER, 2, side=SELL, price_ticks=1, quantity_lots=np.int32(500))) == 2  # type: ignore[arg-type]
    assert book.depth(0, SELL) == [(1, 300, 1)]


@pytest.mark.parametrize("then", ["submit", "process", "collecting"])
def test_after_a_lack_of_memory_the_commands_before_are_done_and_their_events_are_not_told_later(
    monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    monkeypatch.setattr(pools, "FIRST_ORDERS", 1)
    commands = np.zeros(9_000, BOOK_COMMAND)
    commands["kind"], commands["order_type"], commands["time_in_force"] = CommandKind.NEW_ORDER, LIMIT, GTC
    commands["order_id"] = np.arange(9_000) + 1
    commands["quantity_lots"] = commands["price_ticks"] = 1
    book = OrderBook()
    book.process(commands[:600])

    def fail(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as short:
        short.setattr(order_book, "grown", fail)
        with pytest.raises(MemoryError):
            book.process(commands[600:])
    done = len(book)
    assert 600 < done < 9_000
    if then == "submit":
        events = book.submit(CommandKind.CANCEL, done)
    elif then == "process":
        commands["kind"] = CommandKind.CANCEL
        events = [tuple(event) for event in book.process(commands[done - 1 : done]).tolist()]
    else:
        assert book.collecting(0, True) == []
        events = book.submit(CommandKind.CANCEL, done)
    assert [(BookEvent(*event).kind, BookEvent(*event).order_id) for event in events] == [(EventKind.CANCELED, done)]
    assert len(book.process(commands[done:])) == 9_000 - done
