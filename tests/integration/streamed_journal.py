"""A journal that one task writes, the publisher of its stream, and a reader that follows: all but Redis in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.chain import ChainEnd
from services.journal.sqlite import SqliteJournal
from services.messaging import Feed
from services.messaging.in_process import InProcessFeed
from services.messaging.redis_stream import StreamFeed, StreamPublisher
from services.messaging.tail import tail
from tests.patience import PATIENCE_S
from tests.unit.journal.chains import next_batch

Follow = Callable[[Journal, Feed, int], AsyncIterator[JournalBatch]]


async def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for a condition, PATIENCE_S at most."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"after {PATIENCE_S} s: not {what}") from None


class StreamedJournal:
    """What one of each does."""

    def __init__(self, journal: SqliteJournal, url: str, follow: Follow) -> None:
        self.journal = journal
        self.in_process = InProcessFeed()
        self.publisher = StreamPublisher(url, self.in_process, journal.journal_id, None)
        self.feed = StreamFeed(url, journal.journal_id, self.journal_end, interval_s=0.02, distrust_s=0.1)
        self.follow = follow
        self.written: list[JournalBatch] = []
        self.got: list[JournalBatch] = []
        """What the reader took."""

    async def journal_end(self) -> ChainEnd:
        """What the feed compares the stream with."""
        return ChainEnd.after(await self.journal.last_batch())

    async def write(self, batches: int, commands: int = 1) -> None:
        """Appends and publishes, as the sequencer does."""
        for _ in range(batches):
            last = self.written[-1] if self.written else None
            batch = next_batch(last, commands, journal_id=self.journal.journal_id)
            await self.journal.append(batch)
            self.written.append(batch)
            await self.in_process.publish(batch)

    async def read(self) -> None:
        """The reader: it follows from the start, and never ends."""
        async for batch in self.follow(self.journal, self.feed, 0):
            self.got.append(batch)

    async def all_is_read(self) -> None:
        """Waits until the reader took the last batch that was written. Each must have come once and in order."""
        last_seq = self.written[-1].last_seq
        await until(lambda: bool(self.got) and self.got[-1].last_seq >= last_seq, f"read up to seq {last_seq}")
        assert self.got == self.written, f"{len(self.got)} batches were read of {len(self.written)}, or not in order"

    async def in_trouble(self) -> None:
        """Waits until both ends say that Redis is in trouble."""
        await until(lambda: None not in (self.publisher.trouble, self.feed.trouble), "said by both ends")

    async def healthy(self) -> None:
        """Waits until both ends say that the stream is good."""
        await until(
            lambda: self.publisher.trouble is self.feed.trouble is None,
            f"good again: {self.publisher.trouble}; {self.feed.trouble}",
        )


@asynccontextmanager
async def streamed_journal(folder: Path, url: str, *, follow: Follow = tail) -> AsyncIterator[StreamedJournal]:
    """One that publishes and reads until the end of the block."""
    journal = await SqliteJournal.open(folder / "journal")
    streamed = StreamedJournal(journal, url, follow)
    tasks = [asyncio.create_task(work) for work in (streamed.publisher.run(), streamed.read())]
    try:
        yield streamed
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await streamed.feed.close()
        await journal.close()
    assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
