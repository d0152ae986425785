"""Polling: a reader without a feed finds every batch in the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.journal.sqlite import SqliteJournal
from services.messaging.polled import PolledFeed
from services.messaging.tail import tail
from tests.unit.journal.chains import next_batch

pytestmark = pytest.mark.anyio


async def test_each_batch_once_and_in_order(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / "journal")
    following = tail(journal, PolledFeed(interval_s=0.001), 0)
    written = [next_batch(None, journal_id=journal.journal_id)]
    await journal.append(written[0])
    got = [await anext(following)]
    for _ in range(3):
        for _ in range(3):
            written.append(next_batch(written[-1], journal_id=journal.journal_id))
            await journal.append(written[-1])
        got += [await anext(following) for _ in range(3)]
    assert got == written
    await journal.close()
