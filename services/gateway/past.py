"""Reads the past out of the read database, never behind an answer that the gateway has given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.venue_state.state import VenueState

Projected = Callable[[int], Awaitable[None]]
"""Returns when the read database has reached a sequence number."""


class Past:
    """Opens connections to a read database that has reached the seq of the gateway's state."""

    def __init__(self, state: VenueState, read_database: AsyncEngine, projected: Projected) -> None:
        self._state = state
        self._read_database = read_database
        self._projected = projected

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which all reads are of one position."""
        await self._projected(self._state.last_seq)
        async with self._read_database.connect() as connection:
            yield connection
