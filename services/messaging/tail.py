"""How every reader follows the journal: it reads the journal up to the end, then the feed; after a gap the journal again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from services.journal import JournalLost
from services.journal.batch import JournalBatch
from services.messaging import Feed, Gap, Subscription


class Readable(Protocol):
    """A journal that can be read."""

    def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        """The batches that hold commands after `after_seq`, oldest first, up to the end."""


async def tail(journal: Readable, feed: Feed, after_seq: int) -> AsyncIterator[JournalBatch]:
    """Every batch that holds commands after after_seq, each once and in order. Never ends.

    The first batch may begin before after_seq + 1; the reader must skip its commands up to after_seq. Raises the journal's
    errors, and JournalLost if a batch does not continue the one before: then a failover has replaced that one. No batch is
    missed: it subscribes before it reads the journal, and a batch is in the journal before it is in the feed.
    """
    subscription = feed.subscribe()
    position, last = after_seq, None
    try:
        while True:
            async for batch in journal.read(position):
                position, last = batch.last_seq, _continued(batch, last)
                yield batch
            while (next_batch := await _next_unless_gap(subscription)) is not None:
                if next_batch.first_seq > position + 1:
                    break  # The journal was read from a replica that is behind the feed.
                if next_batch.last_seq > position:
                    position, last = next_batch.last_seq, _continued(next_batch, last)
                    yield next_batch
    finally:
        subscription.close()


def _continued(batch: JournalBatch, last: JournalBatch | None) -> JournalBatch:
    """`batch`. Raises JournalLost if it does not continue `last`."""
    if last is not None and (batch.first_seq - 1, batch.previous_hash) != (last.last_seq, last.hash):
        raise JournalLost.replaced(
            last.first_seq - 1,
            f"its row from seq {batch.first_seq} does not continue the row up to seq {last.last_seq} that this process read",
        )
    return batch


async def _next_unless_gap(subscription: Subscription) -> JournalBatch | None:
    try:
        return await subscription.next_batch()
    except Gap:
        return None
