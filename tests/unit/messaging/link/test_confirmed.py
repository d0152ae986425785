"""An order gateway reads the journal as far as the sequencer has published it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from services.journal.batch import JournalBatch
from services.messaging.link.confirmed import ConfirmedJournal
from tests.unit.journal.chains import chain

pytestmark = pytest.mark.anyio


class Stored:
    """A journal in memory."""

    def __init__(self, batches: list[JournalBatch]) -> None:
        self._batches = batches

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        for batch in self._batches:
            if batch.last_seq > after_seq:
                yield batch


@dataclass
class Linked:
    confirmed_seq: int | None


@pytest.mark.parametrize(("confirmed_seq", "read"), [(None, 1), (5, 2), (4, 1), (2, 0)])
async def test_a_batch_that_is_visible_and_not_published_is_not_read(confirmed_seq: int | None, read: int) -> None:
    batches = chain([2, 2, 1])
    journal = ConfirmedJournal(Stored(batches), Linked(confirmed_seq))
    assert [batch async for batch in journal.read(2)] == batches[1 : 1 + read]


async def test_a_read_that_began_before_the_first_link_ends_where_that_link_ends() -> None:
    """Otherwise a command sent over this link could be answered from a batch that is not published."""
    batches = chain([2, 2, 1])
    link = Linked(None)
    reading = ConfirmedJournal(Stored(batches), link).read(0)
    assert await anext(reading) == batches[0]
    link.confirmed_seq = 4
    assert [batch async for batch in reading] == [batches[1]]
