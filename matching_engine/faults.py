"""Faults: states that a correct engine never reaches. The writer stops at a fault and discards the command."""

from __future__ import annotations

from enum import IntEnum


class Fault(IntEnum):
    """The impossible state that was found."""

    NONE = 0
    NO_ROOM = 1
    """A pool is full: the caller did not `reserve` room for the command."""
    ORDER_LOST = 2
    """A resting order is missing from the index of ids, or from the queue of its price level."""
    NOT_IN_SEQUENCE = 3
    """The seq of a command is not the last one plus 1."""
    CASH_NOT_CONSERVED = 4
    """The cash of all accounts differs from deposits less withdrawals."""
    INVENTORY_NOT_CONSERVED = 5
    """The lots of an instrument in all accounts differ from receipts less releases."""
    OVERDRAWN = 6
    """An account holds less than it has reserved, or its reserve is negative."""


class EngineFault(Exception):
    """The engine is in an impossible state: `code` is the `Fault`, `seq` the command.

    From an `Engine`, `seq` is the sequence number of the command; from a bare `OrderBook`, its place in the array given to
    `process`, counted from 1. The object that raised it raises it again on every later command.
    """

    def __init__(self, code: int, seq: int) -> None:
        super().__init__(code, seq)
        self.code = code
        self.seq = seq

    def __str__(self) -> str:
        return f"engine fault {self.code} ({Fault(self.code).name}) at command {self.seq}"
