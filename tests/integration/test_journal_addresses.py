"""A wrong REX_DATABASE_URL, and a database that is none of REX: one sentence without the password, and nothing is changed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from load_tests.servers.postgres import PostgresServer
from services.journal import JournalAddressInvalid, JournalError, JournalMissing, JournalRefused, JournalUnreachable
from services.journal.postgres import connections
from services.journal.postgres.journal import PostgresJournal
from services.processes.exit_codes import ExitCode
from services.venue.fatal_errors import exit_code_of
from tests.integration.postgres_journal import execute, lead
from tests.unit.journal.chains import next_batch

pytestmark = pytest.mark.anyio


async def refusal(url: str, kind: type[JournalError]) -> str:
    with pytest.raises(JournalError) as refused:
        await PostgresJournal.open(url)
    assert type(refused.value) is kind
    assert "REX_DATABASE_URL" in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@asynccontextmanager
async def listener(answer: bytes | None) -> AsyncIterator[int]:
    """A server that answers every connection with these bytes, or closes it (empty), or is silent (None). Its port."""
    release = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is None:
            await release.wait()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        release.set()
        server.close()
        await server.wait_closed()


async def test_a_wrong_password(postgres_url: str, shared_postgres: PostgresServer) -> None:
    wrong = postgres_url.replace(shared_postgres.password, "not-the-password")
    sentence = await refusal(wrong, JournalUnreachable)
    assert f"127.0.0.1:{shared_postgres.port}/rex_" in sentence
    assert "refuses the user or the password" in sentence
    assert "not-the-password" not in sentence


async def test_nothing_listens() -> None:
    async with listener(b"") as port:
        pass
    sentence = await refusal(f"postgresql://rex:secret-word@127.0.0.1:{port}/rex", JournalUnreachable)
    assert f"PostgreSQL at 127.0.0.1:{port}/rex (REX_DATABASE_URL) cannot be reached" in sentence
    assert "secret-word" not in sentence


async def test_something_else_listens() -> None:
    for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR unknown command\r\n", b"", b"\0" * 64):
        async with listener(answer) as port:
            sentence = await refusal(f"postgresql://rex:secret-word@127.0.0.1:{port}/rex", JournalUnreachable)
        assert f"127.0.0.1:{port}/rex" in sentence
        assert "secret-word" not in sentence


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECT_S", 0.2)
    async with listener(None) as port:
        sentence = await refusal(f"postgresql://rex:secret-word@127.0.0.1:{port}/rex", JournalUnreachable)
    assert "no answer of a PostgreSQL server within 0.2 s" in sentence


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite:///journal",
        "http://127.0.0.1/rex",
        "postgresql+asyncpg://rex:secret-word@127.0.0.1/rex",
        "postgresql://rex:secret/word@127.0.0.1/rex",
        "postgresql://rex:12/secret-word@127.0.0.1/rex",
        "postgresql://rex:secret#word@127.0.0.1/rex",
        "postgresql://rex:secret?word@127.0.0.1/rex",
        "postgresql://rex:secret-word@127.0.0.1:port/rex",
        "postgresql://rex:secret-word@127.0.0.1:5432,127.0.0.2:65536/rex",
        "postgresql://rex:secret-word@[::1/rex",
        "postgresql://rex:secret-word@127.0.0.1/rex?sslmode",
    ],
)
async def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    sentence = await refusal(url, JournalAddressInvalid)
    assert "postgresql://user:password@host:port/name" in sentence
    for part in ("secret", "-word", "rex"):
        assert part not in sentence


async def test_a_wrong_parameter_is_named(postgres_url: str, shared_postgres: PostgresServer) -> None:
    sentence = await refusal(postgres_url + "?sslmode=perhaps", JournalAddressInvalid)
    assert "cannot be addressed: `sslmode` parameter must be one of" in sentence
    sentence = await refusal(postgres_url + "?no_such_setting=1", JournalUnreachable)
    assert "no_such_setting" in sentence
    assert shared_postgres.password not in sentence


async def test_a_database_without_tables_or_without_a_journal_says_what_to_run(postgres_url: str) -> None:
    assert "run `rex migrate`, then `rex init`" in await refusal(postgres_url, JournalMissing)
    await execute(postgres_url, "CREATE TABLE journal_writer (something int)")
    assert "run `rex migrate`" in await refusal(postgres_url, JournalMissing)
    await execute(postgres_url, "DROP TABLE journal_writer")
    journal = await lead(postgres_url)
    await journal.close()
    await execute(postgres_url, "DELETE FROM journal_writer")
    assert "run `rex init`" in await refusal(postgres_url, JournalMissing)


async def test_tables_of_another_format_are_refused(postgres_url: str) -> None:
    journal = await lead(postgres_url)
    await journal.close()
    await execute(postgres_url, "UPDATE journal_writer SET format = 2")
    assert "have format 2; this version reads 1" in await refusal(postgres_url, JournalRefused)


async def test_a_journal_of_another_engine_version_is_refused(postgres_url: str) -> None:
    journal = await lead(postgres_url)
    await journal.append(replace(next_batch(None, journal_id=journal.journal_id), engine_version=1))
    await journal.close()
    assert "was made by engine version 1" in await refusal(postgres_url, JournalRefused)


async def test_a_role_without_rights_is_refused(postgres_url: str, shared_postgres: PostgresServer) -> None:
    journal = await lead(postgres_url)
    await journal.close()
    await execute(postgres_url, "CREATE ROLE reader LOGIN PASSWORD 'of-the-reader'")
    try:
        url = postgres_url.replace(f"postgres:{shared_postgres.password}", "reader:of-the-reader")
        assert "permission denied for table journal_writer" in await refusal(url, JournalError)
        await execute(postgres_url, "GRANT SELECT ON journal, journal_writer TO reader")
        reading = await PostgresJournal.open(url)
        with pytest.raises(JournalError, match="permission denied"):
            await reading.claim(await reading.look(), "ws://reader")
        await reading.close()
    finally:
        await execute(postgres_url, "DROP OWNED BY reader")
        await execute(postgres_url, "DROP ROLE reader")


async def test_a_connection_notices_that_its_server_is_cut_off(postgres_url: str) -> None:
    connection = await connections.Database(postgres_url).connect()
    one = connection._transport.get_extra_info("socket")
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    found = {name: one.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names if hasattr(socket, name)}
    expected = dict(zip(names, (1, 1, 2, 2_000), strict=True))
    assert found
    assert found == {name: expected[name] for name in found}
    await connection.close()


def test_the_exit_status_of_a_server_that_cannot_be_used() -> None:
    assert exit_code_of(JournalUnreachable("it is away")) is ExitCode.TROUBLE
    assert exit_code_of(JournalAddressInvalid("it is no address")) is ExitCode.USAGE
