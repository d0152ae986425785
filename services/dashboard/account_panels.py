"""An account's own orders, fills and balances in HTML fragments. Pure: API objects in, HTML out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from services.dashboard.amounts import clock, day_and_clock, grouped
from services.dashboard.market_panels import side_colour
from services.dashboard.outcome import STATES
from services.dashboard.terms import ORDER_TYPES, reason_words

Json = Mapping[str, Any]


WAITING = '<span class="tag" title="No trade has reached its trigger yet: nobody sees it.">waiting</span>'
"""The tag of a stop that has not been triggered; an iceberg has its displayed quantity there."""


def is_waiting(order: Json) -> bool:
    """Whether the order is a stop that no trade has triggered yet: it is not in the book, and others do not see it."""
    return order["triggered"] is False


def amendable(order: Json) -> dict[str, str]:
    """The fields of an open order that an amend may change, with their values; `""` for the display quantity of an order that
    is no iceberg."""
    fields = {"quantity": str(order["quantity"])}
    if is_waiting(order):
        fields["stop_price"] = order["stop_price"]
    else:
        fields["display_quantity"] = str(order["display_quantity"] or "")
    if order["price"] is not None:
        fields["price"] = order["price"]
    return fields


def open_orders(orders: Iterable[Json], editing: str | None = None) -> str:
    """Own open orders, newest first, with buttons (`data-act`, handled by the page). `editing`: the order being amended."""
    rows = "".join([_open_order(order, order["order_id"] == editing) for order in orders])
    head = (
        "<th>Time</th><th>Instrument</th><th>Side</th><th>Order</th><th class=num>Trigger ¥</th><th class=num>Price ¥</th>"
        "<th class=num>Shown</th><th class=num>Open</th><th class=num>Lots</th><th></th>"
    )
    empty = "" if rows else "<tr><td colspan=10 class=faint>no open orders</td></tr>"
    return f"<table data-testid=open-orders><thead><tr>{head}</tr></thead><tbody>{rows}{empty}</tbody></table>"


def _open_order(order: Json, editing: bool) -> str:
    order_id = escape(order["order_id"], quote=True)
    shown = min(order["display_quantity"] or order["leaves_qty"], order["leaves_qty"])
    buttons = (("save", "amend"), ("keep", "keep")) if editing else (("edit", "amend"), ("cancel", "cancel"))
    actions = " ".join([f"<button class=act data-act={act}>{text}</button>" for act, text in buttons])
    edited = amendable(order) if editing else {}
    return (
        f'<tr data-order="{order_id}" data-key="{order_id}"><td class=dim>{clock(order["created_at"])}</td>'
        f"<td>{escape(order['symbol'])}</td><td class={side_colour(order['side'])}>{order['side']}</td>"
        f"<td>{ORDER_TYPES[order['order_type']]} {_time_in_force(order)}{_tag(order)}</td>"
        f"{_cell(edited, 'stop_price', grouped(order['stop_price']) if order['stop_price'] else '')}"
        f"{_cell(edited, 'price', grouped(order['price']))}"
        f"{_cell(edited, 'display_quantity', WAITING if is_waiting(order) else grouped(shown))}"
        f"<td class=num>{grouped(order['leaves_qty'])}</td>{_cell(edited, 'quantity', grouped(order['quantity']))}"
        f"<td class=num>{actions}</td></tr>"
    )


def _time_in_force(order: Json) -> str:
    until = f' title="until {day_and_clock(order["expire_time"])}"' if order["expire_time"] else ""
    return f"<span class=dim{until}>{order['time_in_force'].upper()}</span>"


def _cell(edited: Mapping[str, str], name: str, text: str) -> str:
    """A number of an open order, or an input field for it while it is edited."""
    if name not in edited:
        return f"<td class=num data-field={name}>{text}</td>"
    value = escape(edited[name], quote=True)
    return f'<td class=num data-field={name}><input name={name} value="{value}" autocomplete=off placeholder=all></td>'


def _tag(order: Json) -> str:
    """A one-word tag for an open order's special terms."""
    for applies, name, text in (
        (order["triggered"], "triggered", "A trade reached its trigger: it rests in the book now."),
        (order["display_quantity"], "iceberg", "Shows a part of its lots at a time."),
        (order["post_only"], "post-only", "Was taken only because it did not trade at once."),
    ):
        if applies:
            return f' <span class="tag {name}" title="{text}">{name}</span>'
    return ""


def ended_orders(orders: Iterable[Json], names_zh: Mapping[str, str]) -> str:
    """Own recent orders that ended without being filled, newest first, with the venue's reason as a sentence; "" if none."""
    rows = "".join(
        [
            f'<tr data-key="{escape(order["order_id"])}" data-ended="{escape(order["order_id"])}">'
            f"<td class=dim>{clock(order['updated_at'])}</td><td>{escape(order['symbol'])} "
            f"<span class=zh>{escape(names_zh.get(order['symbol'], ''))}</span></td>"
            f"<td class={side_colour(order['side'])}>{order['side']}</td><td class=num>{grouped(order['quantity'])}</td>"
            f'<td class=why><span class="{"warn" if order["state"] == "rejected" else "dim"}">{STATES[order["state"]]}</span>'
            f"{': ' + reason_words(order) if order['reason'] else ''}</td></tr>"
            for order in orders
        ]
    )
    head = "<th>Time</th><th>Instrument</th><th>Side</th><th class=num>Lots</th><th>How it ended</th>"
    if not rows:
        return ""
    return f"<table data-testid=ended-orders><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def fills(own_fills: Iterable[Json]) -> str:
    """Own fills, newest first; busted ones are struck through."""
    rows = "".join(
        [
            f"<tr{' class=busted' if fill['busted'] else ''}><td class=dim>{clock(fill['time'])}</td>"
            f'<td>{escape(fill["symbol"])}</td><td class="{side_colour(fill["side"])}">{fill["side"]}</td>'
            f"<td class=num>{grouped(fill['price'])}</td>"
            f"<td class=num>{grouped(fill['quantity'])}</td><td class=num>{grouped(fill['amount'])}</td>"
            f"<td class=num>{grouped(fill['fee'])}</td></tr>"
            for fill in own_fills
        ]
    )
    head = (
        "<th>Time</th><th>Instrument</th><th>Side</th><th class=num>Price ¥</th><th class=num>Lots</th>"
        "<th class=num>Amount ¥</th><th class=num>Fee ¥</th>"
    )
    empty = "" if rows else "<tr><td colspan=7 class=faint>no fills yet</td></tr>"
    return f"<table data-testid=fills><thead><tr>{head}</tr></thead><tbody>{rows}{empty}</tbody></table>"


def balances(account: Json, instrument: Json) -> str:
    """Cash, and the lots of the instrument on the page."""
    held = next((holding for holding in account["holdings"] if holding["symbol"] == instrument["symbol"]), None)
    lines = (
        ("Cash ¥", grouped(account["cash"]), "cash"),
        ("reserved for orders", grouped(account["reserved"]), "reserved"),
        ("Available ¥", grouped(account["available"]), "available"),
        (f"{instrument['symbol']} lots", grouped(held["quantity"] if held else 0), "lots"),
        ("reserved for orders", grouped(held["reserved"] if held else 0), "reserved-lots"),
    )
    rows = "".join(
        [f"<span class=dim>{name}</span><b class=num data-balance={key}>{value}</b>" for name, value, key in lines]
    )
    return f"<div class=sums data-testid=balances>{rows}</div>"
