"""The projector on a real journal and a read database of each kind: wherever it is stopped, it loses and repeats nothing."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from matching_engine.records import Side
from services.journal import JournalCorrupt, JournalError, JournalLost
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from services.messaging.in_process import InProcessFeed
from services.processes.exit_codes import ExitCode
from services.read_model.database import connect_writer
from services.read_model.errors import ReadDatabaseBusy, ReadDatabaseDamaged, ReadDatabaseForeign
from services.read_model.projector import Projector, catch_up
from services.read_model.seq_waiters import ProjectorStopped
from services.read_model.sqlite_writer import read_position, write
from services.read_model.write_batch import WriteBatch
from services.venue.fatal_errors import exit_code_of
from tests.integration.read_databases import Dump, ReadDatabase
from tests.unit.read_model.history import REFERENCE_TICKS, SENDER, History, cancel, day_roll, opening, order


class Venue:
    """A journal and a feed, written as the sequencer writes them, for projectors that start and stop."""

    def __init__(self, journal: SqliteJournal, database: ReadDatabase) -> None:
        self.journal = journal
        self.database = database
        self.feed = InProcessFeed(max_batches=4)
        self.history = History(journal_id=journal.journal_id, epoch=journal.epoch)

    async def run(self, *submissions: Submission) -> None:
        batch = self.history.batch(submissions)
        await self.journal.append(batch)
        await self.feed.publish(batch)

    async def trade(self, times: int) -> None:
        """Appends, in each round, two batches: two orders that trade, one that rests and one that is canceled."""
        for n in range(times):
            await self.run(order(2, Side.SELL, REFERENCE_TICKS + n % 5, 3), order(3, Side.BUY, REFERENCE_TICKS + 5, 2))
            await self.run(order(4, Side.BUY, REFERENCE_TICKS - 5, 1), cancel(self.history.engine.last_seq + 1))

    @property
    def seq(self) -> int:
        return int(self.history.engine.last_seq)

    @asynccontextmanager
    async def projecting(self) -> AsyncIterator[Projector]:
        async with self.database.projecting(self.journal, self.feed) as projector:
            yield projector

    async def rebuilt(self, folder: Path) -> Dump:
        """The contents of a SQLite database that was projected from the journal without a stop."""
        rebuilt = ReadDatabase(folder / "rebuilt")
        await rebuilt.make()
        await catch_up(rebuilt.writer(), self.journal)
        return await rebuilt.dump()


def log_bytes(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


@pytest.fixture
async def venue(tmp_path: Path, read_database: ReadDatabase) -> AsyncIterator[Venue]:
    journal = await SqliteJournal.open(tmp_path / "journal.db")
    yield Venue(journal, read_database)
    await journal.close()


@pytest.mark.anyio
async def test_catches_up_from_the_journal_when_the_feed_drops_batches(venue: Venue, tmp_path: Path) -> None:
    async with venue.projecting() as projector:
        await venue.run(*opening())
        await venue.trade(50)  # a hundred batches at once through a feed that holds four
        await projector.reached(venue.seq)
    assert await venue.database.dump() == await venue.rebuilt(tmp_path)


@pytest.mark.anyio
async def test_carries_on_wherever_it_was_stopped(venue: Venue, tmp_path: Path) -> None:
    for rounds in (0, 1, 7, 0, 3):
        if venue.seq == 0:
            await venue.run(*opening())
        await venue.trade(rounds)
        async with venue.projecting() as projector:
            await venue.trade(rounds)
            await projector.reached(venue.seq - rounds)  # stopped before it has read everything
    async with venue.projecting() as projector:
        await projector.reached(venue.seq)
    assert await venue.database.dump() == await venue.rebuilt(tmp_path)


@pytest.mark.anyio
async def test_a_kill_in_the_middle_of_a_transaction_is_harmless(tmp_path: Path) -> None:
    journal, database = await SqliteJournal.open(tmp_path / "journal.db"), ReadDatabase(tmp_path)
    await database.make()
    venue, torn = Venue(journal, database), ReadDatabase(tmp_path / "torn")
    await venue.run(*opening())
    async with venue.projecting() as projector:
        await projector.reached(venue.seq)
    before = await database.dump()
    await venue.trade(20)
    torn.folder.mkdir()
    with closing(connect_writer(database.path)) as connection:
        # A cache of one page makes SQLite write pages of the unfinished transaction into its log. The files are
        # then what a killed process leaves behind.
        connection.execute("PRAGMA cache_size=1")
        changes = WriteBatch(read_position(connection, venue.journal.journal_id))
        async for batch in venue.journal.read(changes.position.seq):
            changes.add(batch)
        connection.set_trace_callback(
            lambda sql: [
                shutil.copy(f"{database.path}{end}", f"{torn.path}{end}")
                for end in ("", "-wal")
                if sql.startswith("INSERT INTO levels")
            ]
        )
        write(connection, changes)
    assert log_bytes(torn.path) > 0
    assert await torn.dump() == before
    venue.database = torn
    async with venue.projecting() as projector:
        await projector.reached(venue.seq)
    assert await torn.dump() == await venue.rebuilt(tmp_path)
    await journal.close()


@pytest.mark.anyio
async def test_of_two_projectors_one_ends(venue: Venue) -> None:
    await venue.run(*opening())
    first, second = venue.database.writer(), venue.database.writer()
    starts = [await writer.start(venue.journal.journal_id) for writer in (first, second)]
    changes = [WriteBatch(start) for start in starts]
    async for batch in venue.journal.read(0):
        for one in changes:
            one.add(batch)
    await first.write(changes[0])
    before = await venue.database.dump()
    with pytest.raises(ReadDatabaseBusy, match="another projector writes it") as busy:
        await second.write(changes[1])
    assert exit_code_of(busy.value) == ExitCode.OTHER_WRITER
    for writer in (first, second):
        await writer.close()
    assert await venue.database.dump() == before


async def run_to_refusal(
    database: ReadDatabase, journal: SqliteJournal, error: type[Exception] = ReadDatabaseForeign
) -> Exception:
    projector = Projector(database.writer(), journal, InProcessFeed())
    with pytest.raises(error) as refused:
        await projector.run()
    with pytest.raises(ProjectorStopped):
        await projector.reached(10**6)
    assert type(refused.value) is error
    return refused.value


@pytest.mark.anyio
async def test_refuses_a_database_that_is_not_of_this_journal(venue: Venue, tmp_path: Path) -> None:
    await venue.run(*opening())
    async with venue.projecting() as projector:
        await projector.reached(venue.seq)
    other = await SqliteJournal.open(tmp_path / "other" / "journal.db")
    refusal = str(await run_to_refusal(venue.database, other))
    assert "was made from another journal" in refusal
    assert "restore the journal first" in refusal
    await other.close()


OTHER_HISTORIES: list[tuple[list[Submission], type[JournalError], str]] = [
    (opening()[:-1], JournalLost, "has lost commands from seq {seq} on"),
    ([*opening()[:-1], day_roll(SENDER, 20230104)], JournalCorrupt, "the journal's row has hash {hash}"),
    ([*opening(), cancel(1)], JournalCorrupt, "the journal's row goes on to seq {after}"),
]


@pytest.mark.anyio
async def test_a_database_that_remembers_another_history_is_a_witness(venue: Venue, tmp_path: Path) -> None:
    """Commands missing in the journal may be in this file alone, so the sentence does not advise to remove it."""
    await venue.run(*opening())
    async with venue.projecting() as projector:
        await projector.reached(venue.seq)
    for number, (submissions, error, reason) in enumerate(OTHER_HISTORIES):
        path = tmp_path / f"other {number}" / "journal.db"
        await (await SqliteJournal.open(path)).close()
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE meta SET journal_id = ?", (venue.journal.journal_id,))
        other = await SqliteJournal.open(path)
        batch = History(journal_id=other.journal_id, epoch=other.epoch).batch(submissions)
        await other.append(batch)
        found = await run_to_refusal(venue.database, other, error)
        assert isinstance(found, JournalError)
        assert found.seq == venue.seq
        assert reason.format(seq=venue.seq, after=venue.seq + 1, hash=batch.hash.hex()) in str(found)
        assert venue.database.writer().name in str(found)
        assert "remove nothing" in str(found).lower()
        await other.close()


@pytest.mark.anyio
async def test_a_database_that_contradicts_itself_is_no_witness(venue: Venue) -> None:
    await venue.run(*opening())
    async with venue.projecting() as projector:
        await projector.reached(venue.seq)
    await venue.database.execute("UPDATE position SET seq = seq + 1000")
    refusal = await run_to_refusal(venue.database, venue.journal, ReadDatabaseDamaged)
    assert f"gives seq {venue.seq + 1000} to the journal's last row, which ends at seq {venue.seq}" in str(refusal)


@pytest.mark.anyio
async def test_who_waits_is_told_when_the_projector_stops(venue: Venue) -> None:
    async with venue.projecting() as projector:
        await venue.run(*opening())
        await projector.reached(venue.seq)
        waiter = asyncio.create_task(projector.reached(venue.seq + 1))
        await asyncio.sleep(0)
    with pytest.raises(ProjectorStopped, match=f"stands at seq {venue.seq}"):
        await waiter
    await projector.reached(venue.seq)
