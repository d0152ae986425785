"""The readers' end of the stream. Whenever it cannot prove that the next batch follows the last one, it raises Gap."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NoReturn

from services.journal import JournalCorrupt, JournalError
from services.journal.batch import JournalBatch
from services.messaging import Gap
from services.messaging.polled import INTERVAL_S
from services.messaging.redis_stream.connection import TIMEOUT_S, TROUBLE, call, open_client, stream_key, trouble_with

SILENCE_S = 0.5
"""After so long without an entry the reader looks into the journal: the publisher may be away, and Redis not."""

RETRY_S = 1.0
"""Between two attempts while Redis is in trouble; meanwhile the reader polls the journal."""

MAX_ENTRIES = 16
"""Of one read, about 1 MiB each."""


class StreamFeed:
    """The stream of one journal. Close it after its subscriptions."""

    def __init__(self, url: str, journal_id: bytes, *, interval_s: float = INTERVAL_S) -> None:
        """Raises RedisAddressInvalid for a malformed URL."""
        self.trouble: str | None = None
        """Why readers follow the journal, as a sentence; None while they read the stream."""
        self.journal_id = journal_id
        self.interval_s = interval_s
        self._client = open_client(url)
        self._key = stream_key(journal_id)

    def subscribe(self) -> StreamSubscription:
        """A new subscription."""
        return StreamSubscription(self)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def last_entry(self) -> list[JournalBatch]:
        """The batches of the newest entry; empty if there is none. Raises one of TROUBLE, or JournalError."""
        entries = await call(self._client, "XREVRANGE", self._key, "+", "-", "COUNT", 1)
        return _batches(entries)

    async def after(self, seq: int) -> list[JournalBatch]:
        """Waits for entries after seq; empty if none came in SILENCE_S. Raises one of TROUBLE, or JournalError."""
        block = ("COUNT", MAX_ENTRIES, "BLOCK", round(SILENCE_S * 1000))
        command = ("XREAD", *block, "STREAMS", self._key, f"{seq}-0")
        reply = await call(self._client, *command, timeout_s=SILENCE_S + TIMEOUT_S)
        return _batches(reply[0][1]) if reply else []

    def sentence(self, error: BaseException) -> str:
        """The sentence for an error of a read."""
        if isinstance(error, JournalError):
            return f"The stream {self._key} in Redis holds what no leader wrote: {error}"
        return trouble_with(self._client, error, self._key)


class StreamSubscription:
    """One reader's place in the stream."""

    def __init__(self, feed: StreamFeed) -> None:
        self._feed = feed
        self._batches: deque[JournalBatch] = deque()
        self._last: JournalBatch | None = None
        """The last batch taken from the stream, which the next one must continue; None: not yet begun, or begun anew."""
        self._try_at = 0.0

    async def next_batch(self) -> JournalBatch:
        """Waits for the next batch. Raises Gap if batches may be missing before it, and at short intervals as long as Redis is
        in trouble or silent."""
        if not self._batches:
            try:
                await self._fetch()
            except (*TROUBLE, JournalError) as error:
                await self._give_up(self._feed.sentence(error), RETRY_S)
        return self._batches.popleft()

    def close(self) -> None:
        """Nothing to do: the connections are the feed's."""

    async def _fetch(self) -> None:
        """Fills `_batches`, or raises Gap."""
        if (last := self._last) is None:
            await self._begin()
        batches = await self._feed.after(last.last_seq)
        if not batches:
            raise Gap(f"no batch came in {SILENCE_S} s")
        for batch in batches:
            if (reason := batch.break_of_chain(self._feed.journal_id, last.last_seq, last.hash)) is not None:
                self._last = None
                raise Gap(reason)
            last = batch
        self._last = last
        self._batches.extend(batches)

    async def _begin(self) -> NoReturn:
        """Takes a place at the stream's end, then raises Gap: the journal has every batch up to there."""
        if (wait_s := self._try_at - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(wait_s, self._feed.interval_s))
            raise Gap("Redis is in trouble")
        if not (batches := await self._feed.last_entry()):
            await self._give_up("The stream in Redis holds no row yet", self._feed.interval_s)
        last = batches[-1]
        if (reason := last.break_of_chain(self._feed.journal_id, last.first_seq - 1, last.previous_hash)) is not None:
            raise JournalCorrupt(reason)
        self._last = last
        self._feed.trouble = None
        raise Gap("the stream is read from here on")

    async def _give_up(self, sentence: str, retry_s: float) -> NoReturn:
        self._last = None
        self._feed.trouble = f"{sentence}. Readers follow the journal"
        self._try_at = asyncio.get_running_loop().time() + retry_s
        await asyncio.sleep(self._feed.interval_s)
        raise Gap(sentence)


def _batches(entries: list[tuple[bytes, dict[bytes, bytes]]]) -> list[JournalBatch]:
    return [JournalBatch.decode(data) for _, fields in entries for data in fields.values()]
