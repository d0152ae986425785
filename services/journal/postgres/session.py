"""One connection for one kind of work, made again after it was lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg

from services.journal.errors import JournalError, JournalUnreachable
from services.journal.postgres.connections import DRIVER_ERRORS, Database, DatabaseConnection, is_passing

FIRST_WAIT_S = 0.05
LONGEST_WAIT_S = 0.5
"""Between two attempts to connect. Short enough that a leader beats again before a standby has looked seven times."""

SLOW_S = 2.0
"""A statement without an answer for so long is reported: the server hangs, or waits for its synchronous standby."""

Result = TypeVar("Result")


class Unconfirmed(Exception):
    """The server has answered, and warned: the wait for the synchronous standby was canceled, so the commit may be lost."""


class DatabaseSession:
    """A connection that is made when it is needed. One task at a time may use it (`lock`)."""

    def __init__(self, database: Database, *, writes: bool) -> None:
        self._database = database
        self._writes = writes
        self._connection: DatabaseConnection | None = None
        self._warning = ""
        self._trouble: str | None = None
        self._asked_s: float | None = None
        self._closed = False
        self.lock = asyncio.Lock()

    @property
    def waiting_for(self) -> str | None:
        """What the work waits for, as a sentence; None if it does not wait."""
        if self._trouble is None and self._asked_s is not None:
            waited_s = time.monotonic() - self._asked_s
            if waited_s > SLOW_S:
                return f"{self._database.name} has not answered a statement for {waited_s:.0f} s"
        return self._trouble

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Runs one statement, once; connects before it if there is no connection. Raises JournalError and DRIVER_ERRORS, after
        which nobody knows whether the statement was committed; a writing session also Unconfirmed."""
        if self._closed:
            raise JournalError(f"the connection to {self._database.name} is closed")
        if self._connection is None:
            await self.connect()
        assert self._connection is not None
        self._warning, self._asked_s = "", time.monotonic()
        try:
            records: list[asyncpg.Record] = await self._connection.fetch(sql, *arguments)
        finally:
            self._asked_s = None
        if self._writes and self._warning:
            raise Unconfirmed(self._warning)
        return records

    async def connect(self) -> None:
        """Connects. Raises JournalUnreachable; to write also JournalRefused if the server's commits are not durable."""
        connection = await self._database.connect()
        try:
            if self._writes:
                await self._database.check_durable(connection)
        except BaseException:
            connection.terminate()
            raise
        connection.add_log_listener(self._on_notice)
        self._connection = connection

    async def through_outages(self, work: Callable[[], Awaitable[Result]], trouble: Exception | None = None) -> Result:
        """The result of `work`, tried again on a new connection for as long as the server is away. `trouble` is the error
        that has ended a first try. Raises JournalError for an error that does not pass."""
        wait_s = FIRST_WAIT_S
        try:
            while True:
                if trouble is not None:
                    await self._wait(trouble, wait_s)
                    wait_s = min(2 * wait_s, LONGEST_WAIT_S)
                try:
                    return await work()
                except (JournalUnreachable, Unconfirmed) as error:
                    trouble = error
                except DRIVER_ERRORS as error:
                    if not is_passing(error):
                        raise self._database.error(error) from error
                    trouble = error
        finally:
            self._trouble = None

    async def _wait(self, trouble: Exception, wait_s: float) -> None:
        self.drop()
        if self._closed:
            raise JournalError(f"the connection to {self._database.name} is closed") from trouble
        is_sentence = isinstance(trouble, (JournalError, Unconfirmed))
        self._trouble = str(trouble) if is_sentence else self._database.sentence(trouble)
        await asyncio.sleep(wait_s)

    def _on_notice(self, _connection: object, message: asyncpg.PostgresLogMessage) -> None:
        if message.severity_en == "WARNING":
            self._warning = f"{self._database.name} warns: {message.message}"

    def drop(self) -> None:
        """Cuts the connection without a word: asyncpg's cancel would end the wait for a synchronous standby."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Closes the connection; cuts it if a statement is running, whose caller then gets a JournalError."""
        self._closed = True
        if self._connection is not None and self._asked_s is None:
            with suppress(*DRIVER_ERRORS):
                await self._connection.close()
        self.drop()
