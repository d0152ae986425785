"""The exchange as one deterministic state machine: no clock, no I/O, no log, no randomness, no float.

An order book alone, without accounts or money (the engine that keeps both is `Engine`):

    from matching_engine import OrderBook
    from matching_engine.records import BookEvent, CommandKind, Side

    book = OrderBook(instruments=1)
    book.submit(CommandKind.NEW_ORDER, order_id=1, side=Side.SELL, price_ticks=100, quantity_lots=5)
    for event in book.submit(CommandKind.NEW_ORDER, order_id=2, side=Side.BUY, price_ticks=101, quantity_lots=3):
        print(BookEvent(*event))       # ACCEPTED, then TRADE: 3 lots at 100, the price of the order that was there first
    book.depth(0, Side.SELL)           # [(100, 2, 1)]: price, total quantity, number of orders; best level first
    book.submit(CommandKind.CANCEL, order_id=1)

Prices are integer ticks, quantities integer lots. For speed give `process` a BOOK_COMMAND array; it returns BOOK_EVENTs.
"""

from __future__ import annotations

from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matching_engine.book.library import OrderBook
    from matching_engine.engine import Engine
    from matching_engine.faults import EngineFault

ENGINE_VERSION = 5
"""Number of the rules: a journal's commands are run again only by the version that made their events."""


def is_native() -> bool:
    """Whether the engine runs as native code; the plain Python it is written in does the same, about 100 times slower."""
    found = find_spec(f"{__name__}.engine")
    return found is not None and str(found.origin).endswith(tuple(EXTENSION_SUFFIXES))


def build_notice() -> str:
    """A sentence for people: which build this is."""
    if is_native():
        return "The matching engine runs as native code."
    return (
        "The matching engine runs as plain Python, about 100 times slower: it is not compiled."
        " `make native` compiles it with a C compiler."
    )


_MODULES = {"Engine": "engine", "EngineFault": "faults", "OrderBook": "book.library"}


def __getattr__(name: str) -> Any:
    """Imports a class when it is first used: numpy takes longer to import than `rex --version` may."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


__all__ = ["ENGINE_VERSION", "Engine", "EngineFault", "OrderBook", "build_notice", "is_native"]
