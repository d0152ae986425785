"""The work of `rex journal copy`. Apart from the command, since it imports both kinds of journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from services.cli.terminal import progress
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE, private_folder
from services.journal import JournalRefused
from services.journal.copying import Copied, CopyTarget, PostgresTarget, SqliteTarget, copy
from services.journal.sqlite import check_lock
from services.journal.verify import Verification, verify
from services.read_model.postgres.read_witness import read_witness as read_postgres_witness
from services.venue.at_rest import at_rest

SOURCE, TARGET = "--from", "--to"
"""The options that name the places."""


class CopyVerified(NamedTuple):
    """What was copied, and what was read back from the copy."""

    copied: Copied
    found: Verification

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "journal_id": self.copied.journal_id.hex(),
            "rows": self.copied.batches,
            "last_seq": self.copied.end.last_seq,
            "source_hash": self.copied.end.hash.hex(),
            "target_hash": self.found.last_hash.hex(),
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"copied {self.copied.batches:,} rows of journal {self.copied.journal_id.hex()}, read back and equal"
        yield f"source  {self.copied.end.last_seq}:{self.copied.end.hash.hex()}"
        yield f"target  {self.found.last_seq}:{self.found.last_hash.hex()}"


async def copy_journal(source: str | Path, target: str | Path, show: bool) -> CopyVerified:
    """Copies the journal at `source` to `target`, reads the copy back and compares its end. Shows a bar where `show` is true.

    Raises JournalRefused if the target is not empty, JournalBusy if a venue has the source folder, and what reading raises.
    """
    if isinstance(source, Path) and (source / JOURNAL_FILE).exists():
        check_lock(
            source / JOURNAL_FILE
        )  # before the reader opens the file: closing it would release SQLite's locks in it
    folder = private_folder(target) if isinstance(target, Path) else nullcontext()
    async with at_rest(source, setting=SOURCE) as venue:
        with folder, progress(show) as bar:
            last = await venue.journal.last_batch()
            task = bar.add_task("copying", total=last.last_seq if last is not None else 0)
            copied = await copy(venue.journal, await _target(target), lambda seq: bar.update(task, completed=seq))
            bar.update(task, description="reading back", completed=0)
            async with at_rest(target, setting=TARGET) as made:
                found = await verify(made.journal, on_progress=lambda seq: bar.update(task, completed=seq))
    if not found.good or (found.journal_id, found.last_hash) != (copied.journal_id, copied.end.hash):
        raise JournalRefused(f"the copy in {_shown(target)} is not equal to its source: {found.error or 'another end'}")
    return CopyVerified(copied, found)


async def _target(place: str | Path) -> CopyTarget:
    """The place for the copy. Raises JournalRefused if it has a read database, which would be of another journal."""
    if isinstance(place, Path):
        if (place / READ_DATABASE_FILE).exists():
            raise JournalRefused(
                f"{place / READ_DATABASE_FILE} exists: a journal is copied only to a place without one"
            )
        return SqliteTarget(place / JOURNAL_FILE)
    target = PostgresTarget(place, TARGET)
    known = await read_postgres_witness(place, b"", TARGET)
    if known.witness is not None:
        raise JournalRefused(
            f"{known.note}: a journal is copied only to a place without one (`rex migrate --empty-read-database`)"
        )
    return target


def _shown(place: str | Path) -> str:
    return str(place) if isinstance(place, Path) else "the database"
