"""The fields of the ticket for each order type: which fields, which times in force, and a sentence on each type. Pure.

The table is that of docs/api.md. Other combinations cannot be chosen, so the ticket never sends an order of a form that the
venue does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

RESTING = ("day", "gtc", "gtd")
"""The times in force of an order that may rest."""


@dataclass(frozen=True)
class OrderForm:
    """One type of order on the ticket."""

    name: str
    hint: str
    prices: tuple[str, ...]
    times: tuple[str, ...]
    """The first one is the default."""


FORMS = {
    "limit": OrderForm(
        "Limit 限价",
        "Trades at your price or better; the rest waits in the book.",
        ("price",),
        (*RESTING, "ioc", "fok"),
    ),
    "market": OrderForm(
        "Market 市价", "Trades at once at the best prices there are; what is left is canceled.", (), ("ioc", "fok")
    ),
    "stop": OrderForm(
        "Stop 止损",
        "Waits unseen until a trade reaches the trigger, then is a market order.",
        ("stop_price",),
        RESTING,
    ),
    "stop_limit": OrderForm(
        "Stop-limit",
        "Waits unseen until a trade reaches the trigger, then is a limit order at your price.",
        ("stop_price", "price"),
        RESTING,
    ),
}

TIME_HINTS = {
    "day": "Ends with the trading day.",
    "gtc": "Stays until you cancel it.",
    "gtd": "Ends at the time you set.",
    "ioc": "Trades what it can at once; the rest is canceled.",
    "fok": "Trades all of it at once, or nothing.",
}

SELF_TRADE_HINTS = {
    "cancel_newest": "Where it would meet an order of your own group, this order ends.",
    "cancel_oldest": "Where it would meet an order of your own group, that order ends.",
    "cancel_both": "Where it would meet an order of your own group, both end.",
    "decrement": "Where it would meet an order of your own group, both lose the smaller quantity.",
}

HINTS = {
    "stop_price": "A trade here or beyond sets it off.",
    "expire_time": "It expires then, Shanghai time.",
    "post_only": "Post-only 只做挂单: refused if it would trade at once.",
    "display_quantity": "An iceberg 冰山; empty shows all.",
}


def fields_of(order_type: str, time_in_force: str) -> frozenset[str]:
    """The API's names of the fields that such an order can have."""
    found = {"quantity", "self_trade_prevention", *FORMS[order_type].prices}
    if time_in_force == "gtd":
        found.add("expire_time")
    if order_type == "limit" and time_in_force in RESTING:
        found |= {"post_only", "display_quantity"}
    return frozenset(found)


def order_body(symbol: str, side: str, order_type: str, time_in_force: str, entered: Mapping[str, Any]) -> Json:
    """The order's JSON: the entered fields that its type can have, without empty ones."""
    body: Json = {"symbol": symbol, "side": side, "order_type": order_type, "time_in_force": time_in_force}
    for name in fields_of(order_type, time_in_force):
        value = entered[name]
        text = value.strip() if isinstance(value, str) else value
        if name in ("quantity", "display_quantity"):
            text = whole(text)
        elif name == "expire_time":
            text = shanghai_time(text)
        if text not in ("", None, False):
            body[name] = text
    return body


def whole(text: str) -> int | str:
    """The text as an int; text that is no whole number is returned unchanged, and the venue refuses it."""
    return int(text) if text.removeprefix("-").isdecimal() else text


def shanghai_time(text: str) -> str:
    """The value of a browser's datetime field (`2026-12-01T15:00`) as RFC 3339 with Shanghai's offset."""
    return f"{text}:00+08:00" if len(text) == len("2026-12-01T15:00") else text
