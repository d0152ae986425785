"""A TCP proxy that damages connections at random, by seed: cut, delayed, half closed, split into small pieces."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

Fate = Literal["cut_early", "cut_there", "cut_back", "half_close", "late"]
FATES: dict[Fate, int] = {"cut_early": 1, "cut_there": 3, "cut_back": 5, "half_close": 2, "late": 2}
"""The fates of a connection and their weights: cut before a byte has passed; cut on the way to the venue, or back; half closed
on the client's side; everything delayed, and then cut on the way back."""
MOST_BYTES = 5_000
"""The most bytes before a cut: up to a dozen orders."""
LATE_S = 0.05
PIECE_BYTES = (1, 700)


class Plan(NamedTuple):
    """The fate of one connection."""

    fate: Fate
    after_bytes: int
    chopped: bool


class CuttingProxy:
    """Listens on a free port of 127.0.0.1 within `running`; clients use `url` in place of the venue's URL."""

    def __init__(self, venue_url: str, random: Random) -> None:
        parts = urlsplit(venue_url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._venue = (parts.hostname, parts.port)
        self._random = random
        self.url = ""
        self.fates: dict[Fate, int] = dict.fromkeys(FATES, 0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[CuttingProxy]:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    def _plan(self) -> Plan:
        [fate] = self._random.choices(list(FATES), list(FATES.values()))
        return Plan(fate, self._random.randrange(MOST_BYTES), self._random.random() < 0.3)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plan = self._plan()
        self.fates[plan.fate] += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if plan.fate == "cut_early":
                writer.transport.abort()
                return
            their_reader, their_writer = await asyncio.open_connection(*self._venue)
            there = asyncio.create_task(self._pass(reader, their_writer, plan, "cut_there"))
            back = asyncio.create_task(self._pass(their_reader, writer, plan, "cut_back"))
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            if plan.fate == "half_close" and there.done():
                await asyncio.wait((back,), timeout=LATE_S)
            for task in (there, back):
                task.cancel()
            await asyncio.wait((there, back))
            their_writer.transport.abort()
        writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, plan: Plan, cut: Fate) -> None:
        """Forwards the bytes of one direction until the connection ends or the plan cuts it."""
        ends_here = cut == {"half_close": "cut_there", "late": "cut_back"}.get(plan.fate, plan.fate)
        left = plan.after_bytes if ends_here else None
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if plan.fate == "late":
                    await asyncio.sleep(LATE_S)
                if left is not None and len(data) > left:
                    await self._write(writer, data[:left], plan.chopped)
                    if plan.fate == "half_close":
                        writer.write_eof()
                    return
                left = left if left is None else left - len(data)
                await self._write(writer, data, plan.chopped)

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, chopped: bool) -> None:
        while data:
            size = self._random.randint(*PIECE_BYTES) if chopped else len(data)
            writer.write(data[:size])
            data = data[size:]
            await writer.drain()
