"""Our own flow format: a CSV file with one message a row. docs/load_tests.md describes it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TextIO

from load_tests.flows.flow_message import FlowInstrument, FlowMessage

HEADER = FlowMessage._fields
_PRICE = re.compile(r"[0-9]{1,16}(\.[0-9]{1,8})?")
_CLIENT_ORDER_ID = re.compile(r"[!-~]{1,36}")
_WHOLE = re.compile(r"[0-9]{1,18}")
_TIMES_IN_FORCE = {"limit": ("day", "gtc", "ioc", "fok"), "market": ("ioc", "fok")}


class BadRow(Exception):
    """A row cannot be replayed; the message says why."""


def parse_rows(rows: Iterable[list[str]], instruments: Mapping[str, FlowInstrument]) -> Iterator[FlowMessage]:
    """Yields the messages of the rows below the header. Raises BadRow at the first bad row."""
    sent: dict[str, FlowMessage] = {}
    last_ms = 0
    for row in rows:
        if not row:
            continue
        message = _parse_row(row, instruments, sent)
        if message.time_ms < last_ms:
            raise BadRow(f"time_ms {message.time_ms} is earlier than the row before ({last_ms})")
        last_ms = message.time_ms
        if message.action != "cancel":
            sent[message.client_order_id] = message
        yield message


def write_rows(file: TextIO, messages: Iterable[FlowMessage]) -> int:
    """Writes the header and the messages; returns the number of messages."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    count = 0
    for message in messages:
        if message.action == "new":
            writer.writerow(message)
        else:
            changes = (message.price, message.quantity) if message.action == "amend" else ("", "")
            writer.writerow((message.time_ms, message.action, "", "", "", "", *changes, message.client_order_id))
        count += 1
    return count


def _parse_row(
    row: list[str], instruments: Mapping[str, FlowInstrument], sent: Mapping[str, FlowMessage]
) -> FlowMessage:
    if len(row) != len(HEADER):
        raise BadRow(f"{len(row)} fields instead of {len(HEADER)}")
    time_text, action, symbol, side, order_type, time_in_force, price, quantity_text, client_order_id = row
    time_ms = _whole("time_ms", time_text)
    if not _CLIENT_ORDER_ID.fullmatch(client_order_id):
        raise BadRow(f"client_order_id {client_order_id!r} is not 1 to 36 printable characters without spaces")
    if action == "cancel":
        if any(row[2:8]):
            raise BadRow("a cancel has only time_ms, action and client_order_id; the fields between must be empty")
        if client_order_id not in sent:
            raise BadRow(f"cancels {client_order_id!r}, which no earlier row sends")
        return sent[client_order_id]._replace(time_ms=time_ms, action="cancel")
    if action == "amend":
        return _parse_amend(row, instruments, sent)._replace(time_ms=time_ms)
    if action != "new":
        raise BadRow(f"action {action!r} is none of new, amend and cancel")
    if client_order_id in sent:
        raise BadRow(f"client_order_id {client_order_id!r} stands in an earlier row, too")
    if symbol not in instruments:
        raise BadRow(f"unknown symbol {symbol!r}")
    if side not in ("buy", "sell"):
        raise BadRow(f"side {side!r} is neither buy nor sell")
    _check_terms(order_type, time_in_force, price, instruments[symbol])
    quantity = _quantity(quantity_text, instruments[symbol])
    return FlowMessage(time_ms, "new", symbol, side, order_type, time_in_force, price, quantity, client_order_id)


def _parse_amend(
    row: list[str], instruments: Mapping[str, FlowInstrument], sent: Mapping[str, FlowMessage]
) -> FlowMessage:
    *between, price, quantity_text, client_order_id = row[2:]
    if any(between):
        raise BadRow(
            "an amend has only time_ms, action, price, quantity and client_order_id; the fields between must be empty"
        )
    if client_order_id not in sent:
        raise BadRow(f"amends {client_order_id!r}, which no earlier row sends")
    order = sent[client_order_id]
    if order.order_type == "market":
        raise BadRow(f"amends {client_order_id!r}, a market order: it never rests")
    if not price and not quantity_text:
        raise BadRow("an amend changes the price, the quantity or both")
    instrument = instruments[order.symbol]
    _check_price(price or order.price, instrument)
    quantity = _quantity(quantity_text, instrument) if quantity_text else order.quantity
    return order._replace(action="amend", price=price or order.price, quantity=quantity)


def _check_terms(order_type: str, time_in_force: str, price: str, instrument: FlowInstrument) -> None:
    if order_type not in _TIMES_IN_FORCE:
        raise BadRow(f"order_type {order_type!r} is neither limit nor market")
    if time_in_force not in _TIMES_IN_FORCE[order_type]:
        allowed = " or ".join(_TIMES_IN_FORCE[order_type])
        raise BadRow(f"time_in_force {time_in_force!r} of a {order_type} order must be {allowed}")
    if order_type == "market":
        if price:
            raise BadRow("a market order has no price")
        return
    _check_price(price, instrument)


def _check_price(price: str, instrument: FlowInstrument) -> None:
    # The venue refuses such prices with a 4xx, which makes no order to check. A price outside the band makes a rejected order.
    if not _PRICE.fullmatch(price) or not Decimal(price):
        raise BadRow(f"price {price!r} is not a positive decimal number")
    if Decimal(price) % instrument.tick_size:
        raise BadRow(f"price {price} is no multiple of the tick {instrument.tick_size} of {instrument.symbol}")


def _quantity(text: str, instrument: FlowInstrument) -> int:
    quantity = _whole("quantity", text)
    if not 1 <= quantity <= instrument.max_quantity:
        raise BadRow(f"quantity {quantity} is not between 1 and {instrument.max_quantity} lots")
    return quantity


def _whole(name: str, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise BadRow(f"{name} {text!r} is not a whole number")
    return int(text)
