"""The stream in a real Valkey: each batch reaches the reader once and in order, whatever becomes of the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from redis.asyncio import Redis

from load_tests.servers.redis import ValkeyServer
from matching_engine.records import COMMAND
from services.journal.batch import JournalBatch
from services.messaging import Gap
from services.messaging.in_process import InProcessFeed
from services.messaging.redis_stream import StreamPublisher
from services.messaging.redis_stream.connection import stream_key
from services.messaging.redis_stream.feed import MAX_UNPROVEN_BYTES
from tests.integration.streamed_journal import StreamedJournal, streamed_journal, until
from tests.patience import PATIENCE_S
from tests.unit.journal.chains import chain, next_batch, with_header

pytestmark = [pytest.mark.anyio, pytest.mark.rig]


@pytest.fixture
async def streamed(tmp_path: Path, valkey_server: ValkeyServer) -> AsyncIterator[StreamedJournal]:
    async with streamed_journal(tmp_path, valkey_server.url()) as streamed:
        await streamed.write(3)
        await streamed.all_is_read()
        async with Redis.from_url(valkey_server.url()) as redis:
            await until_holds(redis, stream_key(streamed.journal.journal_id), streamed.written[-1])
        await streamed.healthy()
        yield streamed


@pytest.fixture
async def redis(streamed: StreamedJournal, valkey_server: ValkeyServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey_server.url()) as client:
        yield client


async def test_batches_reach_the_reader(streamed: StreamedJournal) -> None:
    for batches in (1, 40, 7):
        await streamed.write(batches, commands=3)
        await streamed.all_is_read()
    await streamed.healthy()


async def test_they_come_through_the_stream(streamed: StreamedJournal) -> None:
    subscription = streamed.feed.subscribe()
    with pytest.raises(Gap, match="from here on"):
        await subscription.next_batch()
    await streamed.write(5)
    assert [await subscription.next_batch() for _ in range(5)] == streamed.written[3:]
    with pytest.raises(Gap, match="no batch came"):
        await subscription.next_batch()
    await streamed.write(1)
    assert await subscription.next_batch() == streamed.written[-1]


async def test_a_killed_server_that_comes_back_empty(streamed: StreamedJournal, valkey_server: ValkeyServer) -> None:
    valkey_server.kill()
    await streamed.write(20)
    await streamed.in_trouble()
    assert f"Redis at 127.0.0.1:{valkey_server.port} does not answer" in str(streamed.feed.trouble)
    assert str(streamed.publisher.trouble).endswith("Readers follow the journal")
    await streamed.write(20)
    await streamed.all_is_read()
    valkey_server.start()
    await streamed.healthy()
    await streamed.write(20)
    await streamed.all_is_read()


async def test_a_stopped_server(streamed: StreamedJournal, valkey_server: ValkeyServer) -> None:
    valkey_server.pause()
    await streamed.write(20)
    await streamed.all_is_read()
    await streamed.in_trouble()
    assert f"Redis at 127.0.0.1:{valkey_server.port} does not answer: no answer in time" in str(streamed.feed.trouble)
    valkey_server.resume()
    await streamed.write(20)
    await streamed.all_is_read()
    await streamed.healthy()


async def test_a_flushed_server_gets_its_stream_again_without_a_new_batch(
    streamed: StreamedJournal, redis: Redis
) -> None:
    await redis.flushall()
    while not await redis.xlen(stream_key(streamed.journal.journal_id)):
        assert streamed.publisher.trouble is None
    await streamed.write(20)
    await streamed.all_is_read()
    await streamed.healthy()


async def test_a_key_of_another_type_is_named_and_left_alone(streamed: StreamedJournal, redis: Redis) -> None:
    key = stream_key(streamed.journal.journal_id)
    await redis.set(key, "of someone else")
    await streamed.write(20)
    await streamed.all_is_read()
    await streamed.in_trouble()
    for trouble in (streamed.publisher.trouble, streamed.feed.trouble):
        assert f"the key {key} holds no stream: delete the key" in str(trouble)
    assert await redis.get(key) == b"of someone else"
    await redis.delete(key)
    await streamed.healthy()
    await streamed.write(20)
    await streamed.all_is_read()


async def _no_memory(redis: Redis) -> None:
    await redis.config_set("maxmemory", 1)


async def _read_only(redis: Redis) -> None:
    await redis.execute_command("REPLICAOF", "127.0.0.1", "1")  # type: ignore[no-untyped-call]


async def _other_password(redis: Redis) -> None:
    await redis.config_set("requirepass", "another")
    await redis.client_kill_filter(_type="normal", skipme=True)


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [(_no_memory, "maxmemory"), (_read_only, "read only"), (_other_password, "refuses the user or password")],
)
async def test_what_the_server_refuses_is_said(
    streamed: StreamedJournal, redis: Redis, break_it: Callable[[Redis], Awaitable[None]], sentence: str
) -> None:
    await break_it(redis)
    await streamed.write(10)
    await streamed.all_is_read()
    await until(lambda: sentence in str(streamed.publisher.trouble), f"said {sentence}: {streamed.publisher.trouble}")


def _with_another_end(row: bytes) -> bytes:
    return row[:-1] + bytes((row[-1] ^ 1,))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda batch: _with_another_end(batch.encode()), "its checksum is wrong"),
        (lambda batch: with_header(batch, journal_id=bytes(16)), f"belongs to journal {bytes(16).hex()}"),
        (lambda batch: chain([1], journal_id=batch.journal_id)[0].encode(), "the entry 5-0 holds a row up to seq 1"),
        (lambda batch: with_header(batch, previous_hash=bytes(32)), "does not continue the hash chain"),
    ],
)
async def test_a_forged_entry_reaches_no_reader(
    streamed: StreamedJournal, redis: Redis, damage: Callable[[JournalBatch], bytes], sentence: str
) -> None:
    key = stream_key(streamed.journal.journal_id)
    forged = damage(next_batch(streamed.written[-1], journal_id=streamed.journal.journal_id))
    await redis.xadd(key, {"4": forged}, id="5-0")
    await until(lambda: sentence in str(streamed.feed.trouble), f"said {sentence}")
    await streamed.write(1)
    await until(lambda: "holds later rows" in str(streamed.publisher.trouble), "said by the publisher")
    await streamed.write(10)
    await streamed.all_is_read()
    await streamed.healthy()


def _other_commands(batch: JournalBatch) -> JournalBatch:
    """A well-formed batch in the place of `batch`: it continues the same row, and has other commands and a right hash."""
    return replace(batch, commands=np.array(np.frombuffer(batch.commands, COMMAND)[::-1]).tobytes(), attachments=())


@pytest.mark.parametrize("ahead", [True, False], ids=["before the true batch", "instead of the true batch"])
async def test_a_well_formed_forged_batch_is_not_taken_and_is_named(
    streamed: StreamedJournal, redis: Redis, ahead: bool
) -> None:
    journal = streamed.journal
    true = next_batch(streamed.written[-1], 2, journal_id=journal.journal_id)
    forged = _other_commands(true)
    assert forged.break_of_chain(journal.journal_id, true.first_seq - 1, true.previous_hash) is None
    if not ahead:
        await journal.append(true)
        streamed.written.append(true)
    await _add(redis, forged)
    sentence = f"a row up to seq {forged.last_seq} that the journal does not hold"
    await until(lambda: sentence in str(streamed.feed.trouble), f"said {sentence}: {streamed.feed.trouble}")
    if ahead:
        await streamed.write(1, commands=2)
    await streamed.all_is_read()
    assert sentence in str(streamed.feed.trouble)
    await streamed.write(3)
    await streamed.all_is_read()
    await streamed.healthy()


async def test_batches_behind_a_forged_one_are_not_taken(streamed: StreamedJournal, redis: Redis) -> None:
    true = streamed.written[-1]
    for _ in range(3):
        forged = _other_commands(next_batch(true, 2, journal_id=true.journal_id))
        await _add(redis, forged)
        true = forged
    await until(lambda: "the journal does not hold" in str(streamed.feed.trouble), "named")
    await streamed.write(10)
    await streamed.all_is_read()


async def test_batches_wait_until_the_stream_has_reached_the_end_that_the_journal_had(
    streamed: StreamedJournal, redis: Redis
) -> None:
    subscription = streamed.feed.subscribe()
    with pytest.raises(Gap, match="from here on"):
        await subscription.next_batch()
    first, second = await _committed_but_not_published(streamed)
    await _add(redis, first)
    with pytest.raises(Gap, match="no batch came"):
        await subscription.next_batch()
    await _add(redis, second)
    assert [await subscription.next_batch() for _ in range(2)] == [first, second]


async def test_a_reader_that_is_far_behind_keeps_no_more_than_the_bound(
    streamed: StreamedJournal, redis: Redis
) -> None:
    subscription = streamed.feed.subscribe()
    with pytest.raises(Gap, match="from here on"):
        await subscription.next_batch()
    first, _ = await _committed_but_not_published(streamed, text=bytes(MAX_UNPROVEN_BYTES))
    await _add(redis, first)
    with pytest.raises(Gap, match=f"more than {MAX_UNPROVEN_BYTES} bytes wait for their proof"):
        await subscription.next_batch()
    await streamed.all_is_read()


async def _committed_but_not_published(streamed: StreamedJournal, text: bytes = b"") -> list[JournalBatch]:
    for _ in range(2):
        batch = next_batch(streamed.written[-1], journal_id=streamed.journal.journal_id, attachments=(text,))
        await streamed.journal.append(batch)
        streamed.written.append(batch)
    return streamed.written[-2:]


async def _add(redis: Redis, batch: JournalBatch) -> None:
    key = stream_key(batch.journal_id)
    await redis.xadd(key, {str(batch.first_seq): batch.encode()}, id=f"{batch.last_seq}-0")


async def test_a_batch_that_never_reached_the_stream_is_a_gap(streamed: StreamedJournal) -> None:
    subscription = streamed.feed.subscribe()
    with pytest.raises(Gap, match="from here on"):
        await subscription.next_batch()
    lost = next_batch(streamed.written[-1], journal_id=streamed.journal.journal_id)
    await streamed.in_process.publish(next_batch(lost, journal_id=streamed.journal.journal_id))
    with pytest.raises(Gap, match="seq 6 does not follow seq 3"):
        await subscription.next_batch()


async def test_the_stream_keeps_its_bound_of_bytes_under_one_leader_after_another(redis_url: str) -> None:
    bound = 400_000
    batches = chain([40] * 400)
    key = stream_key(batches[0].journal_id)
    assert sum(len(batch.encode()) for batch in batches) > 5 * bound
    async with Redis.from_url(redis_url) as redis:
        for first in (0, 200):  # The second leader does not know the sizes of what the first one added.
            feed = InProcessFeed()
            last = batches[first - 1] if first else None
            publisher = StreamPublisher(redis_url, feed, batches[0].journal_id, last, max_bytes=bound)
            async with running(publisher):
                await until(partial(_has_reader, feed), "subscribed")
                for batch in batches[first : first + 200]:
                    await feed.publish(batch)
                    if batch.last_seq % 800 == 0:
                        await until_holds(redis, key, batch)
            assert publisher.trouble is None
            used = await redis.memory_usage(key)
            assert used is not None
            assert bound / 2 < used < 1.2 * bound


async def test_an_entry_larger_than_the_bound_is_left_out(redis_url: str) -> None:
    small, large, small_again = chain([1, 200, 1])
    async with Redis.from_url(redis_url) as redis:
        feed = InProcessFeed()
        publisher = StreamPublisher(redis_url, feed, small.journal_id, None, max_bytes=10_000)
        async with running(publisher):
            await until(partial(_has_reader, feed), "subscribed")
            for batch in (small, large, small_again):
                await feed.publish(batch)
                if batch is not large:
                    await until_holds(redis, stream_key(small.journal_id), batch)
        assert await redis.xlen(stream_key(small.journal_id)) == 2


async def test_a_publisher_ends_at_whatever_moment_it_is_canceled(redis_url: str) -> None:
    batches = chain([1] * 50)
    for turns, batch in enumerate(batches):
        feed = InProcessFeed()
        async with running(StreamPublisher(redis_url, feed, batch.journal_id, None)):
            await until(partial(_has_reader, feed), "subscribed")
            await feed.publish(batch)
            for _ in range(turns):
                await asyncio.sleep(0)


def _has_reader(feed: InProcessFeed) -> bool:
    return feed.readers == 1


@asynccontextmanager
async def running(publisher: StreamPublisher) -> AsyncIterator[None]:
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=PATIENCE_S)
    assert task.cancelled()


async def until_holds(redis: Redis, key: str, batch: JournalBatch) -> None:
    """Waits until the stream ends with this batch."""
    last = f"{batch.last_seq}-0"
    async with asyncio.timeout(PATIENCE_S):
        while not await redis.xrange(key, last, last):  # noqa: ASYNC110
            await asyncio.sleep(0.002)
