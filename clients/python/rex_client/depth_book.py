"""A copy of one instrument's book, built from the depth channel and compared with the venue's checksum after every push."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from typing import Any, NamedTuple
from zlib import crc32

CHECKSUM_LEVELS = 10


class OutOfStep(Exception):
    """A push does not follow the last one, or the checksum differs from the venue's: subscribe again for a snapshot."""


class BookLevel(NamedTuple):
    """The displayed lots and the number of orders at one price; the price as the venue writes it."""

    price: str
    quantity: int
    orders: int


class DepthBook:
    """The book of one symbol: pass every push of its depth subscription to `apply`; read `bids` and `asks`."""

    def __init__(self) -> None:
        self.symbol: str | None = None
        self.seq: int | None = None
        """The seq of the last push; None before the first snapshot."""
        self.incarnation: str | None = None
        self._bids = _Side(-1)
        self._asks = _Side(1)

    @property
    def bids(self) -> list[BookLevel]:
        """The buy side, best price first."""
        return self._bids.levels()

    @property
    def asks(self) -> list[BookLevel]:
        """The sell side, best price first."""
        return self._asks.levels()

    def apply(self, push: Mapping[str, Any]) -> None:
        """Applies a snapshot, which replaces the book, or an update, which changes some levels. Raises OutOfStep."""
        if push["type"] == "snapshot":
            self._bids.levels_by_key.clear()
            self._bids.keys.clear()
            self._asks.levels_by_key.clear()
            self._asks.keys.clear()
            self.symbol, self.incarnation = push["symbol"], push["incarnation"]
        elif self.seq is None or push["prev_seq"] != self.seq or push["incarnation"] != self.incarnation:
            raise OutOfStep(f"the update follows {push['prev_seq']}, this book stands at {self.seq}")
        data = push["data"]
        for level in data["bids"]:
            self._bids.set(level)
        for level in data["asks"]:
            self._asks.set(level)
        self.seq = push["seq"]
        if self.checksum() != data["checksum"]:
            self.seq = None
            raise OutOfStep(f"the checksum at {push['seq']} is not the venue's")

    def checksum(self) -> int:
        """CRC-32 over the top ten levels of each side, as docs/websocket.md defines it."""
        sides = ("|".join([f"{level.price}:{level.quantity}" for level in side.levels(CHECKSUM_LEVELS)])
                 for side in (self._bids, self._asks))  # fmt: skip
        return crc32("/".join(sides).encode("ascii"))


class _Side:
    # Prices of an instrument have the same number of decimals: the integer of their digits orders them.

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels_by_key: dict[int, BookLevel] = {}

    def set(self, level: Mapping[str, Any]) -> None:
        price: str = level["price"]
        key = self.sign * int(price.replace(".", ""))
        if level["quantity"]:
            if key not in self.levels_by_key:
                insort(self.keys, key)
            self.levels_by_key[key] = BookLevel(price, level["quantity"], level["orders"])
        elif self.levels_by_key.pop(key, None) is not None:
            del self.keys[bisect_left(self.keys, key)]

    def levels(self, count: int | None = None) -> list[BookLevel]:
        return [self.levels_by_key[key] for key in self.keys[:count]]
