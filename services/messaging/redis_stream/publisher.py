"""The leader's end of the stream: it copies each committed batch into Redis. The leader never waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from redis.exceptions import ResponseError

from services.journal.batch import JournalBatch
from services.messaging import Feed, Gap, Subscription
from services.messaging.redis_stream.connection import (
    REDIS_ERRORS,
    call,
    is_there,
    open_client,
    stream_key,
    trouble_with,
)

MAX_STREAM_BYTES = 64 * 2**20
MAX_ENTRIES = 65_536
"""Both bound the stream: at 50 entries a second it holds 21 minutes."""

MAX_ENTRY_BYTES = 2**20
"""An entry holds batches up to this size, or one larger batch."""

MAX_WAITING_BYTES = 8 * 2**20
"""Batches that wait for Redis. When there are more, all of them are dropped; the readers read them in the journal."""

PACE_S = 0.02
"""Between two entries. A call costs the leader about 0.2 ms of CPU, whether its entry holds one batch or twenty."""

BEAT_S = 1.0
"""After so long without a batch the last batch is added again. Redis refuses it if it is still there; so a stream that was lost
begins again, and `trouble` is never older."""

RETRY_S = 1.0


class _Row(NamedTuple):
    """A batch as bytes: its Python values need ten times the memory."""

    first_seq: int
    last_seq: int
    data: bytes


class StreamPublisher:
    """A part of the leader. Run `run` as a task."""

    def __init__(
        self,
        url: str,
        feed: Feed,
        journal_id: bytes,
        last: JournalBatch | None,
        *,
        max_bytes: int = MAX_STREAM_BYTES,
    ) -> None:
        """`last` is the journal's last batch: readers need it to begin. Raises RedisAddressInvalid for a malformed URL."""
        self.trouble: str | None = None
        """What keeps batches from the stream, as a sentence; None while they arrive there."""
        self._client = open_client(url)
        self._feed = feed
        self._key = stream_key(journal_id)
        self._max_bytes = max_bytes
        self._last = None if last is None else _row(last)
        self._waiting: deque[_Row] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._kept: deque[tuple[int, int]] = deque()
        """Id and bytes of each entry that this publisher added, and that was not trimmed."""
        self._kept_bytes = 0

    async def run(self) -> None:
        """Publishes until it is canceled. No error of Redis ends it."""
        subscription = self._feed.subscribe()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._collect(subscription))
                tasks.create_task(self._send())
        finally:
            subscription.close()
            await self._client.aclose()

    async def _collect(self, subscription: Subscription) -> None:
        while True:
            with suppress(Gap):
                row = _row(await subscription.next_batch())
                if self._waiting_bytes + len(row.data) > MAX_WAITING_BYTES:
                    self._waiting.clear()
                    self._waiting_bytes = 0
                self._waiting.append(row)
                self._waiting_bytes += len(row.data)
                self._arrived.set()

    async def _send(self) -> None:
        while True:
            try:
                await self._publish(await self._next_rows())
                self.trouble = None
                pause = PACE_S
            except REDIS_ERRORS as error:
                self.trouble = f"{trouble_with(self._client, error, self._key)}. Readers follow the journal"
                pause = RETRY_S
            await asyncio.sleep(pause)

    async def _next_rows(self) -> list[_Row]:
        """The rows of the next entry; empty if none came."""
        if not self._waiting:
            self._arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._arrived.wait()
        rows, size = list[_Row](), 0
        most = min(MAX_ENTRY_BYTES, self._max_bytes)
        while self._waiting and (not rows or size + len(self._waiting[0].data) <= most):
            rows.append(self._waiting.popleft())
            size += len(rows[-1].data)
        self._waiting_bytes -= size
        return rows

    async def _publish(self, rows: list[_Row]) -> None:
        if rows:
            self._last = rows[-1]
            await self._add(rows)
        elif self._last is not None:
            try:
                await self._add([self._last])
            except ResponseError as error:
                if not is_there(error):
                    raise

    async def _add(self, rows: list[_Row]) -> None:
        """Adds an entry, and trims the stream to its bounds. The entries of earlier leaders are trimmed too: their sizes are
        not known."""
        size = sum(len(row.data) for row in rows)
        if size > self._max_bytes:
            return
        entry = rows[-1].last_seq
        self._keep(entry, size)
        fields = [part for row in rows for part in (b"%d" % row.first_seq, row.data)]
        await call(self._client, "XADD", self._key, "MINID", "=", f"{self._kept[0][0]}-0", f"{entry}-0", *fields)

    def _keep(self, entry: int, size: int) -> None:
        if self._kept and self._kept[-1][0] == entry:
            return
        self._kept.append((entry, size))
        self._kept_bytes += size
        while self._kept_bytes > self._max_bytes or len(self._kept) > MAX_ENTRIES:
            self._kept_bytes -= self._kept.popleft()[1]


def _row(batch: JournalBatch) -> _Row:
    return _Row(batch.first_seq, batch.last_seq, batch.encode())
