"""Claims the journal, and appends batches under the claim.

An append may end without an answer: the connection is lost after the commit and before the reply. To read the row back is not
enough: a row that the synchronous standby does not have may be visible, and gone after a failover. So the writer connects again
and writes: BARRIER is a commit, and when it is confirmed, everything before it is too. It returns the end of the chain, which
shows whether the batch is in.
"""

from __future__ import annotations

import asyncpg

from services.journal.batch import JournalBatch
from services.journal.chain import EMPTY, ChainEnd
from services.journal.errors import (
    JournalBusy,
    JournalError,
    JournalLost,
    JournalRefused,
    JournalUnclaimed,
    JournalUnreachable,
)
from services.journal.postgres import statements
from services.journal.postgres.connections import DRIVER_ERRORS, Database, is_passing
from services.journal.postgres.seen import Known, Seen
from services.journal.postgres.session import DatabaseSession, Unconfirmed
from services.journal.postgres.writer_row import WriterRow

CLAIM_ATTEMPTS = 3


class BatchWriter:
    """One connection that writes. Its statements must not be canceled: a canceled commit is visible and not replicated."""

    def __init__(self, database: Database, journal_id: bytes, seen: Seen) -> None:
        self._database = database
        self._journal_id = journal_id
        self._seen = seen
        self._end = EMPTY
        self.epoch = 0
        """The epoch that this writer has claimed; 0: none, or handed over."""
        self.beats = 0
        """Counts confirmed statements: an idle writer's does not change."""
        self.failed: JournalError | None = None
        """The error that stopped the writer for good: every later append raises it. None if there was no error."""
        self.session = DatabaseSession(database, writes=True)

    async def claim(self, seen: WriterRow, url: str) -> WriterRow | None:
        """Makes this process the writer if the row still equals `seen`; None if it changed. Raises JournalUnclaimed if nothing
        can be claimed now, or if nobody knows whether this claim was committed: the next look shows it. Raises JournalRefused
        if the server's commits are not durable."""
        async with self.session.lock:
            self.session.drop()  # a new connection checks the server's settings
            for _ in range(CLAIM_ATTEMPTS):
                try:
                    records = await self._claim(seen, url)
                except (JournalUnreachable, Unconfirmed) as error:
                    self.session.drop()
                    raise JournalUnclaimed(str(error)) from error
                except DRIVER_ERRORS as error:
                    self.session.drop()
                    if not is_passing(error):
                        raise self._database.error(error) from error
                    raise JournalUnclaimed(self._database.sentence(error)) from error
                if records is not None:
                    return self._claimed(WriterRow(*records[0])) if records else None
            raise JournalUnclaimed(f"another session locks the writer row in {self._database.name}")

    async def _claim(self, seen: WriterRow, url: str) -> list[asyncpg.Record] | None:
        """The answer to the claim. None: other sessions locked the writer row, such as that of a writer that was stopped in the
        middle of a message; they were ended. Raises JournalUnclaimed if this user may not end one of them."""
        try:
            return await self.session.fetch(statements.CLAIM, seen.epoch, seen.last_seq, seen.beat, url)
        except asyncpg.LockNotAvailableError:
            try:
                await self.session.fetch(statements.TERMINATE_HOLDERS)
            except asyncpg.InsufficientPrivilegeError as error:
                raise JournalUnclaimed(
                    f"a session of another user locks the writer row in {self._database.name}, and this user may not end it: "
                    f"end it yourself ({statements.HOLDERS})"
                ) from error
            return None

    def _claimed(self, row: WriterRow) -> WriterRow:
        self._end = ChainEnd(row.last_seq, row.last_hash)
        self._seen.confirm(self._end)
        self.epoch = row.epoch
        self.failed = None
        self.beats += 1
        return row

    async def append(self, batch: JournalBatch, data: bytes) -> None:
        """Writes the batch as the row `data` and returns when its commit is confirmed.

        Raises JournalRefused, and writes nothing, if the batch does not continue the chain or has another epoch. Raises
        JournalBusy, JournalLost or JournalError if the writer has failed; every later call raises it again.
        """
        async with self.session.lock:
            if self.failed is not None:
                raise type(self.failed)(str(self.failed), batch.first_seq)
            if batch.epoch != self.epoch:
                raise JournalRefused(
                    f"seq {batch.first_seq} is of epoch {batch.epoch}; this is {self.epoch}", batch.first_seq
                )
            if (reason := batch.break_of_chain(self._journal_id, *self._end)) is not None:
                raise JournalRefused(reason, batch.first_seq)
            try:
                await self._append(batch, data)
            except JournalError as error:
                self.failed = error
                raise
            self._confirm(ChainEnd.after(batch))

    async def _append(self, batch: JournalBatch, data: bytes) -> None:
        unknown: Exception | None = None
        try:
            if await self._insert(batch, data):
                return
        except Exception as error:  # Whatever it is: the row may be committed.
            unknown = error
        await self.session.through_outages(lambda: self._settle(batch, data), unknown)

    async def _insert(self, batch: JournalBatch, data: bytes) -> bool:
        """Whether the row is in the table now."""
        return bool(
            await self.session.fetch(
                statements.APPEND, batch.first_seq, batch.last_seq, batch.epoch, data, batch.hash, batch.previous_hash
            )
        )

    async def _settle(self, batch: JournalBatch, data: bytes) -> None:
        """Finds out whether the batch is in, and appends the same bytes again if it is not."""
        while (end := await self._write(statements.BARRIER)) != ChainEnd.after(batch):
            if end != self._end:
                raise self._other_end(end)
            if await self._insert(batch, data):
                return

    async def _write(self, statement: str) -> ChainEnd:
        """Runs BARRIER or BEAT; returns the end of the chain, with everything before it confirmed. Raises JournalBusy if the
        epoch is over."""
        before = self._seen.known
        records = await self.session.fetch(statement, self.epoch)
        if not records:
            await self._raise_fenced(before)
        end = ChainEnd(*records[0])
        self._seen.compare(end, before)
        return end

    async def _raise_fenced(self, before: Known) -> None:
        records = await self.session.fetch(statements.ROW)
        if not records:
            raise JournalLost.after(0, f"{self._database.name} holds no writer row any more")
        row = WriterRow(*records[0])
        self._seen.find(ChainEnd(row.last_seq, row.last_hash), row.beat, before)
        if row.epoch < self.epoch:
            raise JournalBusy(
                f"{self._database.name} does not know the claim of epoch {self.epoch}: it holds epoch {row.epoch}, and every"
                " row of this process. It failed over or was restored: claim again"
            )
        raise JournalBusy(
            f"another process has claimed the journal in {self._database.name}: it is at epoch {row.epoch}, this one at"
            f" {self.epoch}"
        )

    def _other_end(self, end: ChainEnd) -> JournalError:
        return JournalError(
            f"the journal in {self._database.name} ends at seq {end.last_seq} with hash {end.hash.hex()}, this writer's at seq"
            f" {self._end.last_seq} with hash {self._end.hash.hex()}: something else has written to it",
            self._end.last_seq + 1,
        )

    async def beat(self) -> None:
        """Shows that the writer lives; does nothing after `hand_over`. Raises JournalBusy if another process has claimed the
        journal."""
        async with self.session.lock:
            if self.failed is not None:
                raise self.failed
            if not self.epoch:
                return
            try:
                end = await self.session.through_outages(lambda: self._write(statements.BEAT))
                if end != self._end:
                    raise self._other_end(end)
            except JournalError as error:
                self.failed = error
                raise
            self._confirm(end)

    def _confirm(self, end: ChainEnd) -> None:
        self._end = end
        self.beats += 1
        self._seen.confirm(end)

    async def hand_over(self) -> bool:
        """Empties the url, once; False if another process has claimed the journal. If the server is away, the standby claims
        without it, a second later."""
        async with self.session.lock:
            epoch, self.epoch = self.epoch, 0
            return bool(await self.session.fetch(statements.HAND_OVER, epoch))
