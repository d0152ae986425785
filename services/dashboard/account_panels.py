"""An account's own orders, fills and balances in HTML fragments. Pure: API objects in, HTML out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from services.dashboard.amounts import clock, grouped
from services.dashboard.market_panels import side_colour

Json = Mapping[str, Any]


def open_orders(orders: Iterable[Json]) -> str:
    """Own orders that rest, newest first, each with a button the page listens to (`data-cancel` is its order_id)."""
    rows = "".join([_open_order(order) for order in orders])
    head = (
        "<th>Time</th><th>Instrument</th><th>Side</th><th>TIF</th><th class=num>Price ¥</th><th class=num>Lots</th>"
        "<th class=num>Leaves</th><th>State</th><th></th>"
    )
    empty = "" if rows else "<tr><td colspan=9 class=faint>no open orders</td></tr>"
    return f"<table data-testid=open-orders><thead><tr>{head}</tr></thead><tbody>{rows}{empty}</tbody></table>"


def _open_order(order: Json) -> str:
    order_id = escape(order["order_id"], quote=True)
    return (
        f'<tr data-order="{order_id}" data-key="{order_id}"><td class=dim>{clock(order["created_at"])}</td>'
        f"<td>{escape(order['symbol'])}</td>"
        f'<td class="{side_colour(order["side"])}">{order["side"]}</td><td>{order["time_in_force"].upper()}</td>'
        f"<td class=num>{grouped(order['price'])}</td><td class=num>{grouped(order['quantity'])}</td>"
        f"<td class=num>{grouped(order['leaves_qty'])}</td><td class=dim>{order['state'].replace('_', ' ')}</td>"
        f'<td class=num><button class=cancel data-cancel="{order_id}">cancel</button></td></tr>'
    )


def fills(own_fills: Iterable[Json]) -> str:
    """Own fills, newest first."""
    rows = "".join(
        [
            f"<tr><td class=dim>{clock(fill['time'])}</td><td>{escape(fill['symbol'])}</td>"
            f'<td class="{side_colour(fill["side"])}">{fill["side"]}</td><td class=num>{grouped(fill["price"])}</td>'
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
