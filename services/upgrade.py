"""`rex upgrade`: takes a journal of an older engine version over to this version, in the same file and hash chain.

Every batch that the older version made is re-executed by the present one. Where the events are equal, one batch, the marker,
is added that says so, and the journal is re-executed from its start as before. Where they differ, the journaled events stay
valid: their sums must equal the present engine's state at the end, and the marker seals that state, from which every later
re-execution begins. No batch is changed; the marker is written whole or not at all.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from matching_engine import ENGINE_VERSION, Engine
from matching_engine.faults import EngineFault
from matching_engine.records import COMMAND, unpack_events
from services.commands.attachments import Upgraded
from services.engine_versions.differences import Difference, Differences
from services.engine_versions.upgrades import re_executed_after, seal, starting_engine
from services.journal import Journal, JournalBatch, JournalRefused, witness
from services.journal.lone_record import lone_record
from services.journal.sqlite import SqliteJournal, check_lock
from services.read_database.audit.differences import differences as audit
from services.read_database.audit.journaled import Journaled
from services.read_database.database import open_read_database
from services.read_database.projector import catch_up
from services.read_database.read_witness import read_witness, remembered
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting.report_database import JOURNAL_FILE, READ_DATABASE_FILE

OnProgress = Callable[[str, int, int], None]
"""Called with the name of the step, the sequence number it has reached and the one it ends at."""

_SHOWN = 5
"""How many differences an error message lists."""


class UpgradeRefused(JournalRefused):
    """This version cannot take over the journal; nothing was written."""


@dataclass(frozen=True)
class Upgrade:
    """The outcome of re-executing an older journal, and the marker where one was written."""

    from_version: int
    to_version: int
    last_seq: int
    """The last command of the older version's batches."""
    last_hash: str
    state_hash: str
    """The present engine's state at last_seq."""
    re_executed_after: int
    """Re-execution begins after this sequence number; 0 where it begins with the first command."""
    differences: tuple[Difference, ...]
    marker_seq: int | None
    """The marker's command; None where it was not written (`--check`) or none was needed."""

    @property
    def needed(self) -> bool:
        """False where the last batch was made by this version."""
        return self.from_version != self.to_version

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "needed": self.needed, "unchanged": not self.differences}


def _silent(what: str, seq: int, last_seq: int) -> None:
    """Reports no progress."""


async def upgrade(data_dir: Path, *, check: bool = False, on_progress: OnProgress = _silent) -> Upgrade:
    """Upgrades the journal of a data folder whose venue is stopped; with `check` nothing is written.

    Raises UpgradeRefused where the sums of the events differ from the present engine's state, and the errors of opening it:
    JournalBusy, JournalCorrupt, JournalLost where the read database is ahead of the journal, ReadDatabaseForeign where it was
    made from another one, JournalRefused for a newer version or another format, JournalError where there is no journal.
    """
    path = data_dir / JOURNAL_FILE
    if not check and path.exists():
        check_lock(path)  # Before the reader opens the file: closing it would release the locks of SQLite in it.
    remembers = partial(remembered, data_dir / READ_DATABASE_FILE)
    journal = await SqliteJournal.open(path, read_only=True, outdated=True, remembered=remembers)
    try:
        await _check_witness(data_dir, journal)
        last = await journal.last_batch()
        if last is None or last.engine_version == ENGINE_VERSION:
            return _nothing_to_do(last, await re_executed_after(journal))
        found, engine = await _examine(journal, last, on_progress)
    finally:
        await journal.close()
    if check:
        return found
    return await _write_marker(path, found, engine, last)


async def _check_witness(data_dir: Path, journal: Journal) -> None:
    """Raises JournalLost where the read database is ahead of the journal: the marker would take a lost command's number."""
    known = read_witness(data_dir / READ_DATABASE_FILE, journal.journal_id).witness
    if known is not None:
        await witness.check(journal, known)


def _nothing_to_do(last: JournalBatch | None, after_seq: int) -> Upgrade:
    last_seq, last_hash = (0, "") if last is None else (last.last_seq, last.hash.hex())
    return Upgrade(ENGINE_VERSION, ENGINE_VERSION, last_seq, last_hash, "", after_seq, (), None)


async def _examine(journal: Journal, last: JournalBatch, on_progress: OnProgress) -> tuple[Upgrade, Engine]:
    """Re-executes the journal; where events differ, compares their sums with the engine's state."""
    engine = await starting_engine(journal)
    after_seq = engine.last_seq
    differences = Differences()
    async for batch in journal.read(after_seq):
        try:
            events = engine.process(np.frombuffer(batch.commands, COMMAND)).tobytes()
        except EngineFault as fault:
            raise UpgradeRefused(
                f"engine version {ENGINE_VERSION} cannot execute what version {batch.engine_version} executed: it stops at seq"
                f" {fault.seq}: {fault}. Nothing was written.",
                fault.seq,
            ) from fault
        if events != batch.events:
            differences.add(batch, list(unpack_events(events)))
        on_progress("re-executing", batch.last_seq, last.last_seq)
    if differences.found:
        after_seq = last.last_seq
        unequal = await _beside_events(journal, engine, on_progress)
        if unequal:
            raise UpgradeRefused(
                f"engine version {ENGINE_VERSION} does not reach the state in which this journal ends."
                f" {_some(differences.found)}. The sums of the journal's events (the read database) differ from the state of"
                f" version {ENGINE_VERSION} (the engine): {_some(unequal)}. Nothing was written: continue with the REX that"
                " made the journal.",
                differences.found[0].first_seq,
            )
    found = Upgrade(
        from_version=last.engine_version,
        to_version=ENGINE_VERSION,
        last_seq=last.last_seq,
        last_hash=last.hash.hex(),
        state_hash=engine.state_hash(),
        re_executed_after=after_seq,
        differences=differences.found,
        marker_seq=None,
    )
    return found, engine


async def sealed_state_error(journal: Journal, on_progress: OnProgress = _silent) -> str | None:
    """How the sealed state that re-execution begins from differs from the sums of the events before it, as a sentence.

    None where they are equal, or where re-execution begins with the first command. Raises what `starting_engine` raises.
    """
    engine = await starting_engine(journal)
    if not engine.last_seq:
        return None
    unequal = await _beside_events(journal, engine, on_progress)
    return (
        f"the state sealed after seq {engine.last_seq} is not what the events add up to: {_some(unequal)}"
        if unequal
        else None
    )


async def _beside_events(journal: Journal, engine: Engine, on_progress: OnProgress) -> list[str]:
    """The differences between the engine's state and the sums of the journal's events up to its last command.

    The events are projected from the first one into a temporary read database: the folder's own is not used.
    """
    journaled = Journaled()
    async for batch in journal.read(0):
        if batch.first_seq > engine.last_seq:
            break
        journaled.add(batch)
    with TemporaryDirectory() as folder:
        path = Path(folder) / READ_DATABASE_FILE
        await open_read_database(path).dispose()
        last_seq, what = engine.last_seq, "adding up the events"
        await catch_up(
            SqliteWriter(path), journal, to_seq=last_seq, on_progress=lambda seq: on_progress(what, seq, last_seq)
        )
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return audit(connection, engine, journaled)


def _some(sentences: Sequence[object]) -> str:
    more = ["and more"] if len(sentences) > _SHOWN else []
    return "; ".join([*map(str, sentences[:_SHOWN]), *more])


async def _write_marker(path: Path, found: Upgrade, engine: Engine, last: JournalBatch) -> Upgrade:
    """Appends the marker, whole or not at all."""
    read_path = path.with_name(READ_DATABASE_FILE)
    journal = await SqliteJournal.open(path, outdated=True, remembered=partial(remembered, read_path))
    try:
        now = await journal.last_batch()
        if now is None or now.hash != last.hash:
            raise UpgradeRefused(
                f"{path} has grown during the upgrade: stop the venue that writes it, then run `rex upgrade` again"
            )
        await journal.append(_marker(journal, found, engine, last))
    finally:
        await journal.close()
    return replace(found, marker_seq=found.last_seq + 1)


def _marker(journal: SqliteJournal, found: Upgrade, engine: Engine, last: JournalBatch) -> JournalBatch:
    """The batch of the marker."""
    text = Upgraded(
        from_version=found.from_version,
        to_version=found.to_version,
        last_seq=found.last_seq,
        last_hash=found.last_hash,
        state_hash=found.state_hash,
        re_executed_after=found.re_executed_after,
        differences=tuple(map(str, found.differences)),
    )
    attachments = seal(text, engine.state() if found.differences else None)
    return lone_record(journal, engine, last, attachments)
