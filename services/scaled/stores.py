"""What every process of the scaled mode opens: the journal, the read database, and the feed of readers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from services.journal import witness
from services.journal.chain import ChainEnd
from services.journal.postgres.journal import PostgresJournal
from services.messaging import Feed
from services.messaging.polled import PolledFeed
from services.messaging.redis_stream import RedisAway, StreamFeed, check_redis
from services.read_model.postgres.database import open_read_database
from services.read_model.postgres.read_witness import read_witness
from services.venue.settings import Settings, require


@dataclass(frozen=True)
class Stores:
    """The open stores of one process."""

    journal: PostgresJournal
    read_database: AsyncEngine


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """Opens journal and read database, and compares the two. Raises SettingsRefused, JournalError, ReadDatabaseRefused and
    ReadDatabaseFailed."""
    require(settings, "database_url")
    async with AsyncExitStack() as opened:
        journal = await PostgresJournal.open(settings.database_url)
        opened.push_async_callback(journal.close)
        read_database = await open_read_database(settings.database_url)
        opened.push_async_callback(read_database.dispose)
        known = (await read_witness(settings.database_url, journal.journal_id)).witness
        if known is not None:
            await witness.check(journal, known)
        yield Stores(journal, read_database)


@dataclass(frozen=True)
class ReaderFeed:
    """The feed of a reader that has no link, and what is wrong with it."""

    feed: Feed
    trouble: Callable[[], str | None]
    uses_redis: bool


@asynccontextmanager
async def open_feed(settings: Settings, journal: PostgresJournal) -> AsyncIterator[ReaderFeed]:
    """The stream of Redis where REX_REDIS_URL names one, else a feed that follows the journal. Raises RedisRefused."""
    if not settings.redis_url:
        yield ReaderFeed(PolledFeed(), lambda: None, uses_redis=False)
        return
    with contextlib.suppress(RedisAway):  # Its readers follow the journal until it is there.
        await check_redis(settings.redis_url)

    async def journal_end() -> ChainEnd:
        row = await journal.look()
        return ChainEnd(row.last_seq, row.last_hash)

    feed = StreamFeed(settings.redis_url, journal.journal_id, journal_end)
    try:
        yield ReaderFeed(feed, lambda: feed.trouble, uses_redis=True)
    finally:
        await feed.close()
