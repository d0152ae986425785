"""Refused orders: one row per reason; the first reason that applies is the answer."""

from __future__ import annotations

from typing import Any

import pytest

from matching_engine.limits import MAX_DAY_AMOUNT_FEN
from matching_engine.records import CommandKind, EventKind, Flag, OrderType, Reason, Side, TimeInForce
from tests.unit.matching_engine.engine_talk import BUY, GTC, SELL, Talk

GOOD: dict[str, Any] = {
    "kind": CommandKind.NEW_ORDER,
    "account": 2,
    "side": BUY,
    "order_type": OrderType.LIMIT,
    "time_in_force": GTC,
    "price_ticks": 1000,
    "quantity_lots": 5,
}
MARKET: dict[str, Any] = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC, "price_ticks": 0}
STOP: dict[str, Any] = {
    "order_type": OrderType.STOP,
    "time_in_force": TimeInForce.GTC,
    "price_ticks": 0,
    "trigger_ticks": 1000,
}

REFUSED: list[tuple[dict[str, Any], Reason]] = [
    ({"kind": 0}, Reason.UNKNOWN_COMMAND),
    ({"kind": 255}, Reason.UNKNOWN_COMMAND),
    ({"account": 0}, Reason.UNKNOWN_ACCOUNT),
    ({"account": 5}, Reason.UNKNOWN_ACCOUNT),
    ({"account": 2**32 - 1}, Reason.UNKNOWN_ACCOUNT),
    ({"instrument": 1}, Reason.UNKNOWN_INSTRUMENT),
    ({"instrument": 0xFFFF}, Reason.UNKNOWN_INSTRUMENT),
    ({"side": 2}, Reason.INVALID_SIDE),
    ({"order_type": 0}, Reason.INVALID_ORDER_TYPE),
    ({"order_type": 5}, Reason.INVALID_ORDER_TYPE),
    ({"time_in_force": 0}, Reason.INVALID_TIME_IN_FORCE),
    ({"time_in_force": 6}, Reason.INVALID_TIME_IN_FORCE),
    (MARKET | {"time_in_force": TimeInForce.GTD}, Reason.INVALID_TIME_IN_FORCE),
    (STOP | {"time_in_force": TimeInForce.IOC}, Reason.INVALID_TIME_IN_FORCE),
    (STOP | {"time_in_force": TimeInForce.FOK}, Reason.INVALID_TIME_IN_FORCE),
    (MARKET | {"time_in_force": TimeInForce.DAY}, Reason.INVALID_TIME_IN_FORCE),
    (MARKET | {"time_in_force": TimeInForce.GTC}, Reason.INVALID_TIME_IN_FORCE),
    ({"self_trade": 4}, Reason.INVALID_SELF_TRADE),
    ({"flags": 2}, Reason.INVALID_OPTION),
    ({"flags": 33}, Reason.INVALID_OPTION),
    (MARKET | {"flags": Flag.POST_ONLY}, Reason.INVALID_OPTION),
    (STOP | {"flags": Flag.POST_ONLY}, Reason.INVALID_OPTION),
    ({"flags": Flag.POST_ONLY, "time_in_force": TimeInForce.FOK}, Reason.INVALID_OPTION),
    ({"number": 1}, Reason.INVALID_OPTION),
    ({"time_s": 1}, Reason.INVALID_EXPIRY),
    ({"time_in_force": TimeInForce.GTD, "time_s": 1, "time_ns": 10**9}, Reason.INVALID_EXPIRY),
    ({"display_lots": -1}, Reason.INVALID_DISPLAY),
    ({"quantity_lots": 10, "display_lots": 11}, Reason.INVALID_DISPLAY),
    ({"quantity_lots": 201, "display_lots": 2}, Reason.INVALID_DISPLAY),
    ({"display_lots": 1, "time_in_force": TimeInForce.IOC}, Reason.INVALID_DISPLAY),
    (STOP | {"display_lots": 1}, Reason.INVALID_DISPLAY),
    ({"trigger_ticks": -1}, Reason.INVALID_TRIGGER),
    (STOP | {"trigger_ticks": 0}, Reason.INVALID_TRIGGER),
    (STOP | {"trigger_ticks": 2**31}, Reason.INVALID_TRIGGER),
    (STOP | {"price_ticks": 1000}, Reason.INVALID_PRICE),
    (STOP | {"trigger_ticks": 1051}, Reason.PRICE_ABOVE_BAND),
    (STOP | {"trigger_ticks": 949}, Reason.PRICE_BELOW_BAND),
    ({"quantity_lots": 0}, Reason.INVALID_QUANTITY),
    ({"quantity_lots": -1}, Reason.INVALID_QUANTITY),
    ({"quantity_lots": 501}, Reason.INVALID_QUANTITY),
    ({"quantity_lots": 2**63 - 1}, Reason.INVALID_QUANTITY),
    ({"price_ticks": 0}, Reason.INVALID_PRICE),
    ({"price_ticks": -(2**63)}, Reason.INVALID_PRICE),
    ({"price_ticks": 2**31}, Reason.INVALID_PRICE),
    (MARKET | {"price_ticks": 1000}, Reason.INVALID_PRICE),
    ({"price_ticks": 1051}, Reason.PRICE_ABOVE_BAND),
    ({"price_ticks": 2**31 - 1}, Reason.PRICE_ABOVE_BAND),
    ({"price_ticks": 949}, Reason.PRICE_BELOW_BAND),
    ({"account": 1}, Reason.INSUFFICIENT_FUNDS),
    ({"account": 1, "side": SELL}, Reason.INSUFFICIENT_INVENTORY),
    ({"account": 1, **MARKET}, Reason.INSUFFICIENT_FUNDS),
]


@pytest.mark.parametrize(("fields", "reason"), REFUSED)
def test_a_refusal_says_why_and_changes_nothing(talk: Talk, fields: dict[str, Any], reason: Reason) -> None:
    before = talk.engine.state()
    order = GOOD | fields
    events = talk.tell(**order)
    assert events == [
        talk.rejected(
            reason,
            order_id=talk.seq if order["kind"] == CommandKind.NEW_ORDER else 0,
            account=order["account"],
            instrument=order.get("instrument", 0),
            side=order["side"],
            price_ticks=order["price_ticks"],
            quantity_lots=order["quantity_lots"],
        )
    ]
    after = talk.engine.state()
    assert [part.tobytes() for part in after[1:]] == [part.tobytes() for part in before[1:]]


def test_each_reason_gives_way_to_the_ones_before_it(talk: Talk) -> None:
    """An order with every error gets the first reason; with each mended error it gets the next."""
    wrong = {
        "kind": 99,
        "account": 9,
        "instrument": 9,
        "side": 9,
        "order_type": 9,
        "time_in_force": 9,
        "self_trade": 9,
        "flags": 9,
        "quantity_lots": 0,
        "price_ticks": 0,
    }
    seen = []
    for name in wrong:
        seen.append(Reason(talk.tell(**wrong)[0].reason))
        wrong[name] = GOOD.get(name, 0)
    assert seen == sorted(seen)
    assert len(set(seen)) == len(wrong)
    assert talk.tell(**wrong)[0].kind == EventKind.ACCEPTED


def test_a_value_beyond_the_limit_is_refused_before_funds_are_looked_at(talk: Talk) -> None:
    talk.list_instrument(1, amount_fen=4_656_612, price_ticks=10**6, quantity_lots=10**9)
    for fields in ({"price_ticks": 10**6}, MARKET):
        for side in (BUY, SELL):
            for lots, reason in (
                (3000, Reason.VALUE_TOO_LARGE),
                (10**9, Reason.VALUE_TOO_LARGE),
                (1000, Reason.INSUFFICIENT_FUNDS if side == BUY else Reason.INSUFFICIENT_INVENTORY),
            ):
                events = talk.tell(**GOOD | {"instrument": 1, "side": side, "quantity_lots": lots} | fields)
                assert Reason(events[0].reason) == reason


def test_what_is_reserved_cannot_be_sold_again(talk: Talk) -> None:
    talk.order(2, SELL, 500, 1000)
    talk.order(2, SELL, 499, 1000)
    assert talk.order(2, SELL, 2, 1000)[0].reason == Reason.INSUFFICIENT_INVENTORY
    assert talk.order(2, SELL, 1, 1000)[0].kind == EventKind.ACCEPTED


def test_a_day_with_more_turnover_than_64_bits_hold_ends_trading_in_the_instrument(talk: Talk) -> None:
    """Two accounts sell each other the most expensive lot."""
    price, tick_value = 2 * 10**9, 4_656_612
    value = price * tick_value
    talk.tell(CommandKind.SET_FEES)
    talk.list_instrument(1, amount_fen=tick_value, price_ticks=price)
    talk.tell(CommandKind.DEPOSIT, account=2, amount_fen=value)
    talk.tell(CommandKind.RECEIVE, account=3, instrument=1, quantity_lots=1)
    trades = MAX_DAY_AMOUNT_FEN // value + 1
    buyer, seller = 2, 3
    for _ in range(trades):
        talk.order(seller, SELL, 1, price, instrument=1)
        assert talk.order(buyer, BUY, 1, price, instrument=1)[1].kind == EventKind.TRADE
        buyer, seller = seller, buyer
    for account, side in ((buyer, BUY), (seller, SELL)):
        refused = talk.order(account, side, 1, price, instrument=1)
        reason = Reason.VALUE_TOO_LARGE
        fields = {"account": account, "instrument": 1, "side": side, "price_ticks": price, "quantity_lots": 1}
        assert refused == [talk.rejected(reason, order_id=talk.seq, **fields)]
    assert talk.order(2, BUY, 1, 1000)[0].kind == EventKind.ACCEPTED
    talk.day_roll(20231202)
    assert talk.order(seller, SELL, 1, price, instrument=1)[0].kind == EventKind.ACCEPTED


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    "fields",
    [
        {"flags": Flag.CHANGE_QUANTITY, "quantity_lots": 4, "price_ticks": 1000},
        {"flags": Flag.CHANGE_PRICE, "price_ticks": 1000, "quantity_lots": 4},
        {"flags": Flag.CHANGE_PRICE, "price_ticks": 1000, "display_lots": 1},
        {"flags": Flag.CHANGE_PRICE, "price_ticks": 1000, "trigger_ticks": 1000},
        {"price_ticks": 1001},
        {"flags": Flag.POST_ONLY},
        {},
    ],
)
def test_an_amend_names_what_it_changes_and_nothing_else(talk: Talk, side: Side, fields: dict[str, int]) -> None:
    talk.order(2, side, 5, 1000)
    order_id = talk.seq
    named = {name: fields.get(name, 0) for name in ("price_ticks", "quantity_lots")}
    events = talk.tell(CommandKind.AMEND, account=2, order_id=order_id, **fields)
    assert events == [talk.rejected(Reason.INVALID_OPTION, order_id=order_id, account=2, **named)]
    cancel = talk.cancel(2, order_id)
    assert cancel[1:] == [talk.level(side, 1000, 0, 0)]
    assert (cancel[0].kind, cancel[0].quantity_lots) == (EventKind.CANCELED, 5)
