"""A fault: a state the engine can never reach if it is right. The writer stops at it; nothing of the command is kept."""

from __future__ import annotations

from enum import IntEnum


class Fault(IntEnum):
    """What was found to be impossible. `faults.pxd` mirrors the codes."""

    NONE = 0
    NO_ROOM = 1
    """A pool is full: the caller did not `reserve` room for the command."""
    ORDER_LOST = 2
    """A resting order is not in the index of orders, or a price level does not lead to it."""
    NOT_IN_SEQUENCE = 3
    """A command's seq is not the one after the last."""
    CASH_NOT_CONSERVED = 4
    """The accounts' cash is not what was deposited less what was withdrawn."""
    INVENTORY_NOT_CONSERVED = 5
    """The accounts' lots of an instrument are not what was received less what was released."""
    OVERDRAWN = 6
    """An account holds less than it has reserved, or has reserved less than nothing."""


class EngineFault(Exception):
    """The engine contradicts itself: `code` (a `Fault`) says how, `seq` at which command.

    From an `Engine`, `seq` is the command's sequence number; from a bare `OrderBook`, the command's place in the array
    given to `process`, counted from 1. The object that raised it is spent and raises again on every further command.
    """

    def __init__(self, code: int, seq: int) -> None:
        super().__init__(code, seq)
        self.code = code
        self.seq = seq

    def __str__(self) -> str:
        return f"engine fault {self.code} ({Fault(self.code).name}) at command {self.seq}"
