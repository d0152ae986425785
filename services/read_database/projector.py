"""The projector: follows the journal and keeps the read database exact, each transaction with the position it reaches.

A transaction takes what has gathered since the last one, so a projector that is behind writes many batches at once. Kill it at
any moment: the position is in the same transaction as the batches, so it carries on where the database is.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from services.journal import Journal, witness
from services.journal.batch import JournalBatch
from services.journal.witness import Witness
from services.messaging import Feed
from services.messaging.follow import follow
from services.read_database.changes import Changes, Position
from services.read_database.database import (
    ReadDatabaseDamaged,
    ReadDatabaseForeign,
    connect_writer,
    path_of,
    trouble_with,
)
from services.read_database.writer import read_position, write

_GATHER_S = 0.05
"""A transaction costs what 30 orders cost; under load it waits this long for company, unless somebody waits for it."""

_MAX_COMMANDS = 2_048
"""Commands in one transaction (batches are never split)."""

_MAX_BATCHES_WAITING = 64
"""Batches read ahead. When full, the projector stops reading; the feed then drops its batches and it re-reads the journal."""


WriteChanges = Callable[[Changes], None]


class ProjectorStopped(Exception):
    """The projector does not run any more, so the read database reaches nothing further."""


class Projector:
    """Writes one read database from one journal; the only one that writes it.

    It has its own SQLite connection on a thread of its own: a transaction is a dozen statements, and through the async
    engine each would cost three hops between threads.
    """

    def __init__(self, read_database: AsyncEngine, journal: Journal, feed: Feed) -> None:
        self._path = path_of(read_database)
        self._journal = journal
        self._feed = feed
        self._seq = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._wanted = asyncio.Event()
        self._stopped: BaseException | None = None

    @property
    def seq(self) -> int:
        """The last command that stands in the read database."""
        return self._seq

    @property
    def waiting(self) -> int:
        """How many wait for the read database to get further."""
        return len(self._waiting)

    async def reached(self, seq: int) -> None:
        """Waits until the read database holds everything up to seq; raises ProjectorStopped where it never will."""
        if self._seq >= seq:
            return
        if self._stopped is not None:
            raise ProjectorStopped(f"The read database stands at seq {self._seq}.") from self._stopped
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append((seq, waiter))
        self._wanted.set()
        await waiter

    async def run(self) -> None:
        """Projects until it is canceled. Raises what the journal raises, and ReadDatabaseRefused or ReadDatabaseFailed."""
        try:
            await self._run()
        except sqlite3.Error as error:
            trouble = trouble_with(self._path, error)
            self._fail(trouble)
            raise trouble from error
        except BaseException as error:
            self._fail(error)
            raise

    async def _run(self) -> None:
        connection = connect_writer(self._path)
        thread = ThreadPoolExecutor(1, "projector")
        try:
            position = read_position(connection, self._journal.journal_id)
            await check_belongs(self._path, position, self._journal)
            self._has_reached(position.seq)
            batches: asyncio.Queue[JournalBatch] = asyncio.Queue(_MAX_BATCHES_WAITING)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(batches, position.seq))
                tasks.create_task(self._write(batches, position, partial(write, connection), thread))
        except BaseExceptionGroup as group:
            error = group.exceptions[0]  # one failure ends both tasks, and it is what there is to say
            raise error from error.__cause__
        finally:
            thread.shutdown()
            connection.close()

    async def _read(self, batches: asyncio.Queue[JournalBatch], after_seq: int) -> None:
        async for batch in follow(self._journal, self._feed, after_seq):
            await batches.put(batch)

    async def _write(
        self,
        batches: asyncio.Queue[JournalBatch],
        position: Position,
        write_changes: WriteChanges,
        thread: ThreadPoolExecutor,
    ) -> None:
        while True:
            changes = Changes(position)
            batch = await batches.get()
            if not batches.full():
                await self._gather()
            changes.add(batch)
            while changes.commands < _MAX_COMMANDS and not batches.empty():
                await asyncio.sleep(0)  # a thousand orders take milliseconds: let the gateway in between batches
                changes.add(batches.get_nowait())
            await asyncio.get_running_loop().run_in_executor(thread, write_changes, changes)
            position = changes.position
            self._has_reached(position.seq)

    async def _gather(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_S):
                await self._wanted.wait()

    def _has_reached(self, seq: int) -> None:
        self._seq = seq
        waiting = [(wanted, waiter) for wanted, waiter in self._waiting if not waiter.done()]  # done: it gave up
        for wanted, waiter in waiting:
            if wanted <= seq:
                waiter.set_result(None)
        self._waiting = still = [(wanted, waiter) for wanted, waiter in waiting if wanted > seq]
        if not still:
            self._wanted.clear()

    def _fail(self, error: BaseException) -> None:
        self._stopped = error
        for _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(ProjectorStopped(f"The read database stands at seq {self._seq}."))
        self._waiting.clear()


async def check_belongs(path: Path, position: Position, journal: Journal) -> None:
    """Raises unless the database was made from this journal; then it is a witness.

    ReadDatabaseForeign for one of another journal, ReadDatabaseDamaged for one whose position contradicts itself. JournalLost
    where the journal ends before this position, JournalCorrupt where it holds another batch there: then the database may be
    the only place that knows what is missing.
    """
    if position.journal_id != journal.journal_id:
        raise ReadDatabaseForeign(path, "was made from another journal")
    last = await journal.last_batch()
    if last is not None and last.hash == position.row_hash and last.last_seq != position.seq:
        reason = f"gives seq {position.seq} to the journal's last row, which ends at seq {last.last_seq}"
        raise ReadDatabaseDamaged(path, reason)
    await witness.check(journal, Witness(position.seq, position.row_hash, f"the read database {path}"))


async def catch_up(
    path: Path, journal: Journal, *, to_seq: int | None = None, on_progress: Callable[[int], None] | None = None
) -> None:
    """Projects what the journal holds now into the read database at path; for a database that no `Projector` writes.

    Stops with the batch that ends at to_seq, where one is given. `on_progress` is called with the sequence number it has
    reached. Raises as `check_belongs` does, and ReadDatabaseDamaged or ReadDatabaseFailed.
    """
    try:
        with contextlib.closing(connect_writer(path)) as connection:
            position = read_position(connection, journal.journal_id)
            await check_belongs(path, position, journal)
            changes = Changes(position)
            async for batch in journal.read(position.seq):
                changes.add(batch)
                if changes.commands >= _MAX_COMMANDS:
                    write(connection, changes)
                    changes = Changes(changes.position)
                    if on_progress is not None:
                        on_progress(changes.position.seq)
                if changes.position.seq == to_seq:
                    break
            write(connection, changes)
    except sqlite3.Error as error:
        raise trouble_with(path, error) from error
