"""The client of Redis or Valkey: every call has a time-out, none is repeated, and no sentence holds the password."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, ConnectionError, InvalidResponse, RedisError, ResponseError

from services.messaging.redis_refusals import RedisAddressInvalid, RedisAway, RedisRefused

TIMEOUT_S = 1.0
"""A server that does not answer for so long counts as away; a stopped process (SIGSTOP) still accepts connections."""

REDIS_ERRORS = (RedisError, OSError)
"""What any call may raise. The built-in TimeoutError is an OSError."""

OLDEST_VERSION = (6, 2)
"""Older ones cannot trim a stream by id."""

_NO_ADDRESS = (
    "REX_REDIS_URL is no address of Redis or Valkey: write redis://host:port/0, rediss://host:port/0 for TLS, or"
    " unix:///path"
)


def stream_key(journal_id: bytes) -> str:
    """The name of a journal's stream."""
    return f"rex:{journal_id.hex()}"


def open_client(url: str, **options: Any) -> Redis:
    """A client that connects at its first call. Raises RedisAddressInvalid for what is no URL of Redis."""
    try:
        place = urlsplit(url)
        if place.scheme != "unix" and place.path.strip("/"):
            int(place.path.strip("/"))  # The number of the database; `parse_url` ignores what is none.
        settings: dict[str, Any] = {**parse_url(url), **_settings(), **options}
        pool = ConnectionPool(**settings)
        pool.make_connection()  # type: ignore[no-untyped-call]  # Refuses unknown options; connects nothing.
    except (TypeError, ValueError, RedisError):
        raise RedisAddressInvalid(_NO_ADDRESS) from None
    return Redis.from_pool(pool)  # It closes the pool.


def _settings() -> dict[str, Any]:
    return {
        "decode_responses": False,
        "driver_info": None,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": TIMEOUT_S,
        "socket_keepalive": True,
        # `call` ends every call. With a time-out of its own redis-py uses `asyncio.wait_for`, which before Python 3.12 loses a
        # cancellation that arrives when its work is done.
        "socket_timeout": None,
    }


def address_of(client: Redis) -> str:
    """Host and port, or the path of the socket."""
    settings = client.connection_pool.connection_kwargs
    return settings.get("path") or f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}"


async def call(client: Redis, *command: bytes | str | int, timeout_s: float = TIMEOUT_S) -> Any:
    """The reply to one command. Raises one of REDIS_ERRORS, after timeout_s at the latest."""
    async with asyncio.timeout(timeout_s):
        return await client.execute_command(*command)  # type: ignore[no-untyped-call]


def trouble_with(client: Redis, error: BaseException, key: str) -> str:
    """The sentence for an error of a call about the stream at `key`."""
    address, answer = address_of(client), str(error).rstrip(".")
    if isinstance(error, AuthenticationError):
        return f"Redis at {address} refuses the user or password of REX_REDIS_URL: {answer}"
    if not isinstance(error, ResponseError):
        return f"Redis at {address} does not answer: {answer or 'no answer in time'}"
    if answer.startswith("WRONGTYPE"):
        return f"In Redis at {address} the key {key} holds no stream: delete the key"
    if is_there(error):
        return f"In Redis at {address} the stream {key} holds later rows than this leader: if no other one runs, delete the key"
    return f"Redis at {address} refuses the stream {key}: {answer}"


def is_there(error: ResponseError) -> bool:
    """Whether the stream refused an entry because it holds this id or a later one."""
    return "equal or smaller" in str(error)


async def check_redis(url: str) -> None:
    """Asks the server once, for the start of a process. Raises RedisAway if nothing answers, RedisAddressInvalid for a
    malformed URL, else RedisRefused for a server that is no Redis, a wrong user or password, or an old version."""
    reached = False

    async def greet(connection: Connection) -> None:
        nonlocal reached
        reached = True
        await connection.on_connect()

    client = open_client(url, redis_connect_func=greet)
    address = address_of(client)
    try:
        await call(client, "PING", timeout_s=2 * TIMEOUT_S)
        version = await _version(client)
    except AuthenticationError as error:
        raise RedisRefused(f"REX_REDIS_URL: Redis at {address} refuses the user or password: {error}") from None
    except REDIS_ERRORS as error:
        if isinstance(error, InvalidResponse) or (reached and type(error) is ConnectionError):
            raise RedisRefused(
                f"REX_REDIS_URL names no Redis or Valkey: {address} does not speak their protocol"
            ) from None
        answer = str(error).rstrip(".") or "no answer in time"
        raise RedisAway(f"REX_REDIS_URL: no Redis or Valkey answers at {address}: {answer}") from None
    finally:
        await client.aclose()
    if version is not None and version < OLDEST_VERSION:
        raise RedisRefused(
            f"REX_REDIS_URL: Redis at {address} has version {version[0]}.{version[1]}; REX needs 6.2 or newer, or Valkey"
        )


async def _version(client: Redis) -> tuple[int, ...] | None:
    """The version of Redis that the server is compatible with; None if it keeps it to itself."""
    try:
        about = await call(client, "INFO", "server")
        return tuple(map(int, str(about["redis_version"]).split(".")[:2]))
    except (ResponseError, LookupError, TypeError, ValueError):
        return None
