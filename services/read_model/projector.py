"""The projector: follows the journal and writes its batches into the read database.

A transaction holds the batches that arrived since the previous transaction, so a projector that is behind writes many batches
at once. It also holds the new position: a projector that was killed continues from the position in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import structlog

from services.journal import Journal, witness
from services.journal.batch import JournalBatch
from services.journal.witness import Witness
from services.messaging import Feed
from services.messaging.tail import tail
from services.read_model.errors import ReadDatabaseAway, ReadDatabaseDamaged, ReadDatabaseForeign
from services.read_model.seq_waiters import SeqWaiters
from services.read_model.vectorized_write_batch import VectorizedWriteBatch
from services.read_model.write_batch import Position, WriteBatch


class ReadDatabaseWriter(Protocol):
    """Writes one read database. Every method raises ReadDatabaseFailed and ReadDatabaseDamaged (errors.py)."""

    @property
    def name(self) -> str:
        """The file, or the server and its database, for sentences."""

    async def start(self, journal_id: bytes) -> Position:
        """Connects and returns the position; initialises an empty database at the start of this journal."""

    async def write(self, changes: WriteBatch) -> None:
        """Writes all of the changes and their position in one transaction; on an error nothing is written.

        Raises ReadDatabaseBusy if the database no longer stands where the changes begin.
        """

    async def check(self, position: Position) -> None:
        """Looks whether the database still stands at `position`, where its last write or `start` left it.

        Raises ReadDatabaseAway if it stands before it: its server failed over to one that lacks the last transactions, and
        `start` shows where to go on. Raises ReadDatabaseBusy if it stands after it.
        """

    async def close(self) -> None:
        """Ends the connection; `start` may make another one."""


log = structlog.get_logger("rex.read_database")

_GATHER_S = 0.05
"""A transaction costs as much as 30 orders, so the projector first waits this long for more batches, unless a caller waits in
`reached`."""

_MAX_COMMANDS = 2_048
"""A transaction with this many commands takes no further batch. Batches are never split."""

_MAX_BATCHES_WAITING = 64
"""Bound of the queue of batches read ahead. When it is full, reading stops; the batches that the feed then drops are read from
the journal later."""

_CHECK_S = 2.0
"""How long the projector is idle before it looks whether its database still stands where it left it."""

_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 2.0
"""Waits before a lost connection to the read database is made again: each twice as long as the one before."""


def _tell_nobody(_seq: int) -> None:
    """The default for `on_reached`."""


class Projector:
    """Writes one read database from one journal; it is the only writer. Calls `on_reached` after each transaction, with the
    sequence number of the last command in the read database."""

    def __init__(
        self,
        writer: ReadDatabaseWriter,
        journal: Journal,
        feed: Feed,
        *,
        on_reached: Callable[[int], None] = _tell_nobody,
    ) -> None:
        self._writer = writer
        self._journal = journal
        self._feed = feed
        self._on_reached = on_reached
        self._wanted = asyncio.Event()
        self._waiters = SeqWaiters(lambda _seq: self._wanted.set())

    @property
    def seq(self) -> int:
        """Sequence number of the last command in the read database."""
        return self._waiters.seq

    async def reached(self, seq: int) -> None:
        """Waits until the read database holds all commands up to seq; raises ProjectorStopped if it never will."""
        await self._waiters.reached(seq)

    async def run(self) -> None:
        """Projects until it is canceled. Raises the journal's errors, ReadDatabaseRefused and ReadDatabaseFailed.

        If the server of the read database goes away, it tries again, from the position that the database then has.
        """
        try:
            retry_s = _FIRST_RETRY_S
            while True:
                before = self.seq
                try:
                    await self._run()
                except ReadDatabaseAway as away:
                    retry_s = _FIRST_RETRY_S if self.seq > before else min(2 * retry_s, _LAST_RETRY_S)
                    log.warning("the projector waits for the read database", reason=str(away), retry_s=retry_s)
                await asyncio.sleep(retry_s)
        except BaseException as error:
            self._waiters.stop(error)
            raise

    async def _run(self) -> None:
        """Follows the journal from the database's position; ends only with an error."""
        try:
            position = await self._writer.start(self._journal.journal_id)
            await check_belongs(self._writer.name, position, self._journal)
            self._has_reached(position.seq)
            batches: asyncio.Queue[JournalBatch] = asyncio.Queue(_MAX_BATCHES_WAITING)
            transactions: asyncio.Queue[WriteBatch] = asyncio.Queue(1)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(batches, position.seq))
                tasks.create_task(self._collect(batches, transactions, position))
                tasks.create_task(self._write(transactions, position))
        except BaseExceptionGroup as group:
            error = group.exceptions[0]  # the failure of one task ends both: raise that failure
            raise error from error.__cause__
        finally:
            await self._writer.close()

    async def _read(self, batches: asyncio.Queue[JournalBatch], after_seq: int) -> None:
        async for batch in tail(self._journal, self._feed, after_seq):
            await batches.put(batch)

    async def _collect(
        self, batches: asyncio.Queue[JournalBatch], transactions: asyncio.Queue[WriteBatch], position: Position
    ) -> None:
        """Collects the changes of the next transaction while the one before it is being written."""
        while True:
            changes: WriteBatch = VectorizedWriteBatch(position)
            batch = await batches.get()
            if not batches.full():
                await self._gather()
            changes.add(batch)
            while changes.commands < _MAX_COMMANDS and not batches.empty():
                # A thousand orders take milliseconds: the event loop runs other tasks between batches.
                await asyncio.sleep(0)
                changes.add(batches.get_nowait())
            position = changes.position
            await transactions.put(changes)

    async def _write(self, transactions: asyncio.Queue[WriteBatch], position: Position) -> None:
        while True:
            try:
                async with asyncio.timeout(_CHECK_S):
                    changes = await transactions.get()
            except TimeoutError:
                await self._writer.check(position)
                continue
            await self._writer.write(changes)
            position = changes.position
            self._has_reached(position.seq)

    async def _gather(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_S):
                await self._wanted.wait()

    def _has_reached(self, seq: int) -> None:
        self._waiters.has_reached(seq)
        if not self._waiters.waiting:
            self._wanted.clear()
        self._on_reached(seq)


async def check_belongs(name: str, position: Position, journal: Journal) -> None:
    """Compares the position of the database `name`, which is a witness of the journal, with the journal.

    Raises ReadDatabaseForeign for a database of another journal, ReadDatabaseDamaged for a position that contradicts itself,
    JournalLost if the journal ends before the position, and JournalCorrupt if the journal holds another batch at the
    position. After JournalLost or JournalCorrupt the database may be the only record of the missing commands.
    """
    if position.journal_id != journal.journal_id:
        raise ReadDatabaseForeign(name, "was made from another journal")
    last = await journal.last_batch()
    if last is not None and last.hash == position.row_hash and last.last_seq != position.seq:
        reason = f"gives seq {position.seq} to the journal's last row, which ends at seq {last.last_seq}"
        raise ReadDatabaseDamaged(name, reason)
    await witness.check(journal, Witness(position.seq, position.row_hash, f"the read database {name}"))


async def catch_up(
    writer: ReadDatabaseWriter,
    journal: Journal,
    *,
    to_seq: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Projects the journal, up to its present end, into a read database. No `Projector` may write it meanwhile.

    If to_seq is given, stops after that command. Within a batch, the position has the hash of the whole batch, as in a report
    of that command, and the database cannot be projected further. Calls `on_progress` with each sequence number reached.
    Raises what `check_belongs` raises, ReadDatabaseDamaged and ReadDatabaseFailed.
    """
    try:
        position = await writer.start(journal.journal_id)
        await check_belongs(writer.name, position, journal)
        if to_seq is not None and position.seq >= to_seq:
            return
        changes: WriteBatch = VectorizedWriteBatch(position)
        async for batch in journal.read(position.seq):
            is_last = to_seq is not None and batch.last_seq >= to_seq
            changes.add(batch if to_seq is None or batch.last_seq <= to_seq else batch.up_to(to_seq))
            if changes.commands >= _MAX_COMMANDS:
                await writer.write(changes)
                changes = VectorizedWriteBatch(changes.position)
                if on_progress is not None:
                    on_progress(changes.position.seq)
            if is_last:
                break
        await writer.write(changes)
    finally:
        await writer.close()
