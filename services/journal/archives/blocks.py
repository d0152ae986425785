"""Rows as blocks: the bytes of whole batches, one after the other, compressed as a frame of zstd."""

from __future__ import annotations

from collections.abc import Iterator

from services.journal.batch import HEADER, MAGIC, BatchHeader
from services.journal.chain import Record

BLOCK_BYTES = 2**20
"""A block is closed when it has so many bytes: reading one row unpacks no more. Larger blocks are no smaller on the device."""

MOST_BYTES = 2**30
"""A block that promises more is damaged or forged."""

_LEVEL = 1
"""Of zstd. Level 3 is no smaller for rows of a journal; level 19 takes a fifth less and 300 times as long."""


def pack(rows: bytes) -> bytes:
    """The frame of these rows."""
    import pyarrow as pa  # here and not above: its import takes longer than the start of most commands

    packed: bytes = pa.Codec("zstd", compression_level=_LEVEL).compress(rows, asbytes=True)
    return packed


def unpack(frame: bytes, plain_bytes: int) -> bytes:
    """The rows of a frame. Raises ValueError if they are not of this size, or the frame is damaged."""
    import pyarrow as pa

    if not 0 < plain_bytes <= MOST_BYTES:
        raise ValueError(f"a block cannot have {plain_bytes:,} bytes")
    try:
        rows: bytes = pa.Codec("zstd").decompress(frame, plain_bytes, asbytes=True)
    except (OSError, pa.ArrowException) as error:
        raise ValueError(str(error)) from error
    if len(rows) != plain_bytes:
        raise ValueError(f"a block has {len(rows):,} bytes, not {plain_bytes:,}")
    return rows


def records(rows: bytes) -> Iterator[Record]:
    """The rows one by one, as a backend stores them; unchecked but for their sizes. Raises ValueError."""
    at = 0
    while at < len(rows):
        if len(rows) - at < HEADER.size:
            raise ValueError("a block ends within a row")
        header = BatchHeader._make(HEADER.unpack_from(rows, at))
        if header.magic != MAGIC or not HEADER.size < header.size <= len(rows) - at:
            raise ValueError("a block does not consist of rows")
        yield header.first_seq, header.last_seq, header.epoch, rows[at : at + header.size]
        at += header.size
