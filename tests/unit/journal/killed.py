"""A journal as a kill leaves it: its files copied while a writer has them open."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from services.journal.batch import JournalBatch
from services.journal.compression import compress
from services.journal.connections import log_of, open_writer
from services.journal.wal import FRAME_HEADER_BYTES, HEADER_BYTES
from tests.unit.journal.chains import next_batch

FRAME_BYTES = FRAME_HEADER_BYTES + 4096


@dataclass(frozen=True)
class Image:
    """The contents of the two files, and the committed batches."""

    database: bytes
    log: bytes
    batches: tuple[JournalBatch, ...]

    def put(self, folder: Path) -> Path:
        """Writes the two files of a journal into the folder, and no others; returns the journal's path."""
        folder.mkdir(exist_ok=True)
        path = folder / "journal.sqlite"
        for stale in folder.iterdir():
            stale.unlink()
        path.write_bytes(self.database)
        log_of(path).write_bytes(self.log)
        return path

    def with_log(self, log: bytes) -> Image:
        return replace(self, log=log)

    @property
    def frames(self) -> list[bytes]:
        return [self.log[at : at + FRAME_BYTES] for at in range(HEADER_BYTES, len(self.log), FRAME_BYTES)]

    def commits(self) -> list[int]:
        """The offset in the log at which each commit of the present generation ends."""
        salts = self.log[16:24]
        return [
            HEADER_BYTES + (number + 1) * FRAME_BYTES
            for number, frame in enumerate(self.frames)
            if frame[8:16] == salts and frame[4:8] != bytes(4)
        ]


def killed(folder: Path, sizes: list[int], *, copied_at: int = 0, compressed: bool = False) -> Image:
    """An image after commits of these numbers of commands.

    After `copied_at` commits the log is copied into the database. So the next commit begins the log anew, over frames of which
    those behind its end stay: an older generation.
    """
    folder.mkdir(exist_ok=True)
    path = folder / "journal.sqlite"
    batches: list[JournalBatch] = []
    with closing(open_writer(path)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        (journal_id,) = writer.execute("SELECT journal_id FROM meta").fetchone()
        for number, size in enumerate(sizes, 1):
            batches.append(next_batch(batches[-1] if batches else None, size, journal_id=journal_id))
            batch = batches[-1]
            row = compress(batch.encode()) if compressed else batch.encode()
            writer.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", (batch.first_seq, batch.last_seq, 1, row))
            if number == copied_at:
                writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        return Image(path.read_bytes(), log_of(path).read_bytes(), tuple(batches))


def leave_in_log(path: Path, count: int) -> None:
    """Makes a closed journal look killed: its last `count` batches are in the log alone, a commit each."""
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        last = "SELECT * FROM rows ORDER BY first_seq DESC LIMIT ?"
        batches = writer.execute(last, (count,)).fetchall()[::-1]
        writer.execute("DELETE FROM rows WHERE first_seq >= ?", (batches[0][0],))
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        for batch in batches:
            writer.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", batch)
        database, log = files(path)
    path.write_bytes(database)
    log_of(path).write_bytes(log)


def files(path: Path) -> tuple[bytes, bytes]:
    """The contents of the database and of its log."""
    return path.read_bytes(), log_of(path).read_bytes()


def surviving(path: Path) -> int:
    """How many batches of the journal SQLite shows, opened as by any program."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            count: int = connection.execute("SELECT count(*) FROM rows").fetchone()[0]
        except sqlite3.OperationalError:
            return 0
    return count


def flip(data: bytes, at: int, bit: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def overwrite(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def damaged(log: bytes, rng: random.Random) -> tuple[bytes, int]:
    """The log with one damage of a random kind behind its header, and the first byte it changed."""
    frames = (len(log) - HEADER_BYTES) // FRAME_BYTES
    first, second = sorted(rng.sample(range(frames), 2))
    start, other = HEADER_BYTES + first * FRAME_BYTES, HEADER_BYTES + second * FRAME_BYTES
    at = rng.randrange(HEADER_BYTES, len(log))
    kind = rng.choice(["bit", "garbage", "zeros", "cut out", "swapped", "salts", "commit flag", "checksum", "copied"])
    match kind:
        case "bit":
            new = flip(log, at, rng.randrange(8))
        case "garbage":
            new = overwrite(log, at, rng.randbytes(min(rng.randrange(1, 6000), len(log) - at)))
        case "zeros":
            new = overwrite(log, at, bytes(min(4096, len(log) - at)))
        case "cut out":
            new = log[:at] + log[at + rng.randrange(1, 5000) :]
        case "swapped":
            one, two = log[start : start + FRAME_BYTES], log[other : other + FRAME_BYTES]
            new = overwrite(overwrite(log, start, two), other, one)
        case "salts":
            new = flip(log, start + 8 + rng.randrange(8))
        case "commit flag":
            new = overwrite(log, start + 4, b"\0\0\0\0" if log[start + 4 : start + 8] != bytes(4) else b"\0\0\0\7")
        case "checksum":
            new = flip(log, start + 16 + rng.randrange(8))
        case _:
            new = overwrite(log, other, log[start : start + FRAME_BYTES])
    changed = next((at for at, (old, now) in enumerate(zip(log, new, strict=False)) if old != now), len(new))
    return new, changed
