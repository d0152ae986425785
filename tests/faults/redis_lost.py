"""Takes Redis away while batches are written, and looks whether the reader gets each batch once and in order.

    python -m tests.faults.redis_lost --faults 100 --seed 1

A writer appends batches to a journal, a publisher copies them into the stream of a real Valkey, a reader follows. In the middle
of the writing the server is killed, stopped (SIGSTOP), flushed, restarted empty, or finds a key of another type in the place of
the stream. The writer must go on and the reader must get everything while the fault lasts; both ends must say what is wrong;
afterwards both must be well again, and batches must arrive through the stream. After every ten faults a new journal begins.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from redis.asyncio import Redis

from load_tests.servers.redis import ValkeyServer
from load_tests.servers.server_process import ServerMissing
from services.journal import Journal
from services.journal.batch import JournalBatch
from services.messaging import Feed, Gap, Subscription
from services.messaging.redis_stream.connection import stream_key
from services.messaging.tail import tail
from tests.faults.rig import Advance, CannotRun, Report, Rig, main, scratch
from tests.integration.streamed_journal import Follow, StreamedJournal, streamed_journal
from tests.patience import PATIENCE_S

FAULTS_A_JOURNAL = 10
MOST_BATCHES = 60
MOST_COMMANDS = 30
WRITTEN_S = 10.0
"""In this time all batches are written. A writer that waits for Redis takes up to a second for each: its client's time-out."""


class Scene(NamedTuple):
    """What a fault acts upon."""

    server: ValkeyServer
    key: str

    def redis(self) -> Redis:
        """A client of the rig's own."""
        return Redis.from_url(self.server.url())


class Fault(NamedTuple):
    """How it begins, how it ends, and what both ends must say in between; "": the stream is good again before they look."""

    name: str
    begin: Callable[[Scene], Awaitable[object]]
    end: Callable[[Scene], Awaitable[object]]
    sentence: str


async def _kill(scene: Scene) -> None:
    scene.server.kill()


async def _start(scene: Scene) -> None:
    scene.server.start()


async def _pause(scene: Scene) -> None:
    scene.server.pause()


async def _resume(scene: Scene) -> None:
    scene.server.resume()


async def _restart(scene: Scene) -> None:
    scene.server.stop()
    scene.server.start()


async def _flush(scene: Scene) -> None:
    scene.server.flush()


async def _usurp(scene: Scene) -> None:
    async with scene.redis() as redis:
        await redis.set(scene.key, "of someone else")


async def _delete(scene: Scene) -> None:
    async with scene.redis() as redis:
        assert await redis.get(scene.key) == b"of someone else", "the key of someone else was changed"
        await redis.delete(scene.key)


async def _nothing(_scene: Scene) -> None:
    pass


FAULTS = (
    Fault("kills", _kill, _start, "does not answer"),
    Fault("stops", _pause, _resume, "does not answer"),
    Fault("flushes", _flush, _nothing, ""),
    Fault("restarts_empty", _restart, _nothing, ""),
    Fault("wrong_types", _usurp, _delete, "holds no stream: delete the key"),
)


def run(faults: int, seed: int, advance: Advance, *, follow: Follow = tail) -> Report:
    """Runs `faults` faults, up to the first broken promise. `follow` is how the reader follows."""
    report = Report("redis_lost", {"batches": 0})
    random = Random(seed)
    kinds = [fault for _ in range(0, faults, len(FAULTS)) for fault in random.sample(FAULTS, len(FAULTS))][:faults]
    try:
        with ValkeyServer() as server:
            for first in range(0, faults, FAULTS_A_JOURNAL):
                with TemporaryDirectory(dir=scratch()) as work:
                    some = kinds[first : first + FAULTS_A_JOURNAL]
                    asyncio.run(_one_journal(Path(work), server, some, random, report, advance, follow))
                if report.broken:
                    break
    except ServerMissing as missing:
        raise CannotRun(str(missing)) from missing
    return report


async def _one_journal(
    folder: Path,
    server: ValkeyServer,
    faults: list[Fault],
    random: Random,
    report: Report,
    advance: Advance,
    follow: Follow,
) -> None:
    async with streamed_journal(folder, server.url(), follow=follow) as streamed:
        scene = Scene(server, stream_key(streamed.journal.journal_id))
        for fault in faults:
            try:
                await _one_fault(fault, scene, streamed, random)
                report.add("through_the_stream", await _through_the_stream(streamed, random))
            except AssertionError as broken:
                report.broken.append(f"{fault.name}, after {len(streamed.written)} batches: {broken}")
                break
            finally:
                server.resume()
            report.add(fault.name)
            advance()
        report.add("batches", len(streamed.written))


async def _one_fault(fault: Fault, scene: Scene, streamed: StreamedJournal, random: Random) -> None:
    await _write(streamed, random)
    await streamed.all_is_read()
    await streamed.healthy()
    writing = asyncio.create_task(_write(streamed, random))
    for _ in range(random.randrange(200)):
        await asyncio.sleep(0)
    try:
        await fault.begin(scene)
    finally:
        await asyncio.wait([writing], timeout=WRITTEN_S)
        assert writing.done(), "the writer waits for Redis"
        await writing
    await streamed.all_is_read()
    if fault.sentence:
        await _write(streamed, random)
        await streamed.in_trouble()
        for trouble in (streamed.publisher.trouble, streamed.feed.trouble):
            assert fault.sentence in str(trouble), f"an end says {trouble}"
        await streamed.all_is_read()
    await fault.end(scene)
    await _write(streamed, random)
    await streamed.healthy()
    await streamed.all_is_read()


async def _write(streamed: StreamedJournal, random: Random) -> None:
    for _ in range(random.randint(1, MOST_BATCHES)):
        await streamed.write(1, commands=random.randint(1, MOST_COMMANDS))
        await asyncio.sleep(random.choice((0, 0, 0.001)))


async def _through_the_stream(streamed: StreamedJournal, random: Random) -> int:
    """Writes batches and takes them from the stream alone: a new subscription gets each one that is written after its begin."""
    subscription = streamed.feed.subscribe()
    while not await _begun(subscription):
        pass
    first = len(streamed.written)
    await _write(streamed, random)
    got = list[JournalBatch]()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not got or got[-1].last_seq < streamed.written[-1].last_seq:
                with suppress(Gap):
                    got.append(await subscription.next_batch())
    except TimeoutError:
        raise AssertionError("the stream does not carry every batch again") from None
    assert got == streamed.written[-len(got) :], "the stream carries other batches than the journal"
    return len(streamed.written) - first


async def _begun(subscription: Subscription) -> bool:
    try:
        await subscription.next_batch()
    except Gap as gap:
        return "from here on" in str(gap)
    return False


async def careless_follow(journal: Journal, feed: Feed, after_seq: int) -> AsyncIterator[JournalBatch]:
    """A defect that the rig must catch: a reader that takes a gap for silence."""
    subscription = feed.subscribe()
    async for batch in journal.read(after_seq):
        after_seq = batch.last_seq
        yield batch
    while True:
        with suppress(Gap):
            if (batch := await subscription.next_batch()).last_seq > after_seq:
                after_seq = batch.last_seq
                yield batch


RIG = Rig("redis_lost", run, "faults", short=10, long=100)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
