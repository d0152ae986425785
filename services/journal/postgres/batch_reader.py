"""Reads batches and the writer row. Each batch is checked: its own hash and CRC, the chain, and the chain's end."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from services.journal.batch import JournalBatch
from services.journal.chain import CHUNK_BYTES, ChainEnd, Record, decode, decode_next
from services.journal.errors import JournalCorrupt, JournalError, JournalLost, JournalMissing, JournalRefused
from services.journal.postgres import statements
from services.journal.postgres.connections import DRIVER_ERRORS, Database
from services.journal.postgres.seen import Seen
from services.journal.postgres.session import DatabaseSession
from services.journal.postgres.tables import FORMAT
from services.journal.postgres.writer_row import WriterRow


class BatchReader:
    """One connection that only reads. While the server is away, reading waits until it is back."""

    def __init__(self, database: Database, seen: Seen) -> None:
        self._database = database
        self._seen = seen
        self.session = DatabaseSession(database, writes=False)
        self.server_time_ns = 0
        """What the server's clock said when the writer row was read last."""

    async def open(self) -> WriterRow:
        """Connects, and returns the writer row. Raises JournalUnreachable, JournalMissing or JournalRefused."""
        await self.session.connect()
        try:
            found = await self.session.fetch(statements.FORMAT)
        except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
            raise JournalMissing(
                f"{self._database.name} has no tables of REX: run `rex migrate`, then `rex init`"
            ) from error
        except DRIVER_ERRORS as error:
            raise self._database.error(error) from error
        if not found:
            raise JournalMissing(f"{self._database.name} holds no journal: run `rex init`")
        if found[0][0] != FORMAT:
            raise JournalRefused(
                f"the journal's tables in {self._database.name} have format {found[0][0]}; this version reads {FORMAT}: run"
                " `rex migrate`, or the REX that made them"
            )
        return await self.row()

    async def check_versions(self) -> None:
        """Raises JournalRefused if the last batch is of another format or of another engine version."""
        try:
            await self.last_batch()
        except JournalRefused as error:
            raise JournalRefused(f"the journal in {self._database.name}: {error}", error.seq) from error
        except JournalError:
            return  # the caller's next read meets the same damage and raises it

    async def row(self) -> WriterRow:
        """The writer row. Raises JournalLost if it is behind what was seen before."""
        before = self._seen.known
        records = await self._fetch(statements.LOOK)
        if not records:
            raise JournalMissing(f"{self._database.name} holds no journal any more: its writer row is gone")
        *columns, time_us = records[0]
        row, self.server_time_ns = WriterRow(*columns), time_us * 1000
        self._seen.find(ChainEnd(row.last_seq, row.last_hash), row.beat, before)
        return row

    async def last_batch(self) -> JournalBatch | None:
        """The newest batch, or None. Its bytes are checked, its link to the batch before it is not."""
        before = self._seen.known
        (record,) = await self._fetch(statements.LAST)
        batch = None if record["first_seq"] is None else decode(_record(record))
        self._check_reached(ChainEnd.after(batch), _end(record))
        self._seen.find(_end(record), record["beat"], before)
        return batch

    async def chunk(
        self, journal_id: bytes, after_seq: int, end: ChainEnd | None
    ) -> tuple[list[JournalBatch], JournalError | None, bool]:
        """The next batches after `after_seq`, the error that stopped the reading, if any (batches before it are returned), and
        whether they reach the end of the journal.

        `end` is the batch before the first one; None takes the one that was seen, or reads it from the database.
        """
        before = self._seen.known
        records = await self._fetch(statements.AFTER, after_seq, CHUNK_BYTES)
        end_found = _end(records[0])
        try:
            self._seen.find(end_found, records[0]["beat"], before)
            if records[0]["first_seq"] is None:
                if after_seq < end_found.last_seq:
                    raise _shorter(after_seq, end_found)
                return [], None, True
            if end is None:
                latest = before.latest
                end = latest if latest.last_seq == after_seq else await self._end_before(records[0]["first_seq"])
        except JournalError as error:
            return [], error, True
        batches, damage = await asyncio.to_thread(_checked, records, journal_id, end)
        if damage is not None and not batches and end == before.latest != before.confirmed:
            damage = _replaced(_record(records[0]), end) or damage
        reached = ChainEnd.after(batches[-1]) if batches else end
        if damage is None and reached.last_seq >= end_found.last_seq:
            try:
                self._check_reached(reached, end_found)
                self._seen.confirm(ChainEnd.before(batches[-1]))
            except JournalError as error:
                damage = error
        return batches, damage, reached.last_seq >= end_found.last_seq

    async def _end_before(self, first_seq: int) -> ChainEnd:
        records = await self._fetch(statements.BEFORE, first_seq)
        return ChainEnd.after(decode(_record(records[0])) if records else None)

    def _check_reached(self, reached: ChainEnd, end: ChainEnd) -> None:
        """Compares the last batch of the table with the end that the writer row of the same snapshot has."""
        if reached.last_seq < end.last_seq:
            raise _shorter(reached.last_seq, end)
        if reached != end:
            raise JournalCorrupt(
                f"the table `journal` ends at seq {reached.last_seq} with hash {reached.hash.hex()}, the row of"
                f" `journal_writer` at seq {end.last_seq} with hash {end.hash.hex()}: one of the two was changed",
                end.last_seq,
            )

    async def check_durable(self) -> None:
        """Raises JournalRefused if the server's settings were changed, and it would lose commits now."""
        self._database.refuse(await self._fetch(statements.DURABILITY))

    async def watched(self) -> tuple[int, bool] | None:
        """The last seq of the journal, and whether a synchronous standby confirms commits; None without a writer row."""
        records = await self._fetch(statements.WATCHED)
        return tuple(records[0]) if records else None

    async def _fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Runs a statement that reads; waits while the server is away."""
        async with self.session.lock:
            return await self.session.through_outages(lambda: self.session.fetch(sql, *arguments))


def _end(record: asyncpg.Record) -> ChainEnd:
    return ChainEnd(record["end_seq"], record["end_hash"])


def _record(record: asyncpg.Record) -> Record:
    return record["first_seq"], record["last_seq"], record["epoch"], record["data"]


def _shorter(last_seq: int, end: ChainEnd) -> JournalLost:
    return JournalLost.after(last_seq, f"the table `journal` ends there, and its writer knows seq {end.last_seq}")


def _replaced(record: Record, end: ChainEnd) -> JournalLost | None:
    """The error if this row is sound and continues another row than the one that was seen and never confirmed."""
    try:
        batch = decode(record)
    except JournalError:
        return None
    if batch.previous_hash == end.hash:
        return None
    what = (
        f"its row from seq {batch.first_seq} does not continue the row up to seq {end.last_seq} that this process read"
    )
    return JournalLost.replaced(end.last_seq - 1, what)


def _checked(
    records: list[asyncpg.Record], journal_id: bytes, end: ChainEnd
) -> tuple[list[JournalBatch], JournalError | None]:
    """The batches of these records, and the error of the first one that is damaged or does not continue the chain."""
    batches: list[JournalBatch] = []
    for record in records:
        try:
            batches.append(decode_next(_record(record), journal_id, end))
        except JournalError as error:
            return batches, error
        end = ChainEnd.after(batches[-1])
    return batches, None
