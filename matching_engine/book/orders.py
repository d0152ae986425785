"""The rows of the order book: an open order, and an instrument's last price."""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.records import I32, I64, U8, U16, U32, U64

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.record_rows import BookEventOut
    from matching_engine.records import BookCommand, OrderType

    def order_at(row: Order) -> Order:
        """A row of a pool, to be read and written: in C its address, here itself."""
        return row

    def event_at(row: BookEventOut) -> BookEventOut:
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

    order_id: U64 = 0
    price_ticks: I64 = 0
    shown_lots: U32 = 0
    hidden_lots: U32 = 0
    display_lots: U32 = 0
    filled_lots: U32 = 0
    account: U32 = 0
    owner: U32 = 0
    level: I32 = 0
    prev: I32 = 0
    next: I32 = 0
    time_s: U32 = 0
    instrument: U16 = 0
    side: U8 = 0
    order_type: U8 = 0
    time_in_force: U8 = 0
    self_trade: U8 = 0
    flags: U8 = 0
    waiting: U8 = 0


@dataclass(slots=True)
class Last:
    """An instrument's last price, once it has `traded`; whether a bare book is `collecting` orders for its call auction."""

    price_ticks: I64 = 0
    traded: I32 = 0
    collecting: I32 = 0


def refills_of(hidden_lots: int, display_lots: int) -> int:
    """How often an iceberg with so many hidden lots shows the next ones: ceil(hidden / display); 0 without display."""
    if display_lots == 0:
        return 0
    return (hidden_lots + display_lots - 1) // display_lots


def release(order: Order) -> None:
    """A triggered stop is a MARKET or LIMIT order from now on."""
    order.order_type = OrderType.MARKET if order.order_type == OrderType.STOP else OrderType.LIMIT
