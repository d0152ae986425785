"""`rex backup`: copies a data folder while its venue trades, and checks the copy before it says that there is one.

The journal is copied by SQLite, page by page, as of one commit. SQLite shows a commit only after it was synced, so every row of
the copy was on the venue's device. Meanwhile the venue appends as always; its write-ahead log is emptied when the copy is done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from services.alerts.webhook.position import POSITION_FILE
from services.backups.errors import BackupFailed, BackupRefused
from services.backups.files import copy_file, hash_file, writing
from services.backups.interruptible import Check, in_thread
from services.backups.manifest import Manifest
from services.backups.proof import CopyProof, prove_copy
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE, make_private_database, reason_of
from services.files.new_folder import new_folder, sync
from services.journal import JournalBusy
from services.journal.archives.day import ARCHIVES_FOLDER, HashedFile
from services.journal.connections import open_reader
from services.journal.journal_lock import last_taken
from services.journal.sqlite import SqliteJournal
from services.journal.witness import Witness
from services.read_model.read_witness import read_witness, remembered
from services.simulator.year.labels import LABELS_FILE
from services.snapshots.folder import FolderStore
from services.venue.first_start import KEYS_FILE

OnProgress = Callable[[str, int, int], None]
"""Is called with what is done, how much of it is done, and how much there is."""

_BEFORE = (POSITION_FILE, LABELS_FILE)
"""Copied before the journal: the position of the webhook is not beyond it then."""

_AFTER = (KEYS_FILE,)
"""Copied after it: a key is in its file before the journal makes it valid."""

_STEP_PAGES = 4_096
"""Pages between two reports of progress: 16 MiB."""


async def backup(data_dir: Path, folder: Path, on_progress: OnProgress, *, prove: bool = False) -> Manifest:
    """Makes the backup of a data folder, whose venue may be running, in `folder`. With `prove` every command is re-executed,
    also those before a snapshot and those in archives.

    Raises FolderRefused if there is something in `folder`; JournalMissing, JournalLost, JournalRefused as reading the journal
    does; BackupRefused if it is damaged, BackupFailed if the copy cannot be written, JournalBusy if a venue is started
    meanwhile. Then no backup is there.
    """
    known = await _known_rows(data_dir)
    with new_folder(folder) as unfinished:
        files = await in_thread(partial(_copy, _BEFORE, data_dir, unfinished))
        files += await _snapshots(data_dir, unfinished)
        path = unfinished / JOURNAL_FILE
        show = partial(on_progress, "copying the journal")
        await in_thread(partial(_copy_journal, data_dir / JOURNAL_FILE, path, show))
        files += await in_thread(partial(_copy, _AFTER, data_dir, unfinished))
        proof = await _proven(data_dir, path, known, partial(on_progress, "reading the copy"), prove=prove)
        files.append(await in_thread(lambda check: hash_file(path, JOURNAL_FILE, lambda _: check())))
        manifest = proof.manifest(files)
        manifest.write(unfinished)
    return manifest


async def _known_rows(data_dir: Path) -> list[Witness]:
    """What the read database knows of the journal, before that is copied. Raises as opening the journal does."""
    path, read_path = data_dir / JOURNAL_FILE, data_dir / READ_DATABASE_FILE
    journal = await SqliteJournal.open(path, read_only=True, remembered=partial(remembered, read_path))
    await journal.close()
    known = read_witness(read_path, journal.journal_id).witness
    return [] if known is None else [known]


def _copy(names: tuple[str, ...], data_dir: Path, unfinished: Path, check: Check) -> list[HashedFile]:
    return [
        copy_file(data_dir / name, unfinished / name, name, lambda _: check())
        for name in names
        if (data_dir / name).exists()
    ]


def _copy_journal(source: Path, target: Path, on_progress: Callable[[int, int], None], check: Check) -> None:
    """Copies the pages of one commit, durably. Raises BackupFailed, and JournalBusy if a venue is started meanwhile: to empty
    the log it needs the journal without readers, and it goes first."""
    taken = last_taken(source)

    def on_step(_status: int, left: int, pages: int) -> None:
        check()
        if left and last_taken(source) != taken:
            raise JournalBusy(
                f"another process was started on {source.parent} while its journal was copied: the backup gave way to it."
                " Nothing was made; make the backup again"
            )
        on_progress(pages - left, pages)

    with writing(target):
        make_private_database(target)
        try:
            with (
                closing(open_reader(source)) as reader,
                closing(sqlite3.connect(target, isolation_level=None)) as writer,
            ):
                reader.execute("BEGIN")  # Holds one commit: otherwise each append would begin the copy anew.
                reader.execute("SELECT epoch FROM meta").fetchone()
                reader.backup(writer, pages=_STEP_PAGES, progress=on_step)
        except sqlite3.Error as error:
            raise BackupFailed(
                f"{source} cannot be copied to {target}: {reason_of(target, error)}. Nothing was made"
            ) from error
        sync(target)


async def _snapshots(data_dir: Path, unfinished: Path) -> list[HashedFile]:
    """Copies the snapshots, before the journal: none of them is beyond it then."""
    store = FolderStore.of(data_dir)
    sources = [store.path(kept.seq) for kept in await store.kept()]
    return await in_thread(partial(_copy_snapshots, sources, data_dir, unfinished))


def _copy_snapshots(sources: list[Path], data_dir: Path, unfinished: Path, check: Check) -> list[HashedFile]:
    """Without one that is removed meanwhile."""
    copied = []
    for source in sources:
        name = str(source.relative_to(data_dir))
        try:
            copied.append(copy_file(source, unfinished / name, name, lambda _: check()))
        except BackupRefused as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            (unfinished / name).unlink()
    return copied


async def _proven(
    data_dir: Path, path: Path, known: list[Witness], on_progress: Callable[[int, int], None], *, prove: bool
) -> CopyProof:
    try:
        return await prove_copy(path, data_dir / ARCHIVES_FOLDER, known, on_progress, whole=prove)
    except BackupRefused as error:
        raise BackupRefused(
            f"the journal in {data_dir} cannot be backed up: {error}. Remove nothing: `rex journal verify` says how far it is"
            " good (docs/durability.md)",
            error.seq,
        ) from error
