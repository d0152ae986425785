"""`rex journal skip`: takes a request out of a stopped venue, because one of its commands trips an assertion of the engine.

It re-executes the journal, from the newest good snapshot on, looks whether the request was executed after all, and appends one
batch with the record (`CommandSkipped`). In PostgreSQL it claims the journal for that, as a sequencer does, and hands it over
again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from matching_engine import Engine
from matching_engine.records import COMMAND, Command, CommandKind, pack_commands
from services.commands.attachments import CommandSkipped
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal import Journal, JournalBusy, JournalRefused, JournalUnclaimed
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from services.messaging.tail import Readable
from services.read_model.read_witness import remembered
from services.sequencer.recovery import recovered
from services.sequencer.repeats import REMEMBERED_COMMANDS
from services.sequencer.skips import SkippedRequest, read_skip
from services.sequencer.standby import Standby
from services.snapshots.folder import FolderStore
from services.snapshots.postgres import PostgresStore

CLAIM_S = 10.0
"""A silent writer is deposed after 1.5 s. One that is alive after this time is another process."""

OnProgress = Callable[[int], None]
"""Called with the sequence number that the re-execution has reached."""


@dataclass(frozen=True)
class Skip:
    """The record that was appended."""

    request: SkippedRequest
    seq: int
    hash: str

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"request": str(self.request), "seq": self.seq, "hash": self.hash}


async def skip(place: str | Path, request: SkippedRequest, reason: str, name: str, on_progress: OnProgress) -> Skip:
    """Appends the record to the journal of this folder or database URL.

    Raises JournalBusy while a venue writes the journal, JournalRefused if the request was executed or is skipped already, and
    the errors of opening and re-executing the journal. Nothing was written then.
    """
    async with _at_its_end(place, on_progress) as (journal, engine):
        last = await journal.last_batch()
        await _refuse_known(journal, engine.last_seq, request)
        record = CommandSkipped(**request._asdict(), reason=reason, name=name)
        batch = _lone_record(journal, engine, last, record.to_bytes())
        await journal.append(batch)
        return Skip(request, batch.last_seq, batch.hash.hex())


def _lone_record(journal: Journal, engine: Engine, last: JournalBatch | None, attachment: bytes) -> JournalBatch:
    """The batch after `last`, which the engine has executed: one RECORD command with the time of the last one, so that a wrong
    clock cannot enter the journal."""
    seq, time_ns = engine.last_seq + 1, 0 if last is None else last.time_ns
    command = pack_commands([Command(kind=CommandKind.RECORD, seq=seq, time_ns=time_ns, attachment=1)])
    return JournalBatch(
        journal_id=journal.journal_id,
        epoch=journal.epoch,
        first_seq=seq,
        last_seq=seq,
        inbox_position=0,
        previous_hash=NO_HASH if last is None else last.hash,
        commands=command,
        events=engine.process(np.frombuffer(command, COMMAND)).tobytes(),
        attachments=(attachment,),
    )


@asynccontextmanager
async def _at_its_end(place: str | Path, on_progress: OnProgress) -> AsyncIterator[tuple[Journal, Engine]]:
    """The journal, to be written by this process only, and an engine that has executed it."""
    if isinstance(place, Path):
        remembers = partial(remembered, place / READ_DATABASE_FILE)
        if not (place / JOURNAL_FILE).exists():  # Otherwise a new journal would be made.
            await SqliteJournal.open(place / JOURNAL_FILE, read_only=True, remembered=remembers)
        journal = await SqliteJournal.open(place / JOURNAL_FILE, remembered=remembers)
        try:
            engine, _ = await recovered(journal, FolderStore.of(place), on_progress)
            yield journal, engine
        finally:
            await journal.close()
        return
    database = await PostgresJournal.open(place)
    try:
        engine, recovery = await recovered(database, PostgresStore(place), on_progress)
        await _claim(database, Standby(engine, database, "rex journal skip", recovery.last_hash, accept_clock=True))
        try:
            yield database, engine
        finally:
            await database.hand_over()
    finally:
        with contextlib.suppress(OSError):
            await database.close()


async def _claim(journal: PostgresJournal, standby: Standby) -> None:
    try:
        async with asyncio.timeout(CLAIM_S):
            await standby.lead(lambda: None)
    except TimeoutError:
        if standby.trouble:
            raise JournalUnclaimed(f"{standby.trouble}; nothing was written") from None
        url = (await journal.look()).url
        raise JournalBusy(
            f"the sequencer at {url} leads; nothing was written. Stop every sequencer, then run this again"
        ) from None


async def _refuse_known(journal: Readable, last_seq: int, request: SkippedRequest) -> None:
    """Raises JournalRefused if the last commands of the journal hold the request, or a skip of it."""
    async for batch in journal.read(max(0, last_seq - REMEMBERED_COMMANDS)):
        commands = np.frombuffer(batch.commands, COMMAND)
        same = commands["request_id"] == request.request_id
        same &= (commands["gateway_id"] == request.gateway_id) & (commands["incarnation"] == request.incarnation)
        if same.any():
            seq = int(commands["seq"][same][0])
            raise JournalRefused(f"request {request} was executed at seq {seq}: nothing was written", seq)
        for attachment in batch.attachments:
            known = read_skip(attachment)
            if known is not None and known.digest == request.digest:
                raise JournalRefused(
                    f"request {request} or an equal one is skipped already, by the row that ends at seq {batch.last_seq}:"
                    " nothing was written",
                    batch.last_seq,
                )
