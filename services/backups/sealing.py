"""Writes closed trading days into archives: a folder for each, whole or not at all, read back before it gets its name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from matching_engine.records import EVENT, EventKind
from services.backups.errors import BackupFailed
from services.backups.files import check_device, drop_pages, hash_file, new_file, write_file
from services.backups.trade_file import TradeFiles
from services.files.new_folder import new_folder
from services.journal import Journal, JournalBatch, JournalError
from services.journal.archives.blocks import BLOCK_BYTES, pack
from services.journal.archives.day import MANIFEST, ROWS, TRADES, ArchivedDay, ArchivedEnd, Block, HashedFile
from services.journal.archives.reading import Archives, read_block
from services.journal.chain import ChainEnd, decode_next
from services.values.times import date_text

OnSeq = Callable[[int], None]
"""Is called with the sequence number that is reached."""


class ClosedDay(NamedTuple):
    """A trading day that has ended, and its rows."""

    date: int
    """yyyymmdd"""
    previous_date: int
    """The archived day before it; 0 before the first one."""
    begin: ChainEnd
    """The row before its first one."""
    end: ChainEnd
    """Its last row."""

    @property
    def name(self) -> str:
        """yyyy-mm-dd"""
        return date_text(self.date)


async def closed_days(journal: Journal, archived: ArchivedEnd, on_seq: OnSeq) -> list[ClosedDay]:
    """The days of the rows after the archived ones, oldest first; the day that is still open is none of them.

    A row in which a day begins is its first one. If several do, it is that of the last of them.
    """
    days: list[ClosedDay] = []
    previous_date = int(archived.day.replace("-", "") or 0)
    begin = end = archived.end
    date = 0
    async for batch in journal.read(begin.last_seq):
        if (rolled := _last_roll(batch)) is not None:
            if date:
                days.append(ClosedDay(date, previous_date, begin, end))
                begin, previous_date = end, date
            date = rolled
        end = ChainEnd.after(batch)
        on_seq(end.last_seq)
    return days


def _last_roll(batch: JournalBatch) -> int | None:
    """The last day that begins in it."""
    events = np.frombuffer(batch.events, EVENT)
    dates = events["date"][events["kind"] == EventKind.DAY_ROLLED]
    return int(dates[-1]) if len(dates) else None


async def seal_day(journal: Journal, day: ClosedDay, archives: Path, trades: TradeFiles, on_seq: OnSeq) -> ArchivedDay:
    """Writes the day's folder, reads it back and returns its manifest.

    Raises BackupFailed if the device fails, or holds other bytes than were written; FolderRefused if the folder is there.
    """
    with new_folder(archives / day.name) as unfinished:
        rows, blocks, row_count = await _write_rows(journal, day, unfinished / ROWS, on_seq)
        await trades.write(unfinished / TRADES, day.previous_date, day.date)
        sealed = ArchivedDay(
            journal_id=journal.journal_id.hex(),
            day=day.name,
            previous_day=date_text(day.previous_date),
            first_seq=day.begin.last_seq + 1,
            last_seq=day.end.last_seq,
            first_previous_hash=day.begin.hash.hex(),
            last_hash=day.end.hash.hex(),
            rows=row_count,
            plain_bytes=sum(block.plain_bytes for block in blocks),
            blocks=tuple(blocks),
            files=(rows, hash_file(unfinished / TRADES, TRADES)),
        )
        write_file(unfinished / MANIFEST, sealed.to_bytes())
        _read_back(unfinished, sealed, journal.journal_id)
    return sealed


async def _write_rows(
    journal: Journal, day: ClosedDay, path: Path, on_seq: OnSeq
) -> tuple[HashedFile, list[Block], int]:
    digest, size = sha256(), 0
    blocks: list[Block] = []
    count = 0
    with new_file(path) as file:
        async for batches in _blocks(journal, day):
            rows = b"".join(batch.encode() for batch in batches)
            packed = pack(rows)
            file.write(packed)
            digest.update(packed)
            size += len(packed)
            blocks.append(Block(batches[0].first_seq, batches[-1].last_seq, len(packed), len(rows)))
            count += len(batches)
            on_seq(batches[-1].last_seq)
    return HashedFile(ROWS, size, digest.hexdigest()), blocks, count


async def _blocks(journal: Journal, day: ClosedDay) -> AsyncIterator[list[JournalBatch]]:
    """The day's rows, together up to about BLOCK_BYTES."""
    waiting: list[JournalBatch] = []
    size = 0
    async for batch in journal.read(day.begin.last_seq):
        waiting.append(batch)
        size += len(batch.encode())
        is_last = batch.last_seq == day.end.last_seq
        if is_last or size >= BLOCK_BYTES:
            yield waiting
            waiting, size = [], 0
        if is_last:
            return


def _read_back(folder: Path, day: ArchivedDay, journal_id: bytes) -> None:
    """Compares the files with what was written, and walks the chain of the rows in them. Raises BackupFailed."""
    for file in day.files:
        check_device(folder, file)
    try:
        _walk(folder / ROWS, day, journal_id)
    except (OSError, ValueError, JournalError) as error:
        raise BackupFailed(f"{folder / ROWS} cannot be read back: {error}. Nothing was archived") from error


def check_sealed(archives: Path, day: ArchivedDay, journal_id: bytes) -> None:
    """Reads a day that was archived before, as one is read back that was just written. Raises ArchiveUnusable."""
    source = Archives(archives)
    if day.journal_id != journal_id.hex():
        raise source.damaged(
            day, f"it says journal {day.journal_id}, its rows are of {journal_id.hex()}", name=MANIFEST
        )
    for file in day.files:
        with suppress(OSError):  # check_files names it
            drop_pages(archives / day.day / file.path)
    source.check_files(day)
    try:
        _walk(archives / day.day / ROWS, day, journal_id)
    except (OSError, ValueError, JournalError) as error:
        raise source.damaged(day, str(error)) from error


def _walk(file: Path, day: ArchivedDay, journal_id: bytes) -> None:
    """Reads each row of the day in this file. Raises OSError, ValueError or JournalError unless they are one chain."""
    end = day.begin
    for at in range(len(day.blocks)):
        for record in read_block(file, day, at):
            end = ChainEnd.after(decode_next(record, journal_id, end))
    if end != day.end:
        raise ValueError(f"it ends at seq {end.last_seq} with another row than its manifest says")
