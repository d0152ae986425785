"""Waits for the read database in a process that has no projector: it looks at the position."""

from __future__ import annotations

import asyncio
import contextlib

from sqlalchemy import event, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.read_model.errors import ReadDatabaseFailed, ReadDatabaseRefused
from services.read_model.seq_waiters import ProjectorStopped
from services.read_model.tables import position

_LOOK_S = 0.02
"""The pause between two looks while a caller waits."""

_PATIENCE_S = 10.0
"""How long a caller waits: a projector that is this far behind, or away, is as good as stopped."""


class PositionWatch:
    """Looks at the position while callers wait in `reached`: one query for all of them, none while nobody waits."""

    def __init__(self, read_database: AsyncEngine, patience_s: float = _PATIENCE_S) -> None:
        self._read_database = read_database
        self._patience_s = patience_s
        self._seq = 0
        self._waiting = 0
        self._looked = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._failed: Exception | None = None
        # A new connection may lead to another server, a standby that took over and is some batches behind.
        event.listen(read_database.sync_engine, "connect", self._forget)

    async def reached(self, seq: int) -> None:
        """Waits until the read database holds all commands up to seq; raises ProjectorStopped if that takes too long."""
        if self._seq >= seq:
            return
        self._waiting += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_while_somebody_waits())
        try:
            async with asyncio.timeout(self._patience_s):
                while self._seq < seq:
                    await self._looked.wait()
        except TimeoutError:
            raise ProjectorStopped(f"The read database stands at seq {self._seq}.") from self._failed
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Ends a look that is under way. Nobody may wait in `reached` any more."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def _look_while_somebody_waits(self) -> None:
        while self._waiting:
            try:
                async with self._read_database.connect() as connection:
                    self._seq = await connection.scalar(select(position.c.seq)) or 0
                self._failed = None
            except (ReadDatabaseFailed, ReadDatabaseRefused, SQLAlchemyError) as failed:
                self._failed = failed
            self._looked.set()
            self._looked.clear()
            await asyncio.sleep(_LOOK_S)

    def _forget(self, *_connection: object) -> None:
        self._seq = 0
