from __future__ import annotations

from typing import Any

from matching_engine.records import CommandKind, OrderType, SelfTrade, Side, TimeInForce
from services.commands.administrative import submission
from services.gateway.order_schemas import Order
from services.gateway.replies.execution_report import order_json
from services.values.times import time_text
from services.venue_state.state import VenueState
from tests.unit.read_model.history import SENDER, START_NS, History, opening, order


def test_an_order_of_several_fills() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.batch(opening()))
    first = venue.engine.last_seq + 1
    state.apply(
        venue.batch(
            [
                order(2, Side.SELL, 1_000, 1, client_order_id=b"s"),
                order(2, Side.SELL, 1_001, 2),
                order(3, Side.BUY, 1_002, 5, client_order_id=b"b"),
            ]
        )
    )
    taker = state.orders.get(first + 2)
    assert taker is not None
    report = order_json(taker, state.instruments)
    assert Order.model_validate(report).model_dump() == report
    assert report | {"created_at": "", "updated_at": ""} == {
        "order_id": str(first + 2),
        "client_order_id": "b",
        "account": 3,
        "symbol": "ND-OX",
        "side": "buy",
        "order_type": "limit",
        "time_in_force": "gtc",
        "price": "10020.00",
        "quantity": 5,
        "leaves_qty": 2,
        "cum_qty": 3,
        "avg_px": "10006.666667",
        "fees": "21.01",
        "state": "partially_filled",
        "reason": None,
        "trading_date": "2023-01-03",
        "created_at": "",
        "updated_at": "",
        "seq": first + 2,
        "stop_price": None,
        "triggered": None,
        "protection_price": None,
        "display_quantity": None,
        "expire_time": None,
        "post_only": False,
        "self_trade_prevention": "cancel_newest",
        "reason_text": None,
    }


def test_the_times_of_a_report_are_those_of_entry_and_of_the_last_change() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.batch(opening()))
    first = venue.engine.last_seq + 1
    state.apply(venue.batch([order(2, Side.SELL, 1_000, 1), order(3, Side.BUY, 1_000, 1)]))
    sold = state.orders.get(first)
    assert sold is not None
    sold.created_ns, sold.updated_ns = START_NS, START_NS + 1_500_000_000
    report = order_json(sold, state.instruments)
    assert (report["created_at"], report["updated_at"]) == (time_text(START_NS), time_text(START_NS + 1_500_000_000))


def test_a_stop_waits_and_is_triggered() -> None:
    venue, state = History(), VenueState()
    state.apply(venue.batch(opening()))
    first = venue.engine.last_seq + 1
    stop = SENDER._replace(
        kind=CommandKind.NEW_ORDER, account=2, side=Side.BUY, order_type=OrderType.STOP_LIMIT,
        time_in_force=TimeInForce.GTD, price_ticks=1_020, trigger_ticks=1_010, quantity_lots=3,
        time_s=START_NS // 10**9 + 60, self_trade=SelfTrade.CANCEL_BOTH,
    )  # fmt: skip
    state.apply(venue.batch([submission(stop)]))
    waiting = state.orders.get(first)
    assert waiting is not None

    def facts() -> dict[str, Any]:
        report = order_json(waiting, state.instruments)
        names = (
            "order_type",
            "price",
            "stop_price",
            "triggered",
            "expire_time",
            "self_trade_prevention",
            "state",
            "seq",
        )
        return {name: report[name] for name in names}

    before = {
        "order_type": "stop_limit",
        "price": "10200.00",
        "stop_price": "10100.00",
        "triggered": False,
        "expire_time": "2023-01-02T00:01:00Z",
        "self_trade_prevention": "cancel_both",
        "state": "new",
        "seq": first,
    }
    assert facts() == before
    state.apply(venue.batch([order(2, Side.SELL, 1_009, 1), order(3, Side.BUY, 1_010, 1)]))
    assert facts() == before, "a trade below the trigger"
    state.apply(venue.batch([order(2, Side.SELL, 1_010, 1), order(3, Side.BUY, 1_010, 1)]))
    assert facts() == before | {"triggered": True, "seq": first + 4}
