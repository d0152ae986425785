"""A connection to the read database whose queries end after some seconds, and a turn at work that is done one at a time.

In PostgreSQL `services/read_model/postgres/answering.py` bounds them. SQLite computes in this process until it is
interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.read_model.errors import ReadDatabaseDamaged, ReadDatabaseSilent

QUERIES_S = 5.0
"""How long the queries of one request may take together."""

AT_ONCE = 4
"""How many such connections may be open at once: the others are for the queries of members' own orders."""

_turns: WeakKeyDictionary[AsyncEngine, asyncio.Semaphore] = WeakKeyDictionary()

_AGAIN_S = 0.05
"""So often it is looked whether a query must end. An interrupt ends the one that is running; the next one of the same request
is interrupted so much later."""


@asynccontextmanager
async def connect_in_time(read_database: AsyncEngine, seconds: float = QUERIES_S) -> AsyncIterator[AsyncConnection]:
    """A connection, and one transaction; one of AT_ONCE. Raises ReadDatabaseSilent where its queries take longer, or others are
    answered first for so long."""
    turns = _turns.setdefault(read_database, asyncio.Semaphore(AT_ONCE))
    async with turn_in_time(turns, seconds), read_database.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        if not hasattr(driver, "interrupt"):
            yield connection
            return
        late = asyncio.Event()
        interrupting = asyncio.create_task(_interrupt(driver, seconds, late, asyncio.current_task()))
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


async def _interrupt(driver: Any, seconds: float, late: asyncio.Event, asking: asyncio.Task[Any] | None) -> None:
    """Ends what runs when the time is over or `asking` is canceled: SQLAlchemy waits for the end of a query before it passes a
    cancellation on."""
    loop = asyncio.get_running_loop()
    until_s, canceled = loop.time() + seconds, asking.cancelling() if asking else 0
    while True:
        await asyncio.sleep(min(_AGAIN_S, max(0.0, until_s - loop.time())) or _AGAIN_S)
        if loop.time() >= until_s:
            late.set()
        if late.is_set() or (asking is not None and asking.cancelling() > canceled):
            with suppress(ValueError):  # the connection is closed
                await driver.interrupt()
