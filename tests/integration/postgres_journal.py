"""A PostgreSQL journal for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from services.journal import JournalMissing
from services.journal.postgres import tables
from services.journal.postgres.journal import PostgresJournal
from tests.patience import PATIENCE_S


async def lead(url: str, link: str = "ws://127.0.0.1:1") -> PostgresJournal:
    """The journal in the database at url, made if it is missing, and claimed."""
    try:
        journal = await PostgresJournal.open(url)
    except JournalMissing:
        await tables.create(url)
        journal = await PostgresJournal.open(url)
    assert await journal.claim(await journal.look(), link) is not None
    return journal


async def execute(url: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
    """One statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(sql, *arguments))
    finally:
        await connection.close()


async def until(look: Callable[[], object], reached: Callable[..., object] = bool) -> None:
    """Looks until what it finds, awaited if it is a coroutine, has reached the condition."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = look()
            if asyncio.iscoroutine(found):
                found = await found
            if reached(found):
                return
            await asyncio.sleep(0.02)
