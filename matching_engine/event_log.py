"""The events of a call, while the engine writes them."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar

import cython
import numpy as np

from matching_engine.pools import grown, rows
from matching_engine.records import EVENT, Command

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.faults import Fault
    from matching_engine.records import EventKind

    def record_at(row: EventOut) -> EventOut:
        """A row to be read and written: in C its address, here itself."""
        return row

    def clear(row: EventOut) -> None:
        """Makes a row blank."""
        EventOut.__init__(row)


@dataclass(slots=True)
class EventOut:
    """An EVENT of the uncompiled engine."""

    LAYOUT: ClassVar[str] = "u8 u8 u8 i8 i8 i8 i8 i8 i8 i8 u4 u4 u4 u4 u2 u1 u1 u1 u1 u1 u1"

    seq: int = 0
    order_id: int = 0
    maker_order_id: int = 0
    price_ticks: int = 0
    quantity_lots: int = 0
    leaves_lots: int = 0
    amount_fen: int = 0
    fee_fen: int = 0
    maker_fee_fen: int = 0
    reserve_fen: int = 0
    account: int = 0
    maker_account: int = 0
    number: int = 0
    date: int = 0
    instrument: int = 0
    kind: int = 0
    reason: int = 0
    side: int = 0
    order_type: int = 0
    phase: int = 0
    reserved_u1: int = 0


VALUES = attrgetter(*(EVENT.names or ()))
WORDS = EVENT.itemsize // 8


class EventLog:
    """Rows 0 to `size` - 1 of a pool that `reserve` grows before the commands run; `seq` is the present command's."""

    def __init__(self) -> None:
        self.size = 0
        self.seq = 0
        self.fault = 0
        self.rows = rows(EventOut, 64)
        self._words = self._as_words()

    def reserve(self, events: int) -> int:
        """Makes room for `events` more; returns the rows there are. Raises MemoryError, nothing changed."""
        if self.size + events > len(self.rows):
            self.rows = grown(self.rows, self.size, max(self.size + events, 2 * len(self.rows)))
            self._words = self._as_words()
        return len(self.rows)

    def _as_words(self) -> Any:
        """The rows as an array of words, made once for each pool: making it costs more than copying an event."""
        return self.rows.base.view("u8") if cython.compiled else None  # type: ignore[attr-defined]

    def add(self, kind: int, reason: int) -> EventOut:
        """A new event of the present command, otherwise blank: its row, to be filled in."""
        i = self.size
        if i == len(self.rows):
            self.fault = Fault.NO_ROOM
            i = 0
        self.size = i + 1
        event = record_at(self.rows[i])
        clear(event)
        event.seq = self.seq
        event.kind = kind
        event.reason = reason
        return event

    def reject(self, c: Command, reason: int, order_id: int) -> None:
        """The answer to a command that isn't carried out."""
        event = self.add(EventKind.REJECTED, reason)
        event.order_id = order_id
        event.account = c.account
        event.instrument = c.instrument
        event.side = c.side
        event.price_ticks = c.price_ticks
        event.quantity_lots = c.quantity_lots

    def take(self) -> Any:
        """The events as an EVENT array of their own; the log is empty again."""
        if cython.compiled:
            # As whole words: numpy copies records field by field.
            events = self._words[: self.size * WORDS].copy().view(EVENT)
        else:
            events = np.array([VALUES(row) for row in self.rows[: self.size]], EVENT)
        self.size = 0
        return events
