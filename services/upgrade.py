"""`rex upgrade`: a journal of an older engine version goes on under this one, in the same file and the same chain.

Every batch that the older rules made is re-executed by the present ones. Where they make the same events, the journal says so
in one more batch, and it can be re-executed from its start as before. Where they don't, the events stand as they are: what
they add up to must be what the present engine holds at the end, and that batch seals the engine's state, from which every
later re-execution begins. No batch is changed; the one batch that is added is there whole or not at all.
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
from matching_engine.records import COMMAND, Command, CommandKind, pack_commands, unpack_events
from services.commands.attachments import Upgraded
from services.engine_versions.differences import Difference, Differences
from services.engine_versions.upgrades import re_executed_after, seal, starting_engine
from services.journal import Journal, JournalBatch, JournalRefused, witness
from services.journal.sqlite import SqliteJournal, check_lock
from services.read_database.audit.differences import differences as audit
from services.read_database.audit.journaled import Journaled
from services.read_database.database import open_read_database
from services.read_database.projector import catch_up
from services.read_database.read_witness import read_witness, remembered
from services.reporting.report_database import JOURNAL_FILE, READ_DATABASE_FILE

OnProgress = Callable[[str, int, int], None]
"""Told what is done, how far it has come and where it ends, as sequence numbers."""

_SHOWN = 5
"""So many of a long list of sentences are said."""


class UpgradeRefused(JournalRefused):
    """A journal that this version cannot take over; nothing was written."""


@dataclass(frozen=True)
class Upgrade:
    """What the present rules make of an older journal, and whether that was written down."""

    from_version: int
    to_version: int
    last_seq: int
    """Where the older version's batches end."""
    last_hash: str
    state_hash: str
    """The present engine's state at last_seq."""
    re_executed_after: int
    """Re-execution begins after this sequence number; 0: with the first command."""
    differences: tuple[Difference, ...]
    marker_seq: int | None
    """The command that says so in the journal; None: not written (`--check`), or nothing was to be done."""

    @property
    def needed(self) -> bool:
        """False where the journal is of this version already."""
        return self.from_version != self.to_version

    def to_json(self) -> dict[str, Any]:
        """One object for programs."""
        return {**asdict(self), "needed": self.needed, "unchanged": not self.differences}


def _silent(what: str, seq: int, last_seq: int) -> None:
    """Nobody wants to know."""


async def upgrade(data_dir: Path, *, check: bool = False, on_progress: OnProgress = _silent) -> Upgrade:
    """Upgrades the journal of a data folder whose venue is stopped; with `check` it only says what it would do.

    Raises UpgradeRefused where the events add up to something else than the present engine holds, and what the journal raises:
    JournalBusy, JournalCorrupt, JournalLost where the read database knows more than the journal, ReadDatabaseForeign where it
    is of another one, JournalRefused for a newer version or another format, JournalError where there is none.
    """
    path = data_dir / JOURNAL_FILE
    if not check and path.exists():
        check_lock(path)  # before the reader: letting go of the file lets go of what SQLite locks in it
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
    """Raises unless the journal holds what the read database knows: the marker must not take a lost command's number."""
    known = read_witness(data_dir / READ_DATABASE_FILE, journal.journal_id).witness
    if known is not None:
        await witness.check(journal, known)


def _nothing_to_do(last: JournalBatch | None, after_seq: int) -> Upgrade:
    last_seq, last_hash = (0, "") if last is None else (last.last_seq, last.hash.hex())
    return Upgrade(ENGINE_VERSION, ENGINE_VERSION, last_seq, last_hash, "", after_seq, (), None)


async def _examine(journal: Journal, last: JournalBatch, on_progress: OnProgress) -> tuple[Upgrade, Engine]:
    """Re-executes what the older version would, and where events differ compares what they add up to with the engine."""
    engine = await starting_engine(journal)
    after_seq = engine.last_seq
    differences = Differences()
    async for batch in journal.read(after_seq):
        try:
            events = engine.process(np.frombuffer(batch.commands, COMMAND)).tobytes()
        except EngineFault as fault:
            raise UpgradeRefused(
                f"engine version {ENGINE_VERSION} cannot go on from what version {batch.engine_version} made: at seq"
                f" {fault.seq} it gives up: {fault}. Nothing was written.",
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
                f"engine version {ENGINE_VERSION} would not go on where this journal ends. {_some(differences.found)}. At the"
                f" end the events add up to something else (the read database made of them) than version {ENGINE_VERSION} holds"
                f" (the engine): {_some(unequal)}. Nothing was written: go on with the REX that made the journal.",
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
    """What the state that re-execution begins from holds otherwise than the events before it add up to, as a sentence.

    None where they agree, or where it begins with the first command. Raises what `starting_engine` does.
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
    """What the journal's events up to the engine's last command add up to, beside its state; empty where they agree.

    They are added up from the first one in a database made for it: the folder's own is not asked.
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
        await catch_up(path, journal, to_seq=last_seq, on_progress=lambda seq: on_progress(what, seq, last_seq))
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return audit(connection, engine, journaled)


def _some(sentences: Sequence[object]) -> str:
    more = ["and more"] if len(sentences) > _SHOWN else []
    return "; ".join([*map(str, sentences[:_SHOWN]), *more])


async def _write_marker(path: Path, found: Upgrade, engine: Engine, last: JournalBatch) -> Upgrade:
    """One batch: there whole, or not at all."""
    read_path = path.with_name(READ_DATABASE_FILE)
    journal = await SqliteJournal.open(path, outdated=True, remembered=partial(remembered, read_path))
    try:
        now = await journal.last_batch()
        if now is None or now.hash != last.hash:
            raise UpgradeRefused(
                f"{path} has grown while it was examined: stop the venue that writes it, then run this again"
            )
        await journal.append(_marker(journal, found, engine, last))
    finally:
        await journal.close()
    return replace(found, marker_seq=found.last_seq + 1)


def _marker(journal: SqliteJournal, found: Upgrade, engine: Engine, last: JournalBatch) -> JournalBatch:
    """It bears the time of the last command: no clock is asked, so none can be wrong."""
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
    seq, time_ns = found.last_seq + 1, last.time_ns
    command = pack_commands([Command(kind=CommandKind.RECORD, seq=seq, time_ns=time_ns, attachment=1)])
    return JournalBatch(
        journal_id=journal.journal_id,
        epoch=journal.epoch,
        first_seq=seq,
        last_seq=seq,
        inbox_position=0,
        previous_hash=last.hash,
        commands=command,
        events=engine.process(np.frombuffer(command, COMMAND)).tobytes(),
        attachments=tuple(attachments),
    )
