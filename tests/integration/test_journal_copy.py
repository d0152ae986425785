"""A journal copied between SQLite and PostgreSQL: byte for byte, whole or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from services.journal import JournalCorrupt, JournalError, JournalMissing, JournalRefused
from services.journal import batch_reader as sqlite_reader
from services.journal.chain import CHUNK_BYTES, ChainEnd
from services.journal.copying import PARTIAL, PostgresTarget, SqliteTarget, copy
from services.journal.postgres import batch_reader as postgres_reader
from services.journal.postgres import tables
from services.journal.postgres.connections import Database
from services.journal.postgres.journal import PostgresJournal
from services.journal.postgres.seen import Seen
from services.journal.sqlite import SqliteJournal
from tests.integration.journal_contract import fill, read_all
from tests.unit.journal.chains import next_batch

pytestmark = pytest.mark.anyio


async def make_sqlite(path: Path) -> list[bytes]:
    """A journal of three epochs that ends with more than one chunk; the bytes of its batches."""
    for sizes in ([1, 3], [2], [2_000] * 9):
        journal = await SqliteJournal.open(path)
        await fill(journal, sizes)
        await journal.close()
    return await stored(await SqliteJournal.open(path, read_only=True))


async def stored(journal: SqliteJournal | PostgresJournal) -> list[bytes]:
    batches = [batch.encode() for batch in await read_all(journal)]
    await journal.close()
    return batches


async def migrate(url: str) -> None:
    connection = await asyncpg.connect(url)
    await tables.make_tables(connection)
    await connection.close()


async def test_there_and_back_every_byte_is_the_same_and_the_journal_goes_on(tmp_path: Path, postgres_url: str) -> None:
    original = await make_sqlite(tmp_path / "journal")
    await migrate(postgres_url)
    source = await SqliteJournal.open(tmp_path / "journal", read_only=True)
    progress: list[int] = []
    copied = await copy(source, PostgresTarget(postgres_url), progress.append)
    await source.close()
    assert (copied.batches, copied.end.last_seq) == (12, 18_006)
    assert progress
    assert progress == sorted(progress)

    there = await PostgresJournal.open(postgres_url)
    assert (there.journal_id, there.epoch) == (source.journal_id, 3)
    assert [batch.encode() for batch in await read_all(there)] == original
    assert await copy(there, SqliteTarget(tmp_path / "new" / "back")) == copied
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["back"]
    back = await SqliteJournal.open(tmp_path / "new" / "back", read_only=True)
    assert (back.journal_id, back.epoch) == (source.journal_id, 3)
    assert await stored(back) == original
    seen = await there.look()
    assert (seen.last_seq, seen.last_hash) == copied.end
    assert await there.claim(seen, "ws://here") is not None
    await there.append(next_batch(await there.last_batch(), 1, journal_id=there.journal_id, epoch=4))
    await there.close()
    writer = await SqliteJournal.open(tmp_path / "new" / "back")
    await fill(writer, [1])
    assert ChainEnd.after(await writer.last_batch()) == ChainEnd.after((await read_all(writer))[-1])
    assert writer.epoch == 4
    await writer.close()


async def test_a_copy_is_compressed_and_holds_the_same_bytes(tmp_path: Path) -> None:
    """A running venue appends plain rows."""
    journal = await SqliteJournal.open(tmp_path / "journal")
    await fill(journal, [1, 100, 2, *[200] * 20])
    await copy(journal, SqliteTarget(tmp_path / "copy"))
    original = await stored(journal)
    there = await SqliteJournal.open(tmp_path / "copy", read_only=True)
    assert await stored(there) == original
    sizes = [(tmp_path / name).stat().st_size for name in ("journal", "copy")]
    assert sizes[0] > sum(map(len, original)) > 5 * sizes[1]


async def test_an_empty_journal_is_copied_into_an_initialised_database(tmp_path: Path, postgres_url: str) -> None:
    source = await SqliteJournal.open(tmp_path / "journal")
    await tables.create(postgres_url)
    await copy(source, PostgresTarget(postgres_url))
    there = await PostgresJournal.open(postgres_url)
    assert (there.journal_id, there.epoch, await there.last_batch()) == (source.journal_id, 1, None)
    await there.close()
    await source.close()


async def test_a_target_with_a_journal_is_refused_and_kept(tmp_path: Path, postgres_url: str) -> None:
    original = await make_sqlite(tmp_path / "journal")
    await tables.create(postgres_url)
    there = await PostgresJournal.open(postgres_url)
    await there.claim(await there.look(), "ws://here")
    source = await SqliteJournal.open(tmp_path / "journal", read_only=True)
    for target, name in (
        (PostgresTarget(postgres_url), "REX_DATABASE_URL"),
        (SqliteTarget(tmp_path / "journal"), str(tmp_path)),
    ):
        with pytest.raises(JournalRefused, match="only to a place without one") as refused:
            await copy(source, target)
        assert name in str(refused.value)
    assert (await there.look()).journal_id == there.journal_id != source.journal_id
    assert await stored(source) == original
    await there.close()


async def test_a_damaged_source_leaves_nothing_at_the_target(tmp_path: Path, postgres_url: str) -> None:
    await make_sqlite(tmp_path / "journal")
    with closing(sqlite3.connect(tmp_path / "journal")) as connection, connection:
        connection.execute(
            "UPDATE rows SET data = zeroblob(length(data)) WHERE first_seq = (SELECT max(first_seq) FROM rows)"
        )
    await migrate(postgres_url)
    source = await SqliteJournal.open(tmp_path / "journal", read_only=True)
    with pytest.raises(JournalCorrupt):
        await copy(source, PostgresTarget(postgres_url))
    with pytest.raises(JournalMissing, match="run `rex init`"):
        await PostgresJournal.open(postgres_url)
    with pytest.raises(JournalCorrupt):
        await copy(source, SqliteTarget(tmp_path / "new" / "copy"))
    assert [*(tmp_path / "new").iterdir()] == []
    await source.close()


async def test_a_source_that_grows_is_refused(tmp_path: Path) -> None:
    source = await SqliteJournal.open(tmp_path / "journal")
    batches = await fill(source, [1])

    class Growing(SqliteTarget):
        async def add(self, batches: list) -> None:  # type: ignore[type-arg]
            await super().add(batches)
            await fill(source, [1])

    with pytest.raises(JournalRefused, match="stop the venue"):
        await copy(source, Growing(tmp_path / "copy"))
    assert (await read_all(source))[0] == batches[0]
    assert not (tmp_path / "copy").exists()
    await source.close()


async def test_a_copy_that_was_killed_is_done_again(tmp_path: Path) -> None:
    original = await make_sqlite(tmp_path / "journal")
    source = await SqliteJournal.open(tmp_path / "journal", read_only=True)
    (tmp_path / f"copy{PARTIAL}").write_bytes(b"the half of a copy")
    (tmp_path / f"copy{PARTIAL}-wal").write_bytes(b"its log")
    await copy(source, SqliteTarget(tmp_path / "copy"))
    assert await stored(await SqliteJournal.open(tmp_path / "copy", read_only=True)) == original
    await source.close()


async def test_a_file_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    source = await SqliteJournal.open(tmp_path / "journal")
    (tmp_path / "file").touch()
    with pytest.raises((JournalError, OSError), match=str(tmp_path / "file")):
        await copy(source, SqliteTarget(tmp_path / "file" / "journal"))
    await source.close()


async def test_compressed_rows_are_read_in_chunks_of_the_size_of_their_batches(
    tmp_path: Path, postgres_url: str
) -> None:
    """Some 40 such rows would fit into the bytes of a chunk."""
    journal = await SqliteJournal.open(tmp_path / "journal")
    await fill(journal, [4_000] * 8)
    await migrate(postgres_url)
    await copy(journal, PostgresTarget(postgres_url))
    await journal.close()
    in_postgres = postgres_reader.BatchReader(Database(postgres_url), Seen())
    await in_postgres.open()
    in_file = sqlite_reader.BatchReader(tmp_path / "journal")
    for batches in (
        (await in_postgres.chunk(journal.journal_id, 0, None))[0],
        in_file.chunk(journal.journal_id, 0, None)[0],
    ):
        assert 0.5 * CHUNK_BYTES < sum(len(batch.encode()) for batch in batches) < 1.5 * CHUNK_BYTES
    await in_postgres.session.close()
    in_file.close()
