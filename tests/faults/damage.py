"""The kinds of damage to a file, chosen at random by seed. Each changes at least one byte, or the length."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from services.files.data_folder import READ_DATABASE_FILE

PAGE_BYTES = 4_096
WAL_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES
DATABASE_HEADER_BYTES = 100

Damage = Callable[[bytearray, Random], str]
"""Damages the bytes in place. Returns a description."""


def flip_bit(data: bytearray, random: Random) -> str:
    at, bit = random.randrange(len(data)), random.randrange(8)
    data[at] ^= 1 << bit
    return f"bit {bit} of byte {at} flipped"


def zero_range(data: bytearray, random: Random) -> str:
    return _zero(data, random.randrange(len(data)), random.randint(1, 512))


def zero_page(data: bytearray, random: Random) -> str:
    return _zero(data, random.randrange(_pages(data)) * PAGE_BYTES, PAGE_BYTES)


def garbage_range(data: bytearray, random: Random) -> str:
    at = random.randrange(len(data))
    end = min(len(data), at + random.randint(8, 2_048))
    data[at:end] = random.randbytes(end - at)
    return f"bytes {at} to {end} are garbage"


def garbage_tail(data: bytearray, random: Random) -> str:
    tail = random.randbytes(random.randint(1, 3 * PAGE_BYTES))
    data += tail
    return f"{len(tail)} bytes of garbage behind the end"


def truncate(data: bytearray, random: Random) -> str:
    return _truncate(data, random.randrange(len(data)))


def truncate_at_page(data: bytearray, random: Random) -> str:
    return _truncate(data, random.randrange(_pages(data)) * PAGE_BYTES)


def duplicate_page(data: bytearray, random: Random) -> str:
    one, other = random.randrange(_pages(data)), random.randrange(_pages(data))
    data[_page(other)] = data[_page(one)]
    return f"page {other} overwritten with page {one}"


def swap_pages(data: bytearray, random: Random) -> str:
    one, other = random.randrange(_pages(data)), random.randrange(_pages(data))
    data[_page(one)], data[_page(other)] = data[_page(other)], data[_page(one)]
    return f"pages {one} and {other} swapped"


def database_header(data: bytearray, random: Random) -> str:
    return _change_byte(data, random.randrange(min(DATABASE_HEADER_BYTES, len(data))), random)


def page_header(data: bytearray, random: Random) -> str:
    return _change_byte(data, random.randrange(_pages(data)) * PAGE_BYTES + random.randrange(8), random)


def wal_header(data: bytearray, random: Random) -> str:
    """Damages the log's header: magic, format, page size, checkpoint number, salts, checksum."""
    return _change_byte(data, random.randrange(WAL_HEADER_BYTES), random)


def frame_header(data: bytearray, random: Random) -> str:
    """Damages a frame's header: page number, database size after the commit, salts, checksums."""
    return _change_byte(data, _frame(data, random) + random.randrange(FRAME_HEADER_BYTES), random)


def frame_salt(data: bytearray, random: Random) -> str:
    return _change_byte(data, _frame(data, random) + random.randrange(8, 16), random)


def frame_checksum(data: bytearray, random: Random) -> str:
    return _change_byte(data, _frame(data, random) + random.randrange(16, 24), random)


def flip_frame_bit(data: bytearray, random: Random) -> str:
    at = _frame(data, random) + random.randrange(FRAME_BYTES)
    data[at] ^= 1 << random.randrange(8)
    return f"a bit of byte {at} flipped"


def swap_frames(data: bytearray, random: Random) -> str:
    one, other = _frame(data, random), _frame(data, random)
    first, second = bytes(data[one : one + FRAME_BYTES]), bytes(data[other : other + FRAME_BYTES])
    data[one : one + FRAME_BYTES], data[other : other + FRAME_BYTES] = second, first
    return f"the frames at {one} and {other} swapped"


def truncate_at_frame(data: bytearray, random: Random) -> str:
    return _truncate(data, _frame(data, random))


ANY_FILE: tuple[Damage, ...] = (flip_bit, zero_range, garbage_range, garbage_tail, truncate)
DATABASE: tuple[Damage, ...] = (
    *ANY_FILE, flip_bit, flip_bit, zero_page, truncate_at_page, duplicate_page, swap_pages, database_header, page_header,
)  # fmt: skip
WAL: tuple[Damage, ...] = (
    *ANY_FILE, flip_bit, zero_page, duplicate_page, swap_pages, wal_header, frame_header, frame_salt, frame_checksum,
    flip_frame_bit, flip_frame_bit, swap_frames, truncate_at_frame,
)  # fmt: skip


FORGERIES = (
    "UPDATE accounts SET cash_fen = cash_fen + 1 WHERE account = 2",
    "UPDATE accounts SET reserved_fen = reserved_fen - 100 WHERE account = 2",
    "UPDATE holdings SET lots = lots + 1 WHERE account = 3",
    "DELETE FROM orders WHERE order_id = (SELECT max(order_id) FROM orders WHERE leaves_lots > 0)",
    "UPDATE orders SET leaves_lots = leaves_lots + 1 WHERE order_id = (SELECT max(order_id) FROM orders WHERE leaves_lots > 0)",
    "UPDATE api_keys SET scopes = 'read trade operate admin' WHERE account = 2",
)
"""Forgeries: SQL statements that change the read database's content but not its position."""


def forge(path: Path, random: Random) -> str:
    statement = random.choice(FORGERIES)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    return f"forged: {statement}"


def damage(path: Path, random: Random) -> str:
    """Applies one of the kinds to the file, or removes it (once in 40 times). Returns a description. The read database may also
    be forged: it stays a valid database with other content."""
    if path.name == READ_DATABASE_FILE and random.randrange(4) == 0:
        return forge(path, random)
    data = bytearray(path.read_bytes())
    if random.randrange(40) == 0 or not data:
        path.unlink()
        return "removed"
    before = bytes(data)
    kinds = WAL if path.name.endswith("-wal") else DATABASE if path.name.endswith(".sqlite") else ANY_FILE
    while data == before:
        kind = random.choice(kinds)
        said = kind(data, random)
    path.write_bytes(data)
    return f"{kind.__name__}: {said}"


def _pages(data: bytearray) -> int:
    return max(1, len(data) // PAGE_BYTES)


def _page(number: int) -> slice:
    return slice(number * PAGE_BYTES, (number + 1) * PAGE_BYTES)


def _frame(data: bytearray, random: Random) -> int:
    """The offset of a random frame of the log."""
    return WAL_HEADER_BYTES + random.randrange((len(data) - WAL_HEADER_BYTES) // FRAME_BYTES) * FRAME_BYTES


def _zero(data: bytearray, at: int, count: int) -> str:
    end = min(len(data), at + count)
    data[at:end] = bytes(end - at)
    return f"bytes {at} to {end} zeroed"


def _truncate(data: bytearray, length: int) -> str:
    was = len(data)
    del data[length:]
    return f"cut from {was} to {length} bytes"


def _change_byte(data: bytearray, at: int, random: Random) -> str:
    data[at] ^= random.randrange(1, 256)
    return f"byte {at} changed"
