"""Archived days as the source of a restore: copied beside a journal, or made into a journal of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from services.backups.errors import BackupRefused
from services.backups.files import copy_file, writing
from services.backups.interruptible import Check
from services.backups.manifest import Manifest
from services.backups.proof import prove_copy
from services.files.data_folder import FOLDER_MODE, JOURNAL_FILE
from services.files.new_folder import new_folder
from services.journal import JournalBatch, JournalError
from services.journal.archives.day import ARCHIVES_FOLDER, MANIFEST, ArchivedEnd
from services.journal.archives.reading import Archives
from services.journal.chain import EMPTY, ChainEnd, decode_next
from services.journal.copying import SqliteTarget
from services.journal.witness import Witness

OnProgress = Callable[[str, int, int], None]
"""Is called with what is done, how much of it is done, and how much there is."""


def copy_days(source: Archives, data_dir: Path, on_progress: Callable[[int, int], None], check: Check) -> None:
    """Copies every archived day into a new data folder, durably; compares each file with its manifest.

    Raises ArchiveUnusable for a day that is missing or damaged, BackupFailed if the device fails.
    """
    copied = Archives(data_dir / ARCHIVES_FOLDER)
    with writing(copied.folder):
        copied.folder.mkdir(FOLDER_MODE)
    for day in source.days():
        check()
        source.check_files(day)
        for name in (MANIFEST, *(file.path for file in day.files)):
            copy_file(source.folder / day.day / name, copied.folder / day.day / name, name, lambda _: check())
        on_progress(day.last_seq, source.end.end.last_seq)


async def restore_days(
    folder: Path, data_dir: Path, last_day: str | None, witnesses: Sequence[Witness], on_progress: OnProgress
) -> Manifest:
    """Makes a data folder from archived days alone: their rows become a whole journal up to the end of `last_day`, or of the
    newest archived day. The journal is re-executed, and must agree with each witness.

    Raises FolderRefused if there is something in `data_dir`; ArchiveUnusable for a day that is missing or damaged;
    BackupRefused if the rows contradict a witness, BackupFailed if the journal cannot be written. Then nothing is there.
    """
    archives = _up_to(folder, last_day)
    with new_folder(data_dir) as unfinished:
        path = unfinished / JOURNAL_FILE
        await _unpack(archives, path, partial(on_progress, "unpacking"))
        proof = await prove_copy(path, folder, witnesses, partial(on_progress, "re-executing"), whole=True)
    return proof.manifest([])


def _up_to(folder: Path, last_day: str | None) -> Archives:
    archives = Archives(folder)
    names = archives.names()
    if not names:
        raise BackupRefused(f"there is no archived day in {folder}: name the folder `archives` of a data folder")
    if last_day is not None and last_day not in names:
        raise BackupRefused(
            f"there is no archive of {last_day} in {folder}: it has days from {names[0]} to {names[-1]}"
        )
    day = archives.day(last_day or names[-1])
    return Archives(folder, ArchivedEnd(day.end, day.day))


async def _unpack(archives: Archives, path: Path, on_progress: Callable[[int, int], None]) -> None:
    journal_id = bytes.fromhex(archives.day(archives.end.day).journal_id)
    target, end, epoch = SqliteTarget(path), EMPTY, 0
    try:
        await target.begin(journal_id)
        while end.last_seq < archives.end.end.last_seq:
            batches = _decoded(archives, journal_id, end)
            end = ChainEnd.after(batches[-1])
            await target.add(batches)
            epoch = batches[-1].epoch
            on_progress(end.last_seq, archives.end.end.last_seq)
            await asyncio.sleep(0)  # Nothing above lets the loop run, which must see Ctrl-C.
        await target.finish(epoch)
    finally:
        await target.close()


def _decoded(archives: Archives, journal_id: bytes, end: ChainEnd) -> list[JournalBatch]:
    """The rows of the next block, which continue `end`. Raises ArchiveUnusable."""
    batches: list[JournalBatch] = []
    try:
        for record in archives.after(end.last_seq):
            batches.append(decode_next(record, journal_id, end))
            end = ChainEnd.after(batches[-1])
    except JournalError as error:
        raise archives.naming_day(error) from error
    return batches
