"""A connection to the read database whose queries end after some seconds.

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


async def _interrupt(driver: Any, seconds: float, late: asyncio.Event) -> None:
    await asyncio.sleep(seconds)
    late.set()
    while True:
        await driver.interrupt()
        await asyncio.sleep(_AGAIN_S)
