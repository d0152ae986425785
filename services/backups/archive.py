"""`rex archive`: closed trading days move from the journal's file into archives.

A day's rows leave the file only after its archive was written, synced and read back, and if they come before a good snapshot
and before the commands whose repeats and skips a start remembers: so a start reads no archive. What is interrupted is continued
by the next call: a day whose archive is whole is not written again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from services.backups.errors import BackupRefused
from services.backups.files import writing
from services.backups.leaving import let_leave
from services.backups.sealing import ClosedDay, check_sealed, closed_days, seal_day
from services.backups.trade_file import TradeFiles
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE, make_private_folder
from services.journal import JournalMissing
from services.journal.archives.day import ARCHIVES_FOLDER, ArchivedDay, ArchivedEnd, read_day
from services.journal.archives.reading import Archives
from services.journal.chain import ChainEnd
from services.journal.journal_lock import locked
from services.journal.sqlite import SqliteJournal
from services.read_model.read_witness import remembered
from services.sequencer.repeats import REMEMBERED_COMMANDS
from services.snapshots.errors import SnapshotRefused
from services.snapshots.folder import FolderStore
from services.snapshots.loading import newest_checked
from services.snapshots.taking import take
from services.venue.at_rest import ReadFrom, at_rest

OnProgress = Callable[[str, int, int], None]
"""Is called with what is done, the sequence number that is reached, and the last one."""


Stays = Literal["rows_kept", "last_commands", "no_snapshot"]
"""No row was to leave; the day has some of the last commands; no good snapshot comes after it."""


class Archived(NamedTuple):
    """What is in the archives, and what has left the journal."""

    days: tuple[ArchivedDay, ...]
    """The days whose rows were in the journal's file, oldest first."""
    left: tuple[ArchivedDay, ...]
    """Those of them whose rows are there no more."""
    snapshot_seq: int
    """Rows leave before this snapshot only; 0: there is no good one."""
    bytes_before: int
    bytes_after: int
    """Of the journal's file."""
    new: frozenset[str]
    """The days that this call sealed; the others were sealed before."""
    stays_after_seq: int | None
    """Rows after it stay, since a start remembers them; None: no row was to leave."""

    def stays_because(self, day: ArchivedDay) -> Stays | None:
        """Why the day's rows stay in the journal's file; None: they have left it."""
        if day in self.left:
            return None
        if self.stays_after_seq is None:
            return "rows_kept"
        return "last_commands" if day.last_seq > self.stays_after_seq else "no_snapshot"


async def archive(
    data_dir: Path, on_progress: OnProgress, *, keep_rows: bool = False, keep_commands: int = REMEMBERED_COMMANDS
) -> Archived:
    """Archives every closed day and lets its rows leave the journal. The journal keeps the days with its last `keep_commands`
    commands. If the newest snapshot is before a day that may leave, one is taken. With `keep_rows` no row leaves, and the venue
    may be running.

    Raises JournalMissing, JournalBusy while the venue runs, JournalCorrupt and JournalLost for a damaged journal,
    JournalRefused for one of another engine version; BackupRefused if an archive is there and holds other rows,
    ArchiveUnusable if it is damaged or an earlier one is missing; BackupFailed if the device fails, SnapshotFailed if it does
    not take the snapshot. Whatever is raised, no row is lost.
    """
    path = data_dir / JOURNAL_FILE
    _check_present(path)
    if keep_rows:
        (days, new), size = await _sealed(data_dir, on_progress), path.stat().st_size
        return Archived(tuple(days), (), 0, size, size, frozenset(new), None)
    await _empty_log(path)
    with locked(path):
        before = path.stat().st_size
        days, new = await _sealed(data_dir, on_progress)
        stays_after_seq = await _last_seq(path) - keep_commands
        left, snapshot_seq = await _leaving(data_dir, days, stays_after_seq, on_progress)
        if left:
            end = ArchivedEnd(left[-1].end, left[-1].day)
            _check_all_there(data_dir / ARCHIVES_FOLDER, end)
            on_progress("writing the journal", end.end.last_seq, end.end.last_seq)
            await let_leave(path, data_dir / ARCHIVES_FOLDER, end)
        after = path.stat().st_size
        return Archived(tuple(days), tuple(left), snapshot_seq, before, after, frozenset(new), stays_after_seq)


def _check_present(path: Path) -> None:
    """Raises JournalMissing: to open a journal for writing would make one."""
    if not path.exists() or not path.stat().st_size:
        raise JournalMissing.at(path)


async def _empty_log(path: Path) -> None:
    """Opens the journal as a venue does, which checks it, and closes it, which empties its log."""
    read_path = path.with_name(READ_DATABASE_FILE)
    await (await SqliteJournal.open(path, remembered=partial(remembered, read_path))).close()


async def _last_seq(path: Path) -> int:
    journal = await SqliteJournal.open(path, read_only=True)
    try:
        return ChainEnd.after(await journal.last_batch()).last_seq
    finally:
        await journal.close()


async def _sealed(data_dir: Path, on_progress: OnProgress) -> tuple[list[ArchivedDay], list[str]]:
    """Archives the days whose rows are in the journal's file, unless they are archived already; returns all of them, and the
    names of those that were not."""
    async with at_rest(data_dir) as venue:
        return await venue.with_read_database(partial(_seal, data_dir, on_progress))


async def _seal(data_dir: Path, on_progress: OnProgress, read: ReadFrom) -> tuple[list[ArchivedDay], list[str]]:
    archives = data_dir / ARCHIVES_FOLDER
    journal = await SqliteJournal.open(data_dir / JOURNAL_FILE, read_only=True)
    try:
        last = await journal.last_batch()
        end = 0 if last is None else last.last_seq
        archived = await journal.archived()
        _check_all_there(archives, archived)
        days = await closed_days(journal, archived, lambda seq: on_progress("finding days", seq, end))
        sealed: list[ArchivedDay] = []
        new: list[str] = []
        if days:
            with writing(archives):
                make_private_folder(archives)
        async with read.database.connect() as connection:
            trades = await TradeFiles.of(connection) if days else None
            for day in days:
                await asyncio.sleep(0)  # A day that is there is read in one go: the loop must see Ctrl-C.
                if (archives / day.name).exists():
                    sealed.append(_same(archives, day, journal.journal_id))
                elif trades is not None:
                    show = partial(on_progress, f"archiving {day.name}")
                    sealed.append(await seal_day(journal, day, archives, trades, lambda seq: show(seq, end)))  # noqa: B023
                    new.append(day.name)
        return sealed, new
    finally:
        await journal.close()


async def _leaving(
    data_dir: Path, days: list[ArchivedDay], stays_after_seq: int, on_progress: OnProgress
) -> tuple[list[ArchivedDay], int]:
    """The days whose rows may leave, and the seq of the snapshot that comes after them."""
    journal, store = await SqliteJournal.open(data_dir / JOURNAL_FILE, read_only=True), FolderStore.of(data_dir)
    try:
        last = await journal.last_batch()
        end = 0 if last is None else last.last_seq
        may_leave = [day for day in days if day.last_seq <= stays_after_seq]
        if not may_leave:
            return [], 0
        snapshot_seq = await _newest_good(journal, store)
        if snapshot_seq <= may_leave[-1].last_seq:
            await take(journal, store, on_progress=lambda seq: on_progress("taking a snapshot", seq, end))
            snapshot_seq = await _newest_good(journal, store)
        return [day for day in may_leave if day.last_seq < snapshot_seq], snapshot_seq
    finally:
        await journal.close()


async def _newest_good(journal: SqliteJournal, store: FolderStore) -> int:
    """The seq of the newest snapshot that an engine begins with; 0: there is none."""
    async for snapshot in newest_checked(journal, store):
        try:
            snapshot.engine()
        except SnapshotRefused:
            continue
        return snapshot.header.seq
    return 0


def _check_all_there(archives: Path, end: ArchivedEnd) -> None:
    """Raises ArchiveUnusable if a day up to this end is missing: its folder may be a link to a device that is not mounted."""
    for _ in Archives(archives, end).days():
        pass


def _same(archives: Path, day: ClosedDay, journal_id: bytes) -> ArchivedDay:
    """The archive that is there, read from end to end: the rows may leave now, and then it is their only place.

    Raises BackupRefused if it is of other rows, ArchiveUnusable if it is damaged.
    """
    found = read_day(archives / day.name)
    if (found.begin, found.end) != (day.begin, day.end):
        raise BackupRefused(
            f"{archives / day.name} is the archive of other rows (seq {found.first_seq} to {found.last_seq}) than the journal's"
            f" (seq {day.begin.last_seq + 1} to {day.end.last_seq}): move it away. Nothing was archived"
        )
    check_sealed(archives, found, journal_id)
    return found
