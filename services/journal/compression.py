"""The compressed form of a row, row format 2. Only devices hold it; the batch, its bytes, its hash and the chain do not change.

Layout, little-endian:

HEADER        that of the batch, with row format 2; `size` is that of the batch's bytes
body          raw deflate (RFC 1951) of the batch's commands, its events, both transposed, and its attachments
hash, CRC     the last 36 bytes of the batch: BLAKE2b-256 and CRC-32 of its bytes
CRC           CRC-32 of everything before it

To transpose n records is to write the first byte of each, then the second byte of each, and so on: equal fields of successive
records come together. Deflate then makes the result a tenth as large, and in less time than the records one after another.

Rows are compressed where a journal is written at once: a simulated year, `rex journal copy`. A running venue appends plain
rows: compression would take 6 to 20 % of the CPU of its write path (docs/durability.md has the measurements).
"""

from __future__ import annotations

import zlib

import numpy as np

from services.journal.batch import BATCH_FORMAT, HASH_BYTES, HEADER, MAGIC, BatchHeader, check_versions, ends_of_records
from services.journal.errors import JournalCorrupt
from services.journal.record_layouts import layouts_of

COMPRESSED_FORMAT = 2
"""The row format of a compressed row."""

LEAST_BYTES = 1_024
"""Smaller rows are stored plain: reading a compressed row takes some microseconds, whatever its size."""

MOST_BYTES = 64 * 2**20
"""Rows larger than this are stored plain, so a compressed row that promises more is damaged or forged."""

_LEVEL = 1
"""Of deflate. Level 6 takes three times as long and leaves a seventh less."""

_CRC_BYTES = 4
_TRAILER_BYTES = HASH_BYTES + _CRC_BYTES
_FORMAT = slice(len(MAGIC), len(MAGIC) + 2)
"""Where the row format stands in a row."""


def compress(data: bytes) -> bytes:
    """The row to store for a batch of these bytes: compressed; or the bytes themselves, if they are fewer than LEAST_BYTES or
    more than MOST_BYTES, or would not get smaller."""
    if not LEAST_BYTES <= len(data) <= MOST_BYTES:
        return data
    header = BatchHeader._make(HEADER.unpack_from(data))
    view = memoryview(data)
    (end_of_commands, end_of_events), layouts = ends_of_records(header), layouts_of(header.record_format)
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    compressed = b"".join(
        (
            HEADER.pack(*header._replace(batch_format=COMPRESSED_FORMAT)),
            deflate.compress(_transposed(view[HEADER.size : end_of_commands], layouts.command.itemsize)),
            deflate.compress(_transposed(view[end_of_commands:end_of_events], layouts.event.itemsize)),
            deflate.compress(view[end_of_events:-_TRAILER_BYTES]),
            deflate.flush(),
            view[-_TRAILER_BYTES:],
        )
    )
    return compressed + _crc(compressed) if len(compressed) + _CRC_BYTES < len(data) else data


def decompress(data: bytes) -> bytes:
    """The bytes of the batch that is stored as this row; those of a plain row are the row itself, unchecked.

    Raises JournalCorrupt, with the row's first sequence number, if the row is compressed and damaged, or does not hold what its
    header says; JournalRefused if it is intact and of another record format or engine version. It makes no more bytes
    than the header says, and no more than MOST_BYTES.
    """
    if not _is_compressed(data):
        return data
    header = BatchHeader._make(HEADER.unpack_from(data))
    seq = header.first_seq
    if len(data) < HEADER.size + _TRAILER_BYTES + _CRC_BYTES:
        raise JournalCorrupt(f"a row of {len(data)} bytes is shorter than a compressed row's header", seq)
    if data[-_CRC_BYTES:] != _crc(memoryview(data)[:-_CRC_BYTES]):
        raise JournalCorrupt(f"the row from seq {seq} is damaged: its checksum is wrong", seq)
    check_versions(header)
    (end_of_commands, end_of_events), layouts = ends_of_records(header), layouts_of(header.record_format)
    if not end_of_events + _TRAILER_BYTES <= header.size <= MOST_BYTES:
        raise JournalCorrupt(f"the row from seq {seq} cannot have the {header.size} bytes that its header says", seq)
    body = _inflated(memoryview(data)[HEADER.size : -_TRAILER_BYTES - _CRC_BYTES], header)
    commands_bytes, records_bytes = end_of_commands - HEADER.size, end_of_events - HEADER.size
    return b"".join(
        (
            HEADER.pack(*header._replace(batch_format=BATCH_FORMAT)),
            _records(body[:commands_bytes], layouts.command.itemsize),
            _records(body[commands_bytes:records_bytes], layouts.event.itemsize),
            body[records_bytes:],
            data[-_TRAILER_BYTES - _CRC_BYTES : -_CRC_BYTES],
        )
    )


def _is_compressed(data: bytes) -> bool:
    return (
        data.startswith(MAGIC)
        and int.from_bytes(data[_FORMAT], "little") == COMPRESSED_FORMAT
        and len(data) >= HEADER.size
    )


def _inflated(body: memoryview, header: BatchHeader) -> memoryview:
    """The body before deflate, of exactly the size that the header says. Raises JournalCorrupt."""
    size, seq = header.size - HEADER.size - _TRAILER_BYTES, header.first_seq
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = inflate.decompress(body, size + 1)
    except zlib.error as error:
        raise JournalCorrupt(f"the row from seq {seq} cannot be decompressed: {error}", seq) from error
    if len(found) != size or not inflate.eof or inflate.unused_data:
        raise JournalCorrupt(f"the row from seq {seq} does not hold the {header.size} bytes that its header says", seq)
    return memoryview(found)


def _transposed(records: memoryview, record_bytes: int) -> bytes:
    return np.frombuffer(records, np.uint8).reshape(-1, record_bytes).T.tobytes()


def _records(columns: memoryview, record_bytes: int) -> bytes:
    return np.frombuffer(columns, np.uint8).reshape(record_bytes, -1).T.tobytes()


def _crc(data: bytes | memoryview) -> bytes:
    return zlib.crc32(data).to_bytes(_CRC_BYTES, "little")
