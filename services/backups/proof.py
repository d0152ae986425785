"""Checks a copied journal: rows are read back, their chain is checked, their commands are re-executed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from matching_engine import ENGINE_VERSION, Engine
from services.backups.errors import BackupRefused
from services.backups.manifest import Manifest
from services.journal import JournalBatch, JournalError, witness
from services.journal.archives.day import ArchivedEnd, HashedFile
from services.journal.chain import EMPTY, ChainEnd
from services.journal.connections import log_of
from services.journal.sqlite import SqliteJournal
from services.journal.verify import Verification, verify
from services.journal.witness import Witness
from services.snapshots.errors import SnapshotRefused
from services.snapshots.folder import FolderStore
from services.snapshots.loading import newest_checked
from services.values.times import time_text

OnProgress = Callable[[int, int], None]
"""Is called with the sequence number that is reached, and the last one."""


class CopyProof(NamedTuple):
    """What the copy holds."""

    result: Verification
    last: JournalBatch | None
    """Its last row."""
    archived: ArchivedEnd
    """Where the rows that are in archives end."""

    def manifest(self, files: Iterable[HashedFile]) -> Manifest:
        """What it says of the copy, with these files."""
        result, last = self.result, self.last
        assert result.state_hash is not None, "a copy is re-executed"
        return Manifest(
            journal_id=result.journal_id.hex(),
            archived_seq=self.archived.end.last_seq,
            archived_day=self.archived.day,
            last_seq=result.last_seq,
            last_hash=result.last_hash.hex(),
            last_time="" if last is None else time_text(last.time_ns),
            engine_version=ENGINE_VERSION if last is None else last.engine_version,
            state_hash=result.state_hash,
            files=tuple(files),
        )


async def prove_copy(
    path: Path, archives: Path, witnesses: Sequence[Witness], on_progress: OnProgress, *, whole: bool
) -> CopyProof:
    """Reads the journal at `path`, which nobody else has open, and leaves it as it was. Rows that have left the file are read
    from the folder `archives`.

    With `whole` every row is read and every command re-executed. Otherwise, if there is a good snapshot beside the file, the
    rows in the file are read, and those after the snapshot re-executed. Raises BackupRefused with the first error of the
    journal, or of a witness that it contradicts.
    """
    try:
        journal = await SqliteJournal.open(path, read_only=True, archives=archives)
        try:
            last, archived = await journal.last_batch(), await journal.archived()
            after, engine = await _beginning(journal, path, archived, whole=whole)
            for old in (known for known in witnesses if known.seq <= after.last_seq):
                await witness.check(journal, old)
            result = await verify(
                journal,
                after=after,
                engine=engine,
                witnesses=[known for known in witnesses if known.seq > after.last_seq],
                on_progress=lambda seq: on_progress(seq, 0 if last is None else last.last_seq),
            )
        finally:
            await journal.close()
            for beside in (log_of(path), path.with_name(f"{path.name}-shm")):
                beside.unlink(missing_ok=True)  # The log of a copy is empty: its rows are all in the file.
    except JournalError as error:
        raise BackupRefused(str(error), error.seq) from error
    if result.error is not None:
        raise BackupRefused(result.error, result.error_seq)
    return CopyProof(result, last, archived)


async def _beginning(
    journal: SqliteJournal, path: Path, archived: ArchivedEnd, *, whole: bool
) -> tuple[ChainEnd, Engine]:
    """The end of the rows that are not read, and the engine that executes those that are."""
    if not whole:
        async for snapshot in newest_checked(journal, FolderStore.of(path.parent)):
            with suppress(SnapshotRefused):
                return archived.end, snapshot.engine()
    return EMPTY, Engine()
