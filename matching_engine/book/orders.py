"""The rows of the order book: an open order, an instrument's last price, and a command and an event of plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cython

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.records import OrderType

    def order_at(row: Order) -> Order:
        """A row of a pool, to be read and written: in C its address, here itself."""
        return row

    def event_at(row: Event) -> Event:
        """Likewise."""
        return row

    def command_at(row: BookCommand) -> BookCommand:
        """Likewise."""
        return row


@dataclass(slots=True)
class Order:
    """A slot: an open order. In the book or `waiting` for its trigger it stands in the queue of a level, in the line of
    triggered stops it has none; `next` links the queue, the line or the free list.

    `price_ticks` of a MARKET or STOP order is its protection price; 0: none. An order shows `shown_lots` and hides
    `hidden_lots`, of which the next `display_lots` are shown when the shown ones have traded; coming in, it has all of its
    quantity in `shown_lots`. `time_s` is the engine's. 64 bytes: a line of memory.
    """

    LAYOUT: ClassVar[str] = "u8 i8 u4 u4 u4 u4 u4 u4 i4 i4 i4 u4 u2 u1 u1 u1 u1 u1 u1"

    order_id: int = 0
    price_ticks: int = 0
    shown_lots: int = 0
    hidden_lots: int = 0
    display_lots: int = 0
    filled_lots: int = 0
    account: int = 0
    owner: int = 0
    level: int = 0
    prev: int = 0
    next: int = 0
    time_s: int = 0
    instrument: int = 0
    side: int = 0
    order_type: int = 0
    time_in_force: int = 0
    self_trade: int = 0
    flags: int = 0
    waiting: int = 0


@dataclass(slots=True)
class Last:
    """An instrument's last price, once it has `traded`; whether a bare book is `collecting` orders for its call auction."""

    LAYOUT: ClassVar[str] = "i8 i4 i4"

    price_ticks: int = 0
    traded: int = 0
    collecting: int = 0


@dataclass(slots=True)
class BookCommand:
    """A BOOK_COMMAND."""

    LAYOUT: ClassVar[str] = "u8 i8 i8 u4 u4 u4 u4 u2 u1 u1 u1 u1 u1 u1"

    order_id: int = 0
    price_ticks: int = 0
    trigger_ticks: int = 0
    quantity_lots: int = 0
    display_lots: int = 0
    account: int = 0
    owner: int = 0
    instrument: int = 0
    kind: int = 0
    side: int = 0
    order_type: int = 0
    time_in_force: int = 0
    self_trade: int = 0
    flags: int = 0


@dataclass(slots=True)
class Event:
    """A BOOK_EVENT."""

    LAYOUT: ClassVar[str] = "u8 u8 i8 u4 u4 u4 u4 u2 u1 u1 u1 u1 u2"

    order_id: int = 0
    maker_order_id: int = 0
    price_ticks: int = 0
    quantity_lots: int = 0
    leaves_lots: int = 0
    account: int = 0
    maker_account: int = 0
    instrument: int = 0
    kind: int = 0
    side: int = 0
    reason: int = 0
    order_type: int = 0
    reserved_u2: int = 0


def refills_of(hidden_lots: int, display_lots: int) -> int:
    """How often an iceberg with so many hidden lots shows the next ones: ceil(hidden / display); 0 without display."""
    if display_lots == 0:
        return 0
    return (hidden_lots + display_lots - 1) // display_lots


def release(order: Order) -> None:
    """A triggered stop is a MARKET or LIMIT order from now on."""
    order.order_type = OrderType.MARKET if order.order_type == OrderType.STOP else OrderType.LIMIT
