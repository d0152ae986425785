"""Following: each row once, in order, wherever it comes from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.journal.row import Row
from services.journal.sqlite import SqliteJournal
from services.messaging.follow import follow
from services.messaging.in_process import InProcessFeed, InProcessSubscription
from tests.unit.journal.chains import next_row

pytestmark = pytest.mark.anyio


class Writer:
    """Appends, then publishes, as the sequencer does."""

    def __init__(self, journal: SqliteJournal, feed: InProcessFeed) -> None:
        self.journal = journal
        self.feed = feed
        self.rows: list[Row] = []

    async def write(self, rows: int, commands: int = 1) -> None:
        for _ in range(rows):
            last = self.rows[-1] if self.rows else None
            row = next_row(last, commands, journal_id=self.journal.journal_id)
            await self.journal.append(row)
            self.rows.append(row)
            await self.feed.publish(row)


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    journal = await SqliteJournal.open(tmp_path / "journal")
    yield Writer(journal, InProcessFeed(max_rows=3))
    await journal.close()


async def take(rows: AsyncIterator[Row], count: int) -> list[Row]:
    return [await anext(rows) for _ in range(count)]


async def test_the_journal_first_then_the_feed(writer: Writer) -> None:
    await writer.write(2)
    following = follow(writer.journal, writer.feed, 0)
    got = await take(following, 2)
    for _ in range(3):
        await writer.write(1)
        got += await take(following, 1)
    assert got == writer.rows


async def test_a_row_that_is_in_the_journal_and_in_the_feed_comes_once(writer: Writer) -> None:
    await writer.write(3)

    class Overlapping(InProcessFeed):
        """Two of the rows are published between subscribing and reading."""

        def subscribe(self) -> InProcessSubscription:
            subscription = super().subscribe()
            for row in writer.rows[1:]:
                subscription.offer(row)
            return subscription

    feed = Overlapping()
    following = follow(writer.journal, feed, 0)
    got = await take(following, 3)
    await feed.publish(only_in_feed := next_row(got[-1], journal_id=writer.journal.journal_id))
    got += await take(following, 1)
    assert got == [*writer.rows, only_in_feed]


async def test_rows_written_while_it_reads_are_not_missed(writer: Writer) -> None:
    await writer.write(3)
    following = follow(writer.journal, writer.feed, 0)
    got = await take(following, 1)
    await writer.write(2)
    got += await take(following, 4)
    await writer.write(1)
    got += await take(following, 1)
    assert got == writer.rows


async def test_after_a_gap_the_journal_again(writer: Writer) -> None:
    following = follow(writer.journal, writer.feed, 0)
    await writer.write(1)
    got = await take(following, 1)
    await writer.write(1)
    got += await take(following, 1)
    await writer.write(20)
    got += await take(following, 20)
    await writer.write(2)
    got += await take(following, 2)
    assert got == writer.rows


@pytest.mark.parametrize(("after_seq", "skipped"), [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2)])
async def test_it_begins_with_the_row_that_holds_the_next_command(writer: Writer, after_seq: int, skipped: int) -> None:
    await writer.write(3, commands=4)
    following = follow(writer.journal, writer.feed, after_seq)
    got = await take(following, 3 - skipped)
    await writer.write(1)
    got += await take(following, 1)
    assert got == writer.rows[skipped:]


async def test_a_reader_that_stops_is_forgotten_by_the_feed(writer: Writer) -> None:
    await writer.write(1)
    following = follow(writer.journal, writer.feed, 0)
    await take(following, 1)
    assert writer.feed.readers == 1
    await following.aclose()  # type: ignore[attr-defined]
    assert writer.feed.readers == 0
