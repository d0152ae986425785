"""What a process says at its start about the server of REX_REDIS_URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from load_tests.servers.redis import ValkeyServer
from load_tests.servers.server_process import free_port
from services.messaging.redis_stream import RedisAddressInvalid, RedisAway, RedisRefused, check_redis
from services.processes.exit_codes import ExitCode
from services.venue.fatal_errors import exit_code_of

pytestmark = pytest.mark.anyio

Answer = Callable[[bytes], bytes]


async def test_a_server_that_answers(redis_url: str) -> None:
    await check_redis(redis_url)
    await check_redis(redis_url.replace("127.0.0.1", "localhost"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret@h/d",
        "redis://:secret@127.0.0.1:none/0",
        "redis://:secr/et@127.0.0.1:6379/0",
        "redis://:secret@127.0.0.1:6379/0?no_such_option=1",
        "127.0.0.1:6379",
        "redis://:secret@127.0.0.1:6379/zero",
    ],
)
async def test_what_is_no_url_of_redis(url: str) -> None:
    sentence = "REX_REDIS_URL is no address of Redis or Valkey: write redis://"
    with pytest.raises(RedisAddressInvalid, match=sentence) as refused:
        await check_redis(url)
    assert "secr" not in str(refused.value)
    assert exit_code_of(refused.value) is ExitCode.USAGE


@pytest.mark.parametrize("user", ["", "default", "nobody"])
async def test_a_wrong_user_or_password(shared_valkey: ValkeyServer, user: str) -> None:
    with pytest.raises(RedisRefused, match="refuses the user or password") as refused:
        await check_redis(f"redis://{user}:secret@127.0.0.1:{shared_valkey.port}/0")
    assert "secret" not in str(refused.value)
    assert not isinstance(refused.value, RedisAway)


async def test_no_password_at_all(shared_valkey: ValkeyServer) -> None:
    with pytest.raises(RedisRefused, match="refuses the user or password"):
        await check_redis(f"redis://127.0.0.1:{shared_valkey.port}/0")


async def test_a_database_that_the_server_does_not_have(redis_url: str) -> None:
    with pytest.raises(RedisRefused, match="DB index is out of range"):
        await check_redis(redis_url.removesuffix("/0") + "/999")


async def test_nobody_listens() -> None:
    with pytest.raises(RedisAway, match=r"no Redis or Valkey answers at 127\.0\.0\.1") as away:
        await check_redis(f"redis://:secret@127.0.0.1:{free_port()}/0")
    assert "secret" not in str(away.value)


async def test_a_stopped_server(valkey_server: ValkeyServer) -> None:
    valkey_server.pause()
    with pytest.raises(RedisAway, match="no answer in time"):
        await check_redis(valkey_server.url())
    valkey_server.resume()


def _as_http(_request: bytes) -> bytes:
    return b"HTTP/1.1 400 Bad Request\r\n\r\n"


def _closing(_request: bytes) -> bytes:
    return b""


def _old(request: bytes) -> bytes:
    return b"+PONG\r\n" if b"PING" in request else b"$20\r\nredis_version:5.0.14\r\n"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (_as_http, "REX_REDIS_URL names no Redis or Valkey: 127.0.0.1"),
        (_closing, "REX_REDIS_URL names no Redis or Valkey: 127.0.0.1"),
        (_old, "has version 5.0; REX needs 6.2 or newer, or Valkey"),
    ],
)
async def test_another_server(answer: Answer, sentence: str) -> None:
    async with _served(answer) as port:
        with pytest.raises(RedisRefused, match=sentence) as refused:
            await check_redis(f"redis://127.0.0.1:{port}/0")
    assert not isinstance(refused.value, RedisAway)


async def test_postgresql(postgres_url: str) -> None:
    address = postgres_url.rpartition("@")[2].partition("/")[0]
    with pytest.raises(RedisRefused, match="REX_REDIS_URL names no Redis or Valkey"):
        await check_redis(f"redis://{address}/0")


@asynccontextmanager
async def _served(answer: Answer) -> AsyncIterator[int]:
    """A server that answers each request with these bytes, and closes after none."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await reader.read(65_536)) and (reply := answer(request)):
            writer.write(reply)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
