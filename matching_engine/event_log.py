"""The event log: the events of a call, as the engine writes them."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import cython
import numpy as np

from matching_engine.pools import MOST_EVENTS, Loan, grown, rows
from matching_engine.record_rows import EventOut
from matching_engine.records import EVENT, Command

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.faults import Fault
    from matching_engine.records import EventKind

    def record_at(row: EventOut) -> EventOut:
        """A row for reading and writing: its address in C, the row itself here."""
        return row

    def clear(row: EventOut) -> None:
        """Sets every field of a row to 0."""
        EventOut.__init__(row)


VALUES = attrgetter(*(EVENT.names or ()))
WORDS = EVENT.itemsize // 8


class EventLog:
    """Events in rows 0 to `size` - 1 of a pool, grown by `reserve` before the commands run. `seq` is the current command's."""

    def __init__(self) -> None:
        self.size = 0
        self.seq = 0
        self.fault = 0
        self._lent = False  # whether the last events may be lent: cheaper than asking the loan
        self._use(Loan(rows(EventOut, 64, MOST_EVENTS)))
        self._spare = Loan(rows(EventOut, 1))

    def begin(self) -> int:
        """Begins a call; returns the number of rows. Arrays of events that a caller still holds do not change: the call
        then uses other rows. Where it raises MemoryError, no event has changed."""
        self.size = 0
        if self._lent and not self._loan.ended():
            held, spare = self._loan, self._spare
            reusable = spare.ended() and len(spare.pool) >= len(self.rows)
            self._use(spare if reusable else Loan(rows(EventOut, len(self.rows), MOST_EVENTS)))
            self._spare = held
        self._lent = False
        return len(self.rows)

    def reserve(self, events: int) -> int:
        """Makes room for `events` more events; returns the number of rows. Where it raises MemoryError, nothing has changed."""
        if self.size + events > len(self.rows):
            self._use(Loan(grown(self.rows, self.size, max(self.size + events, 2 * len(self.rows)))))
        return len(self.rows)

    def _use(self, loan: Loan) -> None:
        self.rows = loan.pool
        self._loan = loan

    def add(self, kind: int, reason: int) -> EventOut:
        """Adds an event of the current command; returns its row, whose other fields are 0. A full pool is the fault NO_ROOM."""
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

    def reject(self, command: Command, reason: int, order_id: int) -> None:
        """Emits REJECTED for a command that is not carried out."""
        event = self.add(EventKind.REJECTED, reason)
        event.order_id = order_id
        event.account = command.account
        event.instrument = command.instrument
        event.side = command.side
        event.price_ticks = command.price_ticks
        event.quantity_lots = command.quantity_lots

    def take(self) -> Any:
        """The events as an EVENT array that later calls do not change; empties the log."""
        if cython.compiled:
            # Lends at most two pools: while the events of an earlier call are held as well, these are copied.
            self._lent = self._spare.ended()
            events = self._loan.first(self.size * WORDS, self._lent).view(EVENT)
        else:
            events = np.array([VALUES(row) for row in self.rows[: self.size]], EVENT)
        self.size = 0
        return events
