"""The rows of the order book: an open order, and an instrument's last price."""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.records import I32, I64, U8, U16, U32, U64

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.record_rows import BookEventOut
    from matching_engine.records import BookCommand, OrderType

    def order_at(row: Order) -> Order:
        """A row of a pool for reading and writing: its address in C, the row itself here."""
        return row

    def event_at(row: BookEventOut) -> BookEventOut:
        """The same for an event of the book."""
        return row

    def command_at(row: BookCommand) -> BookCommand:
        """The same for a command of the book."""
        return row


@dataclass(slots=True)
class Order:
    """A slot: an open order, 64 bytes (one cache line).

    An order that rests in the book, or is `waiting` for its trigger, stands in the queue of `level`; a triggered stop in the
    line has no level. `next` links the queue, the line or the free list. `price_ticks` of a MARKET or STOP order is its
    protection price; 0: none. An iceberg shows `shown_lots` and hides `hidden_lots`; when the shown lots have traded, the next
    `display_lots` are shown. An incoming order has its whole quantity in `shown_lots`. The book does not use `time_s`.
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
    """The last price of an instrument, if it has `traded`; `collecting`: a bare book collects orders for a call auction."""

    price_ticks: I64 = 0
    traded: I32 = 0
    collecting: I32 = 0


def refills_of(hidden_lots: int, display_lots: int) -> int:
    """How many refills the hidden lots of an iceberg make: ceil(hidden / display); 0 without display."""
    if display_lots == 0:
        return 0
    return (hidden_lots + display_lots - 1) // display_lots


def release(order: Order) -> None:
    """Turns a triggered STOP into a MARKET order, a STOP_LIMIT into a LIMIT order."""
    order.order_type = OrderType.MARKET if order.order_type == OrderType.STOP else OrderType.LIMIT
