"""The result of placing, amending or canceling an order, as one line. Pure: the API's reply in, HTML out."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from services.dashboard.amounts import average, grouped
from services.dashboard.terms import reason_words

STATES = {
    "new": "resting",
    "partially_filled": "partly filled, the rest is resting",
    "filled": "filled",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
}


def outcome_line(order: Mapping[str, Any]) -> str:
    """The order's state, filled quantity and average price, and the venue's reason as a sentence if there is one."""
    waits = order["triggered"] is False and order["state"] == "new"
    state = f"waiting for a trade at ¥ {grouped(order['stop_price'])}" if waits else STATES[order["state"]]
    parts = [f"<b>{state}</b>"]
    if order["reason"]:
        parts.append(reason_words(order))
    if order["cum_qty"]:
        parts.append(f"{grouped(order['cum_qty'])} lots at ¥ {average(order['avg_px'])}")
    colour = "warn" if order["state"] == "rejected" else "good"
    text = f'<span class={colour} data-state="{order["state"]}">{": ".join(parts)}</span>'
    return f"{text} <span class=faint>order {escape(order['order_id'])}</span>"


def problem_line(code: str, detail: str) -> str:
    """The venue's problem: its code, and its detail as the venue wrote it."""
    return f'<span class=warn data-code="{escape(code)}">{escape(detail)}</span>'
