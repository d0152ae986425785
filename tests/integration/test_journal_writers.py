"""The election on PostgreSQL: one writer at a time, and a writer whose claim is over writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.journal import JournalBusy, JournalCorrupt, JournalError, JournalLost, JournalRefused, JournalUnclaimed
from services.journal.batch import JournalBatch
from services.journal.postgres import statements
from services.journal.postgres.batch_writer import BatchWriter
from services.journal.postgres.journal import BEAT_S, PostgresJournal
from services.journal.postgres.session import DatabaseSession
from services.journal.postgres.writer_row import WriterRow
from tests.integration.journal_contract import fill, read_all
from tests.integration.postgres_journal import execute, lead, until
from tests.patience import PATIENCE_S
from tests.unit.journal.chains import next_batch

pytestmark = pytest.mark.anyio


@pytest.fixture
async def leader(postgres_url: str) -> AsyncIterator[PostgresJournal]:
    journal = await lead(postgres_url)
    yield journal
    await journal.close()


@pytest.fixture
async def standby(postgres_url: str, leader: PostgresJournal) -> AsyncIterator[PostgresJournal]:
    journal = await PostgresJournal.open(postgres_url)
    yield journal
    await journal.close()


async def table(url: str) -> list[asyncpg.Record]:
    return await execute(
        url, "SELECT w.*, j.* FROM journal_writer AS w LEFT JOIN journal AS j ON true ORDER BY first_seq"
    )


async def test_a_claim_begins_an_epoch_at_the_end_of_the_chain(
    leader: PostgresJournal, standby: PostgresJournal
) -> None:
    batches = await fill(leader, [2, 1])
    seen = await standby.look()
    row = await standby.claim(seen, "ws://standby")
    assert row == await standby.look()
    assert row is not None
    assert (row.epoch, row.epoch_after, row.last_seq, row.last_hash) == (2, 3, 3, batches[-1].hash)
    assert (row.url, row.beat, row.journal_id) == ("ws://standby", seen.beat, leader.journal_id)
    assert row.backend != seen.backend
    assert standby.epoch == 2
    batches += await fill(standby, [1])
    assert await read_all(standby) == batches


async def test_a_claim_fails_when_anything_has_moved(leader: PostgresJournal, standby: PostgresJournal) -> None:
    """An append, a beat, a hand-over."""
    moves: list[Callable[[], Awaitable[object]]] = [lambda: fill(leader, [1]), leader.beat, leader.hand_over]
    for move in moves:
        seen = await standby.look()
        await move()
        before = await standby.look()
        assert await standby.claim(seen, "ws://standby") is None
        assert await standby.look() == before
        assert standby.failed is None


async def test_of_two_standbys_that_claim_at_once_one_wins(postgres_url: str, leader: PostgresJournal) -> None:
    standbys = [await PostgresJournal.open(postgres_url) for _ in range(4)]
    for round_ in range(5):
        seen = await leader.look()
        rows = await asyncio.gather(*(one.claim(seen, f"ws://{at}") for at, one in enumerate(standbys)))
        winners = [at for at, row in enumerate(rows) if row is not None]
        assert len(winners) == 1
        row = await leader.look()
        assert (row.epoch, row.url) == (round_ + 2, f"ws://{winners[0]}")
    for one in standbys:
        await one.close()


async def test_a_writer_that_was_deposed_writes_nothing(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal
) -> None:
    batches = await fill(leader, [2])
    assert await standby.claim(await standby.look(), "ws://standby") is not None
    before = await table(postgres_url)
    late = next_batch(batches[-1], journal_id=leader.journal_id)
    with pytest.raises(JournalBusy, match="is at epoch 2, this one at 1") as busy:
        await leader.append(late)
    assert isinstance(leader.failed, JournalBusy)
    works: list[Callable[[], Awaitable[object]]] = [lambda: leader.append(late), leader.beat, leader.watch]
    for again in works:
        with pytest.raises(JournalBusy):
            await again()
    assert await table(postgres_url) == before
    assert "REX_DATABASE_URL" in str(busy.value)
    await fill(standby, [1])


async def test_an_idle_writer_beats_and_learns_that_it_was_deposed(
    leader: PostgresJournal, standby: PostgresJournal
) -> None:
    watching = asyncio.create_task(leader.watch())
    first = (await standby.look()).beat
    async with asyncio.timeout(PATIENCE_S):
        while (await standby.look()).beat < first + 2 or leader.is_replicated is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert leader.is_replicated is False
        while await standby.claim(await standby.look(), "ws://standby") is None:
            pass
        with pytest.raises(JournalBusy):
            await watching


async def test_a_session_that_locks_the_row_is_ended_and_the_claim_succeeds(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal
) -> None:
    holder = await asyncpg.connect(postgres_url)
    await holder.execute("BEGIN; UPDATE journal_writer SET beat = beat + 1")
    async with asyncio.timeout(PATIENCE_S):
        assert await standby.claim(await standby.look(), "ws://standby") is not None
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
        await holder.fetch("SELECT 1")
    holder.terminate()
    await fill(standby, [1])


async def test_a_claim_whose_connection_is_lost_while_it_ends_such_a_session_is_tried_again(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, lost = DatabaseSession.fetch, [ConnectionResetError("the connection is lost")]

    async def fetch_unheard(session: DatabaseSession, sql: str, *arguments: object) -> list[asyncpg.Record]:
        if sql == statements.TERMINATE_HOLDERS and lost:
            raise lost.pop()
        return await fetch(session, sql, *arguments)

    monkeypatch.setattr(DatabaseSession, "fetch", fetch_unheard)
    holder = await asyncpg.connect(postgres_url)
    await holder.execute("BEGIN; SELECT FROM journal_writer FOR UPDATE")
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(JournalUnclaimed, match="the connection is lost"):
            await standby.claim(await standby.look(), "ws://standby")
        assert await standby.claim(await standby.look(), "ws://standby") is not None
    holder.terminate()


async def test_a_session_that_locks_the_row_and_may_not_be_ended_is_named_and_the_claim_tried_again(
    postgres_url: str, leader: PostgresJournal
) -> None:
    """A superuser's, where this process's user is none."""
    parts = urlsplit(postgres_url)
    user = f"{parts.path.removeprefix('/')}_user"
    await execute(postgres_url, f"CREATE ROLE {user} LOGIN PASSWORD '{user}'")
    holder = await asyncpg.connect(postgres_url)
    try:
        await execute(postgres_url, f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {user}")
        its = parts._replace(netloc=f"{user}:{user}@{parts.hostname}:{parts.port}")
        standby = await PostgresJournal.open(its.geturl())
        try:
            await holder.execute("BEGIN; SELECT FROM journal_writer FOR UPDATE")
            with pytest.raises(JournalUnclaimed, match=r"locks the writer row .* may not end it: .*pg_stat_activity"):
                await standby.claim(await standby.look(), "ws://standby")
            await holder.execute("ROLLBACK")
            assert await standby.claim(await standby.look(), "ws://standby") is not None
        finally:
            await standby.close()
    finally:
        await holder.close()
        await execute(postgres_url, f"DROP OWNED BY {user}")
        await execute(postgres_url, f"DROP ROLE {user}")


async def test_two_standbys_wait_for_a_locked_row_and_one_wins(postgres_url: str, leader: PostgresJournal) -> None:
    holder = await asyncpg.connect(postgres_url)
    await holder.execute("BEGIN")
    await holder.execute("SELECT FROM journal_writer FOR UPDATE")
    standbys = [await PostgresJournal.open(postgres_url) for _ in range(2)]
    seen = await leader.look()
    async with asyncio.timeout(PATIENCE_S):
        claims = (one.claim(seen, "ws://standby") for one in standbys)
        rows = await asyncio.gather(*claims, return_exceptions=True)
    # The later one may end the session of the earlier one, which then does not know whether its claim was committed.
    assert sum(isinstance(row, WriterRow) for row in rows) <= 1
    assert all(row is None or isinstance(row, WriterRow | JournalUnclaimed) for row in rows), rows
    assert (await leader.look()).epoch == seen.epoch + 1
    for one in standbys:
        await one.close()
    holder.terminate()


async def test_a_writer_that_hands_over_appends_nothing_afterwards(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal
) -> None:
    batches = await fill(leader, [1])
    assert await leader.hand_over() is True
    row = await standby.look()
    assert (row.url, row.epoch) == ("", 1)
    with pytest.raises(JournalRefused):
        await leader.append(next_batch(batches[-1], journal_id=leader.journal_id))
    assert leader.failed is None
    assert await standby.claim(row, "ws://standby") is not None
    assert await read_all(standby) == batches


async def test_a_deposed_writer_has_nothing_to_hand_over(leader: PostgresJournal, standby: PostgresJournal) -> None:
    claimed = await standby.claim(await standby.look(), "ws://standby")
    assert await leader.hand_over() is False
    assert await standby.look() == claimed


async def test_a_writer_that_hands_over_is_watched_until_the_end(leader: PostgresJournal) -> None:
    watching = asyncio.create_task(leader.watch())
    await until(lambda: leader.is_replicated is not None)
    await asyncio.gather(leader.hand_over(), *(leader.beat() for _ in range(3)))
    before = await leader.look()
    done, _ = await asyncio.wait([watching], timeout=2 * BEAT_S)
    assert not done
    assert await leader.look() == before
    watching.cancel()


async def test_damage_is_named_with_the_database_and_what_to_do(postgres_url: str, leader: PostgresJournal) -> None:
    await fill(leader, [2])
    await execute(postgres_url, "UPDATE journal SET data = set_byte(data, 300, get_byte(data, 300) # 1)")
    with pytest.raises(JournalCorrupt) as corrupt:
        await leader.last_batch()
    assert corrupt.value.operator_sentence.startswith("PostgreSQL at 127.0.0.1:")
    assert "seq 1" in corrupt.value.operator_sentence
    assert corrupt.value.operator_sentence.endswith("restore a copy: docs/durability.md")


async def test_a_claim_is_refused_where_the_table_and_the_writer_row_differ(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal
) -> None:
    await fill(leader, [2, 3])
    await execute(postgres_url, "DELETE FROM journal WHERE first_seq = 3")
    before = await table(postgres_url)
    with pytest.raises(JournalLost) as lost:
        await standby.claim(await standby.look(), "ws://standby")
    assert lost.value.seq == 3
    with pytest.raises(JournalLost):
        await read_all(standby)
    await execute(postgres_url, "UPDATE journal_writer SET last_seq = 2")
    reader = await PostgresJournal.open(postgres_url)
    with pytest.raises(JournalError, match="one of the two was changed"):
        await read_all(reader)
    await reader.close()
    assert (await table(postgres_url))[0]["epoch"] == before[0]["epoch"]


async def lose_rows(url: str, last_seq: int, last_hash: bytes, epoch: int = 1) -> None:
    """As a failover to an asynchronous standby does."""
    await execute(url, "DELETE FROM journal WHERE first_seq > $1", last_seq)
    sql = "UPDATE journal_writer SET last_seq = $1, last_hash = $2, epoch = $3, beat = beat + 7"
    await execute(url, sql, last_seq, last_hash, epoch)


async def test_whoever_has_seen_rows_that_the_database_lost_stops(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal
) -> None:
    batches = await fill(leader, [2, 3, 1])
    assert await read_all(standby) == batches
    newcomer = await PostgresJournal.open(postgres_url)
    assert (await newcomer.look()).last_seq == 6
    await leader.beat()  # confirms the last row
    for journal in (standby, newcomer):
        await journal.look()
    await lose_rows(postgres_url, 2, batches[0].hash)
    works: list[Callable[[], Awaitable[object]]] = [
        standby.look,
        standby.last_batch,
        lambda: read_all(standby, 6),
        lambda: read_all(newcomer),
        leader.beat,
        lambda: leader.append(next_batch(batches[-1], journal_id=leader.journal_id)),
    ]
    for work in works:
        with pytest.raises(JournalLost, match="lost commands from seq 3 on"):
            await work()
    assert isinstance(leader.failed, JournalLost)
    assert len(await table(postgres_url)) == 1
    await newcomer.close()


async def test_a_row_that_was_visible_and_never_confirmed_may_be_gone(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal
) -> None:
    batches = await fill(leader, [2, 3])
    assert await read_all(standby) == batches
    await lose_rows(postgres_url, 2, batches[0].hash)
    assert (await standby.look()).last_seq == 2
    assert await read_all(standby, 5) == []
    with pytest.raises(JournalLost, match="from seq 3 on"):  # its own acknowledgement confirms it
        await leader.beat()
    again = await lead(postgres_url)
    different = next_batch(batches[0], 4, journal_id=leader.journal_id, epoch=2)
    await again.append(different)
    with pytest.raises(
        JournalLost, match=r"other commands from seq 5 on .* start this process again\. Or acknowledged commands"
    ):
        await read_all(standby, 5)
    assert await read_all(again, 2) == [different]
    await again.close()


async def test_a_barrier_and_a_claim_that_are_visible_themselves_confirm_no_row(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal
) -> None:
    """They were committed while the synchronous standby was away, and their waits were ended: a failover takes back the row,
    the barriers and the claim."""
    batches = await fill(leader, [2, 3])
    assert await read_all(standby) == batches
    row = await standby.look()
    claim = (statements.CLAIM, row.epoch, row.last_seq, row.beat, "ws://other")
    for sql, *values in ((statements.BARRIER, row.epoch), (statements.BARRIER, row.epoch), claim):
        assert await execute(postgres_url, sql, *values)
        assert (await standby.look()).last_seq == 5
    await lose_rows(postgres_url, 2, batches[0].hash)
    assert (await standby.look()).last_seq == 2


async def test_an_append_without_an_answer_moves_the_beat_once(
    leader: PostgresJournal, standby: PostgresJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert, lost = BatchWriter._insert, [ConnectionResetError("the answer is lost")]

    async def insert_unheard(writer: BatchWriter, batch: JournalBatch, data: bytes) -> bool:
        answer = await insert(writer, batch, data)
        if lost:
            raise lost.pop()
        return answer

    monkeypatch.setattr(BatchWriter, "_insert", insert_unheard)
    before = await standby.look()
    batches = await fill(leader, [2])
    after = await standby.look()
    assert (after.beat, after.last_hash, lost) == (before.beat + 1, batches[-1].hash, [])
    assert after.backend != before.backend


async def test_the_append_itself_finds_that_rows_were_lost(postgres_url: str, leader: PostgresJournal) -> None:
    batches = await fill(leader, [2, 3])
    await lose_rows(postgres_url, 2, batches[0].hash)
    with pytest.raises(JournalLost, match="lost commands from seq 3 on"):
        await leader.append(next_batch(batches[-1], journal_id=leader.journal_id))
    assert len(await table(postgres_url)) == 1


async def test_another_history_of_the_same_length_is_lost_rows_too(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal
) -> None:
    batches = await fill(leader, [2, 3])
    await standby.look()
    await lose_rows(postgres_url, 2, batches[0].hash)
    other = await lead(postgres_url)
    await other.append(next_batch(batches[0], 3, journal_id=leader.journal_id, epoch=2))
    for work in (standby.look, leader.look, standby.last_batch):
        with pytest.raises(JournalLost, match="from seq 5 on"):
            await work()
    await other.append(next_batch(await other.last_batch(), 3, journal_id=leader.journal_id, epoch=2))
    with pytest.raises(JournalError, match="hash chain"):
        await read_all(leader, 5)
    await other.close()


async def test_a_claim_that_the_server_has_lost_is_over(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal
) -> None:
    assert await standby.claim(await standby.look(), "ws://standby") is not None
    await execute(postgres_url, "UPDATE journal_writer SET epoch = 1")
    with pytest.raises(JournalBusy, match="does not know the claim of epoch 2"):
        await standby.beat()


async def test_something_else_that_writes_stops_the_writer(postgres_url: str, leader: PostgresJournal) -> None:
    batches = await fill(leader, [2])
    foreign = next_batch(batches[-1], 1, journal_id=leader.journal_id)
    await execute(postgres_url, "INSERT INTO journal VALUES (3, 3, 1, $1)", foreign.encode())
    await execute(postgres_url, "UPDATE journal_writer SET last_seq = 3, last_hash = $1", foreign.hash)
    with pytest.raises(JournalError, match="something else has written to it") as error:
        await leader.append(next_batch(batches[-1], 2, journal_id=leader.journal_id))
    assert type(error.value) is JournalError
    assert leader.failed is error.value


async def test_another_journal_in_the_same_place_is_named(
    postgres_url: str, leader: PostgresJournal, standby: PostgresJournal
) -> None:
    await execute(postgres_url, "UPDATE journal_writer SET journal_id = $1", bytes(16))
    with pytest.raises(JournalError, match="it was replaced"):
        await standby.look()
