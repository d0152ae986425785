"""The events of a call, while the engine writes them."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar

import cython
import numpy as np

from matching_engine.pools import MOST_EVENTS, Loan, grown, rows
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
        self._lent = False  # the latest events, perhaps; the loan knows, but asking it is dear for a single command
        self._use(Loan(rows(EventOut, 64, MOST_EVENTS)))
        self._spare = Loan(rows(EventOut, 1))

    def begin(self) -> int:
        """Begins a call; returns the rows there are. Events that were handed out stay as they are while somebody holds them:
        then the rows are others. Raises MemoryError, no event changed."""
        self.size = 0
        if self._lent and not self._loan.ended():
            held, spare = self._loan, self._spare
            reusable = spare.ended() and len(spare.pool) >= len(self.rows)
            self._use(spare if reusable else Loan(rows(EventOut, len(self.rows), MOST_EVENTS)))
            self._spare = held
        self._lent = False
        return len(self.rows)

    def reserve(self, events: int) -> int:
        """Makes room for `events` more; returns the rows there are. Raises MemoryError, nothing changed."""
        if self.size + events > len(self.rows):
            self._use(Loan(grown(self.rows, self.size, max(self.size + events, 2 * len(self.rows)))))
        return len(self.rows)

    def _use(self, loan: Loan) -> None:
        self.rows = loan.pool
        self._loan = loan

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
        """The events as an EVENT array that stays as it is; the log is empty again."""
        if cython.compiled:
            # While an earlier call's are held as well these are copied: nobody can hold more than two pools.
            self._lent = self._spare.ended()
            events = self._loan.first(self.size * WORDS, self._lent).view(EVENT)
        else:
            events = np.array([VALUES(row) for row in self.rows[: self.size]], EVENT)
        self.size = 0
        return events
