"""Connections to a PostgreSQL database, and what is wrong with it as sentences for an operator.

PgBouncer in transaction mode works from version 1.21 on, which keeps named prepared statements (`max_prepared_statements` above
0): no transaction is open between two messages, and no setting of a session is needed.
"""

from __future__ import annotations

import re
import socket
from asyncio import BaseTransport
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg

from services.journal.errors import (
    JournalAddressInvalid,
    JournalCorrupt,
    JournalError,
    JournalRefused,
    JournalUnreachable,
)
from services.journal.postgres.statements import DURABILITY

SETTING = "REX_DATABASE_URL"
"""What sentences call the setting; `rex` shows an option instead where it was given (services/cli/terminal.py)."""
CONNECT_S = 5.0
"""How long a connection attempt may take, seconds."""
CLOSE_S = 2.0
"""How long the end of a connection, or of what runs on it, may take, seconds: a process ends although its server is away."""

_SOCKET_OPTIONS = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 1),  # seconds
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 1),  # seconds
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 2),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 2_000),  # milliseconds
)
"""A server that is cut off shows after two seconds. Those that the system does not have are left out."""

_HOSTS = re.compile(r"([\w.-]+|\[[\w:.%]+\])(:\d+)?(,([\w.-]+|\[[\w:.%]+\])(:\d+)?)*", re.ASCII)

_PORT = re.compile(r":(\d+)(?:,|$)")
_HIGHEST_PORT = 65_535

_WRONG_URL = (asyncpg.exceptions.ClientConfigurationError, UnicodeError)
"""What asyncpg raises for a parameter or a host name that cannot be, before it connects."""

DRIVER_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises when the server is away, refuses, or the connection ends."""

_NOT_PASSING = (
    asyncpg.SyntaxOrAccessError,  # no such table, no permission
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.InternalServerError,  # damaged pages among them
    asyncpg.DataError,
    ValueError,  # asyncpg refuses an argument
)


def is_passing(error: BaseException) -> bool:
    """Whether the same statement may succeed later: the server is away, starts, is full, has a read-only disk, or is not the
    primary yet."""
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return _is_of_a_file(error)
    return isinstance(error, DRIVER_ERRORS) and not isinstance(error, _NOT_PASSING)


def _is_of_a_file(error: asyncpg.InsufficientPrivilegeError) -> bool:
    """Whether the system refuses a file to the server, as on a read-only disk: PostgreSQL gives that the code of a missing
    permission. A permission that our user lacks is found by aclchk.c."""
    return error.server_source_filename not in (None, "aclchk.c")


class DatabaseConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that notices within two seconds that its server is cut off. asyncpg gives the transport to the constructor
    only; its socket is the way to the options."""

    gave_up_after_s: float | None = None
    """How long `give_up` was waited for; None: it was not called."""

    def __init__(self, protocol: Any, transport: BaseTransport, *arguments: Any) -> None:
        super().__init__(protocol, transport, *arguments)
        one = transport.get_extra_info("socket")
        if one.family == socket.AF_UNIX:
            return
        for level, name, value in _SOCKET_OPTIONS:
            if (option := getattr(socket, name, None)) is not None:
                one.setsockopt(level, option, value)

    async def close(self, *, timeout: float | None = CLOSE_S) -> None:  # noqa: ASYNC109  # the signature is asyncpg's
        """Says goodbye. A server that has fallen silent is not waited for any longer: the connection is cut."""
        with suppress(TimeoutError):
            await super().close(timeout=timeout)

    def give_up(self, waited_s: float) -> None:
        """Cuts the connection: whoever waits for an answer on it gets an error at once."""
        self.gave_up_after_s = waited_s
        self.terminate()


class Database:
    """One PostgreSQL database, by its URL."""

    def __init__(self, url: str, setting: str = SETTING) -> None:
        """`setting` is where the URL is from, for sentences. Raises JournalAddressInvalid if it is not the address of a
        PostgreSQL database."""
        self._setting = setting
        try:
            parts = urlsplit(url)
            user, _, hosts = parts.netloc.rpartition("@")
            query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        except ValueError as error:
            raise self._no_address() from error
        # A password with special characters that are not percent-encoded would appear in the parts that sentences show.
        if parts.scheme not in ("postgresql", "postgres") or parts.fragment or "@" in parts.path + parts.query:
            raise self._no_address()
        if hosts and not _HOSTS.fullmatch(hosts):
            raise self._no_address()
        if any(int(port) > _HIGHEST_PORT for port in _PORT.findall(hosts)):
            raise self._no_address()
        self._url = url
        self._session = query.get("target_session_attrs", "primary")
        self._password = unquote(user.partition(":")[2]) or query.get("password", "")
        self.name = f"PostgreSQL at {hosts}{unquote(parts.path)} ({setting})"
        """For sentences, without user and password."""

    async def connect(self) -> DatabaseConnection:
        """A new connection to the primary (of several hosts), or to what the URL's `target_session_attrs` says.

        No statement has a time-out: to cancel a commit makes a row visible that is not replicated. Raises JournalUnreachable;
        JournalAddressInvalid for a parameter of the URL that cannot be.
        """
        try:
            connection: DatabaseConnection = await asyncpg.connect(
                self._url,
                timeout=CONNECT_S,
                connection_class=DatabaseConnection,
                target_session_attrs=self._session,
                server_settings={"application_name": "rex"},
            )
            return connection
        except (*DRIVER_ERRORS, ValueError) as error:
            kind = JournalAddressInvalid if isinstance(error, _WRONG_URL) else JournalUnreachable
            raise kind(self.sentence(error)) from error

    def sentence(self, error: BaseException) -> str:
        """What is wrong, with the database and the setting, without the password."""
        reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
        if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
            what = "refuses the user or the password"
        elif isinstance(error, asyncpg.InvalidCatalogNameError):
            what = "has no such database: create it, then run `rex migrate`"
        elif isinstance(error, asyncpg.CannotConnectNowError):
            what = "is starting or stopping"
        elif isinstance(error, asyncpg.TargetServerAttributeNotMatched):
            what, reason = "is a standby of another server", "the journal needs the primary"
        elif isinstance(error, TimeoutError):
            what, reason = "cannot be reached", f"no answer of a PostgreSQL server within {CONNECT_S:g} s"
        elif isinstance(error, OSError):
            what = "cannot be reached"
        elif isinstance(error, asyncpg.PostgresError):
            what = "refuses"
        elif isinstance(error, _WRONG_URL):
            what = "cannot be addressed"
        else:
            what = "does not answer as a PostgreSQL server"
        sentence = f"{self.name} {what}: {reason}"
        return sentence.replace(self._password, "…") if self._password else sentence

    def error(self, error: BaseException) -> JournalError:
        """The error to raise for a statement that cannot succeed later either."""
        damaged = isinstance(error, asyncpg.InternalServerError)
        return (JournalCorrupt if damaged else JournalError)(self.sentence(error))

    async def check_durable(self, connection: DatabaseConnection) -> None:
        """Raises JournalRefused if the server would lose commits that it has acknowledged."""
        self.refuse(await connection.fetch(DURABILITY))

    def refuse(self, settings: Sequence[tuple[str, str]]) -> None:
        """Raises JournalRefused for the settings that DURABILITY has found, if any."""
        for name, setting in settings:
            named = "" if setting == "off" else ", and synchronous_standby_names names a standby"
            raise JournalRefused(
                f"{self.name} has {name} = {setting}{named}: it would lose acknowledged commands. Set {name} = on"
            )

    def _no_address(self) -> JournalAddressInvalid:
        return JournalAddressInvalid(
            f"{self._setting} is not the address of a PostgreSQL database: write postgresql://user:password@host:port/name,"
            " with the special characters of the password percent-encoded"
        )
