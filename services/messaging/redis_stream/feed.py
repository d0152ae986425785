"""The readers' end of the stream. What comes from Redis is only a claim: no batch is handed on before the journal proves it.

The proof is the end of the journal, its last seq and hash, read after the batch came. A fetched batch that ends there with that
hash is the journal's own, and so is every batch before it, because each hash covers the hash before. So one short read of the
journal proves all that was fetched. If the journal has gone on, what was fetched waits until the stream has reached that end.
A batch is committed before it is published: one that the journal does not hold was forged or damaged.

Whenever a reader cannot prove that the next batch follows the last one, it raises Gap.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from services.journal import JournalCorrupt, JournalError
from services.journal.batch import JournalBatch
from services.journal.chain import ChainEnd
from services.messaging import Gap
from services.messaging.polled import INTERVAL_S
from services.messaging.redis_stream.connection import (
    REDIS_ERRORS,
    TIMEOUT_S,
    call,
    open_client,
    stream_key,
    trouble_with,
)

SILENCE_S = 0.5
"""After so long without an entry the reader looks into the journal: the publisher may be away, and Redis not."""

RETRY_S = 1.0
"""Between two attempts while Redis is in trouble; meanwhile the reader polls the journal."""

DISTRUST_S = 60.0
"""Between two attempts after the stream held what no leader wrote: so long at least the health pages say so."""

MAX_ENTRIES = 16
"""Of one read, about 1 MiB each."""

MAX_UNPROVEN_BYTES = 8 * 2**20
"""Of fetched batches that wait for their proof. A reader that is further behind reads the journal."""

log = structlog.get_logger("rex.redis")


class StreamFeed:
    """The stream of one journal. Close it after its subscriptions."""

    def __init__(
        self,
        url: str,
        journal_id: bytes,
        journal_end: Callable[[], Awaitable[ChainEnd]],
        *,
        interval_s: float = INTERVAL_S,
        distrust_s: float = DISTRUST_S,
    ) -> None:
        """`journal_end` reads the end of the journal from the journal. Raises RedisAddressInvalid for a malformed URL."""
        self.trouble: str | None = None
        """Why readers follow the journal, as a sentence; None while they read the stream."""
        self.journal_id = journal_id
        self.journal_end = journal_end
        self.interval_s = interval_s
        self.distrust_s = distrust_s
        self._client = open_client(url)
        self._key = stream_key(journal_id)

    def subscribe(self) -> StreamSubscription:
        """A new subscription."""
        return StreamSubscription(self)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def last_entry(self) -> list[JournalBatch]:
        """The batches of the newest entry; empty if there is none. Raises one of REDIS_ERRORS, or JournalError."""
        entries = await call(self._client, "XREVRANGE", self._key, "+", "-", "COUNT", 1)
        return _batches(entries)

    async def after(self, seq: int) -> list[JournalBatch]:
        """Waits for entries after seq; empty if none came in SILENCE_S. Raises one of REDIS_ERRORS, or JournalError."""
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
        self._proven: deque[JournalBatch] = deque()
        self._unproven: list[JournalBatch] = []
        """Fetched after the proven ones; they form a chain."""
        self._end: ChainEnd | None = None
        """The end of the journal that will prove the unproven batches once the stream has reached it."""
        self._last: JournalBatch | None = None
        """The last batch fetched, which the next one must continue; None: not yet begun, or begun anew."""
        self._try_at = 0.0

    async def next_batch(self) -> JournalBatch:
        """Waits for the next batch. Raises Gap if batches may be missing before it, and at short intervals as long as Redis is
        in trouble or silent. Raises the journal's errors."""
        while not self._proven:
            if (last := self._last) is None:
                await self._begin()
            if self._end is not None or not self._unproven:
                await self._fetch(last)
            await self._prove()
        return self._proven.popleft()

    def close(self) -> None:
        """Nothing to do: the connections are the feed's."""

    async def _fetch(self, last: JournalBatch) -> None:
        """Adds what follows `last` to `_unproven`, or raises Gap."""
        batches = await self._asked(self._feed.after(last.last_seq))
        if not batches:
            raise Gap(f"no batch came in {SILENCE_S} s")
        for batch in batches:
            if batch.first_seq > last.last_seq + 1:
                self._forget()
                raise Gap(f"seq {batch.first_seq} does not follow seq {last.last_seq}: the stream lacks batches")
            if (reason := batch.break_of_chain(self._feed.journal_id, last.last_seq, last.hash)) is not None:
                await self._distrust(JournalCorrupt(reason))
            last = batch
        self._last = last
        self._unproven.extend(batches)

    async def _begin(self) -> NoReturn:
        """Takes a place at the stream's end, then raises Gap: the journal has every batch up to there."""
        if (wait_s := self._try_at - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(wait_s, self._feed.interval_s))
            raise Gap("Redis is in trouble")
        if not (batches := await self._asked(self._feed.last_entry())):
            await self._give_up("The stream in Redis holds no row yet", self._feed.interval_s)
        self._last = last = batches[-1]
        if (reason := last.break_of_chain(self._feed.journal_id, last.first_seq - 1, last.previous_hash)) is not None:
            await self._distrust(JournalCorrupt(reason))
        self._unproven.append(last)
        await self._prove()
        self._proven.clear()
        raise Gap("the stream is read from here on")

    async def _prove(self) -> None:
        """Hands on the unproven batches up to the end of the journal, if the stream has reached it. Raises Gap if one of them
        is not in the journal."""
        if self._end is None:
            self._end = await self._feed.journal_end()
        end, fetched = self._end, self._unproven
        if fetched[-1].last_seq < end.last_seq:
            if sum(len(batch.encode()) for batch in fetched) > MAX_UNPROVEN_BYTES:
                self._forget()
                raise Gap(f"more than {MAX_UNPROVEN_BYTES} bytes wait for their proof")
            return
        count, last = next((count, last) for count, last in enumerate(fetched, 1) if last.last_seq >= end.last_seq)
        if ChainEnd.after(last) != end:
            await asyncio.sleep(self._feed.interval_s)
            self._end = await self._feed.journal_end()
            if self._end == end:
                await self._distrust(JournalCorrupt(f"a row up to seq {last.last_seq} that the journal does not hold"))
            return  # A replica was behind, or a failover took a row back.
        self._end = None
        self._proven.extend(fetched[:count])
        del fetched[:count]
        self._feed.trouble = None

    async def _asked(self, call: Awaitable[list[JournalBatch]]) -> list[JournalBatch]:
        """What Redis answers. Raises Gap if it does not, or if that is no batch."""
        try:
            return await call
        except REDIS_ERRORS as error:
            await self._give_up(self._feed.sentence(error), RETRY_S)
        except JournalError as error:
            await self._distrust(error)

    async def _distrust(self, error: JournalError) -> NoReturn:
        sentence = self._feed.sentence(error)
        log.error("the stream in Redis is not believed", reason=sentence)
        await self._give_up(sentence, self._feed.distrust_s)

    async def _give_up(self, sentence: str, retry_s: float) -> NoReturn:
        self._forget()
        self._feed.trouble = f"{sentence}. Readers follow the journal"
        self._try_at = asyncio.get_running_loop().time() + retry_s
        await asyncio.sleep(self._feed.interval_s)
        raise Gap(sentence)

    def _forget(self) -> None:
        self._last = self._end = None
        self._unproven.clear()


def _batches(entries: list[tuple[bytes, dict[bytes, bytes]]]) -> list[JournalBatch]:
    batches = list[JournalBatch]()
    for entry, fields in entries:
        batches += [JournalBatch.decode(data) for data in fields.values()]
        if (
            entry != b"%d-0" % batches[-1].last_seq
        ):  # A reader asks for what follows its last seq: it would get this again.
            raise JournalCorrupt(f"the entry {entry.decode()} holds a row up to seq {batches[-1].last_seq}")
    return batches
