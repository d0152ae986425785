"""A process's way to the simulated PostgreSQL: what asyncpg is to the product. Statements and answers are lost, late, cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

import asyncpg

from services.journal.errors import JournalUnreachable
from services.journal.postgres.connections import CONNECT_S, Database, DatabaseConnection
from tests.simulation.postgres import Answer, Peer, PostgresServer
from tests.simulation.process import PROCESS, Process
from tests.simulation.weather import Weather
from tests.simulation.world import World

URL = "postgresql://simulated/rex"
UNANSWERED_S = 2.0
"""After this time the system ends a connection whose server does not answer (TCP_USER_TIMEOUT)."""

_ERRORS: tuple[Callable[[], Exception], ...] = (
    lambda: asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    lambda: ConnectionResetError(104, "Connection reset by peer"),
    lambda: asyncpg.InternalClientError("got result for unknown protocol state 3"),
)
"""How asyncpg says that the connection is gone."""


class Servers:
    """What the simulated databases of all processes share."""

    def __init__(self, world: World, server: PostgresServer, weather: Weather) -> None:
        self.world = world
        self.server = server
        self.weather = weather
        self.cut_off: set[str] = set()
        """The names of the processes that do not reach the server."""


class SimulatedConnection:
    """What the product uses of `asyncpg.Connection`."""

    def __init__(self, servers: Servers, process: Process, peer: Peer, chance: Random) -> None:
        self._servers = servers
        self._process = process
        self._peer = peer
        self._chance = chance
        self._answer: asyncio.Future[list[Answer]] | None = None
        self._listener: Callable[[Any, Any], None] | None = None
        self._open = True
        process.on_end.append(self._close)
        peer.on_lost = self._lost

    def add_log_listener(self, listener: Callable[[Any, Any], None]) -> None:
        """The product's listener of notices."""
        self._listener = listener

    async def fetch(self, sql: str, *arguments: Any) -> list[Answer]:
        """Sends the statement, waits for its answer."""
        if not (self._open and self._process.alive):
            raise asyncpg.InterfaceError("connection is closed")
        world, weather, chance = self._servers.world, self._servers.weather, self._chance
        answer = self._answer = world.loop.create_future()
        fate = chance.random()
        if self._process.name in self._servers.cut_off or fate < weather.statement_lost:
            world.count("statements lost")
            world.loop.call_later(UNANSWERED_S, self._broken, context=self._process.context)
        else:
            answer_lost = fate < weather.statement_lost + weather.answer_lost
            late = chance.random() < weather.late
            delay_s = chance.expovariate(2_000) + (chance.random() * weather.late_s if late else 0)
            if (
                late and chance.random() < 0.5
            ):  # The client is told that the connection is gone before the server has it.
                world.count("statements late")
                world.loop.call_later(delay_s * chance.random(), self._broken, context=self._process.context)
            # Of this statement: who was canceled gets none, and the next one not this.
            reply = self._reply_lost if answer_lost else partial(self._reply, answer)
            server = self._servers.server
            call = server.receive, self._peer, sql, arguments, reply
            world.loop.call_later(delay_s, *call, context=server.process.context)
        records: list[Answer] = await answer
        return records

    def _reply(
        self, answer: asyncio.Future[list[Answer]], records: list[Answer], warning: str, error: Exception | None
    ) -> None:
        """The answer is on its way."""
        delay_s = self._chance.expovariate(2_000)
        loop = self._servers.world.loop
        loop.call_later(delay_s, self._arrived, answer, records, warning, error, context=self._process.context)

    def _reply_lost(self, _records: list[Answer], _warning: str, _error: Exception | None) -> None:
        self._servers.world.count("answers lost")
        self._servers.world.loop.call_later(self._chance.random() * 0.2, self._broken, context=self._process.context)

    def _arrived(
        self, answer: asyncio.Future[list[Answer]], records: list[Answer], warning: str, error: Exception | None
    ) -> None:
        if answer.done():
            return
        if warning and self._listener is not None:
            self._listener(self, SimpleNamespace(severity_en="WARNING", message=warning))
        if error is None:
            answer.set_result(self._servers.weather.damaged(records, self._chance, self._servers.world))
        else:
            answer.set_exception(error)

    def _broken(self) -> None:
        """The client learns that the connection is gone."""
        self._open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(self._chance.choice(_ERRORS)())

    def _lost(self) -> None:
        delay_s = self._chance.expovariate(100)
        self._servers.world.loop.call_later(delay_s, self._broken, context=self._process.context)

    def _close(self) -> None:
        self._open = False

    def terminate(self) -> None:
        """Cuts the connection without a word; the server finishes what it has begun."""
        if self._open and self._close in self._process.on_end:
            self._process.on_end.remove(self._close)
        self._broken()

    async def close(self) -> None:
        """Ends the session."""
        self.terminate()


class SimulatedDatabase(Database):
    """The database of the process that opens it."""

    def __init__(self, servers: Servers, process: Process) -> None:
        super().__init__(URL)
        self._servers = servers
        self._process = process

    async def connect(self) -> DatabaseConnection:
        """A new session. Raises JournalUnreachable."""
        servers, process = self._servers, self._process
        chance = servers.world.connection_chance(f"database {process.name}")
        if process.name in servers.cut_off:
            await asyncio.sleep(CONNECT_S)
            raise JournalUnreachable(self.sentence(TimeoutError()))
        await asyncio.sleep(chance.expovariate(500))
        if not servers.server.up or not process.alive:
            raise JournalUnreachable(self.sentence(ConnectionRefusedError(111, "Connection refused")))
        peer = servers.server.connected(process)
        connection: Any = SimulatedConnection(servers, process, peer, chance)
        return connection  # type: ignore[no-any-return]


def database_of(servers: Servers) -> Callable[..., SimulatedDatabase]:
    """What stands in place of `Database` in the product: a database for the process that asks."""

    def make(_url: str, _setting: str = "") -> SimulatedDatabase:
        process = PROCESS.get()
        assert process is not None
        return SimulatedDatabase(servers, process)

    return make
