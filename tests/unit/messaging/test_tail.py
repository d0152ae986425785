"""Following: each batch once, in order, whether from the journal or the feed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.journal import JournalLost
from services.journal.batch import JournalBatch
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessFeed, InProcessSubscription
from services.messaging.tail import tail
from tests.unit.journal.chains import next_batch

pytestmark = pytest.mark.anyio


class Writer:
    """Appends, then publishes, as the sequencer does."""

    def __init__(self, journal: SqliteJournal, feed: InProcessFeed) -> None:
        self.journal = journal
        self.feed = feed
        self.batches: list[JournalBatch] = []

    async def write(self, batches: int, commands: int = 1) -> None:
        for _ in range(batches):
            last = self.batches[-1] if self.batches else None
            batch = next_batch(last, commands, journal_id=self.journal.journal_id)
            await self.journal.append(batch)
            self.batches.append(batch)
            await self.feed.publish(batch)


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    journal = await SqliteJournal.open(tmp_path / "journal")
    yield Writer(journal, InProcessFeed(max_batches=3))
    await journal.close()


async def take(batches: AsyncIterator[JournalBatch], count: int) -> list[JournalBatch]:
    return [await anext(batches) for _ in range(count)]


async def test_the_journal_first_then_the_feed(writer: Writer) -> None:
    await writer.write(2)
    following = tail(writer.journal, writer.feed, 0)
    got = await take(following, 2)
    for _ in range(3):
        await writer.write(1)
        got += await take(following, 1)
    assert got == writer.batches


async def test_a_batch_that_is_in_the_journal_and_in_the_feed_comes_once(writer: Writer) -> None:
    await writer.write(3)

    class Overlapping(InProcessFeed):
        """Two of the batches are published between subscribing and reading."""

        def subscribe(self, max_batches: int | None = None) -> InProcessSubscription:
            subscription = super().subscribe(max_batches)
            for batch in writer.batches[1:]:
                subscription.offer(batch)
            return subscription

    feed = Overlapping()
    following = tail(writer.journal, feed, 0)
    got = await take(following, 3)
    await feed.publish(only_in_feed := next_batch(got[-1], journal_id=writer.journal.journal_id))
    got += await take(following, 1)
    assert got == [*writer.batches, only_in_feed]


async def test_batches_written_while_it_reads_are_not_missed(writer: Writer) -> None:
    await writer.write(3)
    following = tail(writer.journal, writer.feed, 0)
    got = await take(following, 1)
    await writer.write(2)
    got += await take(following, 4)
    await writer.write(1)
    got += await take(following, 1)
    assert got == writer.batches


async def test_after_a_gap_the_journal_again(writer: Writer) -> None:
    following = tail(writer.journal, writer.feed, 0)
    await writer.write(1)
    got = await take(following, 1)
    await writer.write(1)
    got += await take(following, 1)
    await writer.write(20)
    got += await take(following, 20)
    await writer.write(2)
    got += await take(following, 2)
    assert got == writer.batches


async def test_a_feed_that_is_ahead_of_the_journal_loses_no_batch(writer: Writer) -> None:
    following = tail(writer.journal, writer.feed, 0)
    await writer.write(1)
    got = await take(following, 1)
    await writer.write(1)
    skipped = next_batch(writer.batches[-1], journal_id=writer.journal.journal_id)
    ahead = next_batch(skipped, journal_id=writer.journal.journal_id)
    await writer.feed.publish(ahead)
    for batch in (skipped, ahead):
        await writer.journal.append(batch)
    got += await take(following, 3)
    assert got == [*writer.batches, skipped, ahead]


@pytest.mark.parametrize("in_feed", [False, True])
async def test_a_row_that_replaces_one_that_was_read_is_no_continuation(writer: Writer, in_feed: bool) -> None:
    """After a failover the journal may hold another row where one was that this process has read."""
    await writer.write(2)
    other = replace(writer.batches[-1], epoch=writer.batches[-1].epoch + 1)
    feed = InProcessFeed()
    following_row = next_batch(other, journal_id=writer.journal.journal_id)
    if in_feed:
        following = tail(writer.journal, feed, 0)
        await take(following, 2)
        await feed.publish(following_row)
    else:
        readings = iter([writer.journal.read(0), _batches([following_row])])
        following = tail(Rereading(readings), feed, 0)
        await take(following, 2)
        feed.gap()
    with pytest.raises(
        JournalLost, match="from seq 2 on than this process has read: its row from seq 3 does not continue"
    ):
        await anext(following)


async def _batches(batches: list[JournalBatch]) -> AsyncIterator[JournalBatch]:
    for batch in batches:
        yield batch


class Rereading:
    """A journal that reads something else each time."""

    def __init__(self, readings: Iterator[AsyncIterator[JournalBatch]]) -> None:
        self._readings = readings

    def read(self, _after_seq: int) -> AsyncIterator[JournalBatch]:
        return next(self._readings)


@pytest.mark.parametrize(("after_seq", "skipped"), [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2)])
async def test_it_begins_with_the_batch_that_holds_the_next_command(
    writer: Writer, after_seq: int, skipped: int
) -> None:
    await writer.write(3, commands=4)
    following = tail(writer.journal, writer.feed, after_seq)
    got = await take(following, 3 - skipped)
    await writer.write(1)
    got += await take(following, 1)
    assert got == writer.batches[skipped:]


async def test_a_reader_that_stops_is_forgotten_by_the_feed(writer: Writer) -> None:
    await writer.write(1)
    following = tail(writer.journal, writer.feed, 0)
    await take(following, 1)
    assert writer.feed.readers == 1
    await following.aclose()  # type: ignore[attr-defined]
    assert writer.feed.readers == 0
