"""The journal of the scaled mode, in PostgreSQL: each batch a row of table `journal`, appended and fenced by one statement.

The row of `journal_writer` (writer_row.py) knows the writer and the end of the chain. One connection writes (batch_writer.py),
another one reads (batch_reader.py). While the server is away, appends and reads wait until it is back; `waiting_for` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from services.journal.batch import JournalBatch
from services.journal.chain import ChainEnd
from services.journal.errors import JournalError, JournalRefused, naming
from services.journal.postgres.batch_reader import BatchReader
from services.journal.postgres.batch_writer import BatchWriter
from services.journal.postgres.connections import CLOSE_S, DRIVER_ERRORS, SETTING, Database
from services.journal.postgres.lag import Ends, Lag
from services.journal.postgres.seen import Seen
from services.journal.postgres.session import Unconfirmed
from services.journal.postgres.writer_row import WriterRow

Result = TypeVar("Result")


BEAT_S = 0.4
"""A writer without appends beats so often, seconds: a standby looks every 0.2 s, and claims after 7 looks without a change."""

REPLICATION_S = 2.0
"""How often the server is asked for its synchronous standby, its settings and the end of the journal, seconds."""


class PostgresJournal:
    """A journal in one PostgreSQL database; made by `open`, for reading. `claim` makes it the writer."""

    def __init__(self, database: Database, reader: BatchReader, row: WriterRow, seen: Seen) -> None:
        self._database = database
        self._reader = reader
        self._writer = BatchWriter(database, row.journal_id, seen)
        self.journal_id = row.journal_id
        self.epoch = row.epoch
        """The epoch of the claim; before a claim, the one that was found when the journal was opened."""
        self.is_replicated: bool | None = None
        """Whether a synchronous standby of the server confirmed the last commits; None before the first look at it."""
        self._ends = Ends()
        self._ends.find(row.last_seq)
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, setting: str = SETTING) -> PostgresJournal:
        """Opens the journal in the database at `url` for reading; writes nothing.

        `setting` is where the URL is from, for sentences. Raises JournalUnreachable if the server cannot be used,
        JournalMissing if the database holds no journal, JournalRefused if tables or last batch are of another version.
        """
        database, seen = Database(url, setting), Seen()
        reader = BatchReader(database, seen)
        try:
            row = await reader.open()
            await reader.check_versions()
        except BaseException:
            await reader.session.close()
            raise
        return cls(database, reader, row, seen)

    @property
    def failed(self) -> JournalError | None:
        """The error that stopped the writer for good: every later append raises it. None if there was no error."""
        return self._writer.failed

    @property
    def waiting_for(self) -> str | None:
        """What appends or reads wait for, as a sentence: the server is away or hangs. None if nothing waits."""
        return self._writer.session.waiting_for or self._reader.session.waiting_for

    async def look(self) -> WriterRow:
        """The writer row as it is now. Raises JournalLost if the database holds less than this process has seen in it."""
        self._check_open()
        row = await self._reader.row()
        if row.journal_id != self.journal_id:
            raise JournalError(
                f"{self._database.name} holds journal {row.journal_id.hex()} now, not {self.journal_id.hex()}: it was replaced"
            )
        self._ends.find(row.last_seq)
        return row

    @property
    def server_time_ns(self) -> int:
        """What the server's clock said at the last look, nanoseconds since 1970."""
        return self._reader.server_time_ns

    def lag(self, applied_seq: int) -> Lag:
        """How far a reader that has applied the journal up to `applied_seq` was behind it at the last look: that of `look`, or
        of `watch`, which looks every REPLICATION_S."""
        return self._ends.lag(applied_seq)

    @property
    def look_age_s(self) -> float:
        """Seconds since this process last found the journal's end, which it does every REPLICATION_S at least: more means that
        the server is away for it."""
        return self._ends.look_age_s

    async def claim(self, seen: WriterRow, url: str) -> WriterRow | None:
        """Makes this process the writer, in a new epoch, if the row still equals `seen`; None if it changed.

        If another session locks the row for more than a second, that session is terminated, unless it migrates the tables, and
        the claim is tried again. Raises JournalUnclaimed if nothing can be claimed now, or nobody knows whether it was: the
        server is away, full, read-only or locked, or waits for its synchronous standby. Raises JournalRefused if the server
        would lose acknowledged commands: `fsync`, `full_page_writes` or `synchronous_commit` is off, or a synchronous standby
        is named and `synchronous_commit` does not wait until it has flushed.
        """
        self._check_open()
        await self.last_batch()  # compares the table's end with the row's
        row = await self._shielded(self._writer.claim(seen, url))
        if row is not None:
            self.epoch = row.epoch
        return row

    async def beat(self) -> None:
        """Shows that the writer lives. Raises JournalBusy if another process has claimed the journal."""
        self._check_writes(None)
        await self._shielded(self._writer.beat())

    async def hand_over(self) -> bool | None:
        """Empties the url, so that a standby claims at once. Appends nothing afterwards. False if another process has claimed
        the journal: there was nothing to hand over. None if the server does not answer in time: the standby claims a little
        later."""
        self._check_writes(None)
        with suppress(TimeoutError, JournalError, Unconfirmed, *DRIVER_ERRORS):
            async with asyncio.timeout(CLOSE_S):
                return await self._shielded(self._writer.hand_over())
        return None

    def append(self, batch: JournalBatch) -> Awaitable[None]:
        """Starts to write the batch in the next turn of the event loop. The awaitable is done when its commit is confirmed:
        durable, and received by the synchronous standby if the server has one. Canceling the awaitable does not cancel the
        write.

        Raises JournalRefused, and writes nothing, if the batch does not continue the chain or has another epoch. Raises
        JournalBusy if another process has claimed the journal, JournalLost if the server has lost rows, JournalError if the
        journal holds another end of the chain; every later append is then refused. While the server is away, it waits.
        """
        if self._closed:
            raise JournalError(f"the journal in {self._database.name} is closed", batch.first_seq)
        self._check_writes(batch.first_seq)
        return self._shielded(self._writer.append(batch, batch.encode()))

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        """The batches that hold commands after `after_seq`, oldest first, up to the end; hash, CRC and chain are checked.

        Raises JournalLost after the last batch if the database has lost the end of the chain.
        """
        chain_end: ChainEnd | None = None
        is_last = False
        while not is_last:
            self._check_open()
            with naming(self._database.name):
                batches, damage, is_last = await self._reader.chunk(self.journal_id, after_seq, chain_end)
            for batch in batches:
                yield batch
            if damage is not None:
                with naming(self._database.name):
                    raise damage
            if batches:
                chain_end = ChainEnd.after(batches[-1])
                after_seq = chain_end.last_seq

    async def last_batch(self) -> JournalBatch | None:
        """The newest batch, or None in an empty journal."""
        self._check_open()
        with naming(self._database.name):
            return await self._reader.last_batch()

    async def watch(self) -> None:
        """Runs until it is canceled. Beats while nothing is appended, and looks at the replication and at the journal's end.

        Raises the writer's error: JournalBusy if another process has claimed the journal; JournalRefused if the server is set
        to lose commits.
        """
        tasks = {asyncio.create_task(self._keep_beating()), asyncio.create_task(self._watch_replication())}
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            ended.pop().result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_beating(self) -> None:
        beats = -1
        while True:
            if self.failed is not None:
                raise self.failed
            if self._writer.epoch and beats == self._writer.beats and not self._writer.session.lock.locked():
                await self.beat()
            beats = self._writer.beats
            await asyncio.sleep(BEAT_S)

    async def _watch_replication(self) -> None:
        while True:
            if self._writer.epoch:
                await self._reader.check_durable()
            if (watched := await self._reader.watched()) is not None:
                last_seq, self.is_replicated = watched
                self._ends.find(last_seq)
            await asyncio.sleep(REPLICATION_S)

    async def close(self) -> None:
        """Waits for a running append, for CLOSE_S seconds at most, then closes the connections. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._running:
            await asyncio.wait(self._running, timeout=0 if self._writer.session.waiting_for else CLOSE_S)
        await self._writer.session.close()
        await self._reader.session.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _check_open(self) -> None:
        if self._closed:
            raise JournalError(f"the journal in {self._database.name} is closed")

    def _check_writes(self, seq: int | None) -> None:
        if not self._writer.epoch:
            raise JournalRefused(
                f"the journal in {self._database.name} was opened for reading only: claim it first", seq
            )

    def _shielded(self, work: Coroutine[Any, Any, Result]) -> asyncio.Future[Result]:
        """Runs `work` in a task that its caller's cancellation does not reach. Of an error that nobody waits for any more,
        `close` was the cause, or the writer keeps it (`failed`)."""
        task, waiter = _in_a_task(self._unless_closed(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return waiter

    async def _unless_closed(self, work: Coroutine[Any, Any, Result]) -> Result:
        try:
            return await work
        except asyncio.CancelledError:  # only `close` cancels
            raise JournalError(f"the journal in {self._database.name} was closed before the server answered") from None


def _in_a_task(work: Coroutine[Any, Any, Result]) -> tuple[asyncio.Task[Result], asyncio.Future[Result]]:
    """Runs `work` in a task of its own; the future is the caller's.

    After `asyncio.shield` an error that comes when the caller was canceled is logged as a traceback. Here it is dropped:
    whoever starts the work keeps its errors otherwise.
    """
    waiter: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def pass_on(done: asyncio.Task[Result]) -> None:
        error = None if done.cancelled() else done.exception()
        if waiter.done():
            return
        if done.cancelled():
            waiter.cancel()
        elif error is not None:
            waiter.set_exception(error)
        else:
            waiter.set_result(done.result())

    task = asyncio.create_task(work)
    task.add_done_callback(pass_on)
    return task, waiter
