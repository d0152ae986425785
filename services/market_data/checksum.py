"""The checksum that lets a client prove its copy of a book equals the venue's.

CRC-32 (the one of zlib, PNG and Ethernet) over an ASCII text made of the top ten levels of each side: every level is
`price:quantity` with the price exactly as it is sent; the levels of a side, best first, are joined by `|`; bids, then `/`, then
asks. An empty side is an empty text, so an empty book is `/`.

    bids 100.10 × 3, 100.00 × 7; asks 100.20 × 5   →   crc32(b"100.10:3|100.00:7/100.20:5")
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

CHECKSUM_LEVELS = 10
"""How many levels of each side the checksum covers."""


def depth_checksum(bids: Iterable[tuple[str, int]], asks: Iterable[tuple[str, int]]) -> int:
    """CRC-32 of (price text, quantity in lots) pairs, best first; pass at most CHECKSUM_LEVELS of each side."""
    text = "|".join([f"{price}:{quantity}" for price, quantity in bids])
    text += "/" + "|".join([f"{price}:{quantity}" for price, quantity in asks])
    return crc32(text.encode("ascii"))
