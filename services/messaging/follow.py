"""How every reader reads: the journal until it is caught up, then the feed; after a gap the journal again."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.journal import Journal
from services.journal.batch import JournalBatch
from services.messaging import Feed, Gap, Subscription


async def follow(journal: Journal, feed: Feed, after_seq: int) -> AsyncIterator[JournalBatch]:
    """Every batch holding commands after after_seq, each once and in order, without end.

    The first batch may begin before after_seq + 1; commands up to after_seq in it are the reader's to skip. Raises what
    the journal raises. It subscribes before it reads the journal, and a batch is in the journal before it is in the feed, so
    nothing falls between the two.
    """
    subscription = feed.subscribe()
    position = after_seq
    try:
        while True:
            async for batch in journal.read(position):
                position = batch.last_seq
                yield batch
            while (next_batch := await _next_unless_gap(subscription)) is not None:
                if next_batch.last_seq > position:
                    position = next_batch.last_seq
                    yield next_batch
    finally:
        subscription.close()


async def _next_unless_gap(subscription: Subscription) -> JournalBatch | None:
    try:
        return await subscription.next_batch()
    except Gap:
        return None
