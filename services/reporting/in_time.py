"""A connection to the read database whose queries end after some seconds, and a turn at work that is done one at a time.

In PostgreSQL `services/read_database/postgres/answering.py` bounds them. SQLite computes in this process until it is
interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.read_database.errors import ReadDatabaseDamaged, ReadDatabaseSilent

QUERIES_S = 5.0
"""How long the queries of one request may take together."""

_AGAIN_S = 0.05
"""An interrupt ends the query that is running. The next one of the same request is interrupted so much later."""


@asynccontextmanager
async def connect_in_time(read_database: AsyncEngine, seconds: float = QUERIES_S) -> AsyncIterator[AsyncConnection]:
    """A connection, and one transaction. Raises ReadDatabaseSilent where its queries take longer."""
    async with read_database.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        if not hasattr(driver, "interrupt"):
            yield connection
            return
        late = asyncio.Event()
        interrupting = asyncio.create_task(_interrupt(driver, seconds, late))
        try:
            yield connection
        except ReadDatabaseDamaged as error:  # what an interrupt looks like
            if late.is_set():
                raise ReadDatabaseSilent(f"no answer within {seconds:g} s", seconds) from error
            raise
        finally:
            interrupting.cancel()


@asynccontextmanager
async def turn_in_time(turns: asyncio.Semaphore, seconds: float = QUERIES_S) -> AsyncIterator[None]:
    """A turn at work for which `turns` has few. Raises ReadDatabaseSilent where there is none within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await turns.acquire()
    except TimeoutError as error:
        raise ReadDatabaseSilent(f"others are answered first; no turn within {seconds:g} s", seconds) from error
    try:
        yield
    finally:
        turns.release()


async def _interrupt(driver: Any, seconds: float, late: asyncio.Event) -> None:
    await asyncio.sleep(seconds)
    late.set()
    while True:
        await driver.interrupt()
        await asyncio.sleep(_AGAIN_S)
