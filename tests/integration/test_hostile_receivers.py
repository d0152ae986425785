"""Receivers of the webhook that misbehave: what is read of each is bounded, and orders go on beside all of them."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpcore
import httpx
import pytest

from services.alerts.webhook.connection import ANSWER_BYTES, AnswerTooLong, ReceiverTransport
from services.alerts.webhook.sender import WARN_AFTER_NS
from tests.integration.test_alert_webhook import sending
from tests.integration.test_alerts import ORDER, put
from tests.integration.venue import running_venue
from tests.patience import PATIENCE_S
from tests.unit.alerts.test_conditions import condition

pytestmark = pytest.mark.anyio

INTERIM, STATUS = b"HTTP/1.1 100 \r\n\r\n", b"HTTP/1.1 204 .\r\n\r\n"

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def says(begin: bytes, *, without_end: bytes = b"", and_waits: bool = False) -> Answer:
    """The answer `begin`, followed by `without_end` again and again, or by silence; otherwise the end of the connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        await writer.drain()
        while without_end:
            writer.write(without_end)
            await writer.drain()
        if and_waits:
            await reader.read()  # the other side closes

    return answer


LONG_ANSWER = f"the receiver's answer has no status in its first {ANSWER_BYTES:,} bytes"
GIVEN_UP = {
    "endless interim responses": (says(b"", without_end=INTERIM * 1000), LONG_ANSWER),
    "endless headers": (says(b"HTTP/1.1 200 .\r\n", without_end=b"name: value\r\n" * 1000), LONG_ANSWER),
    "closes at once": (says(b""), "the receiver cannot be reached (RemoteProtocolError)"),
}
WAITED_FOR = {"never answers": says(b"", and_waits=True), "a drip": says(b"HTTP/1.1 2", and_waits=True)}
TAKEN = {"a body without end": says(b"HTTP/1.1 200 .\r\n\r\n", without_end=b"x" * 10_000)}


@asynccontextmanager
async def receiver_that(answer: Answer) -> AsyncIterator[tuple[str, asyncio.Event, asyncio.Event]]:
    """Its address; set when it has a message; set when the connection of its first message has ended."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = re.findall(rb"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(length))  # The end of a connection with something unread in it is a reset.
        begun.set()
        with suppress(ConnectionError):
            await answer(reader, writer)
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", begun, ended
        server.close()


async def test_orders_are_acknowledged_beside_six_receivers_that_misbehave(tmp_path: Path) -> None:
    answers = {name: answer for name, (answer, _) in GIVEN_UP.items()} | WAITED_FOR | TAKEN
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S):
        venue = await stack.enter_async_context(running_venue(tmp_path))
        begun, ended, senders = {}, {}, {}
        for name, answer in answers.items():
            folder = tmp_path / name
            folder.mkdir()
            url, begun[name], ended[name] = await stack.enter_async_context(receiver_that(answer))
            sender, waits = await stack.enter_async_context(sending(venue, folder, url))
            waits.pass_on.clear()
            senders[name] = sender, waits
        await put(venue, condition("pace", 1).raised())
        for of_one in begun.values():
            await of_one.wait()
        for side in ("sell", "buy"):
            trader = venue.client("alice" if side == "sell" else "bob")
            assert (await trader.post("/v1/orders", json={**ORDER, "side": side})).status_code == 201
        for name in TAKEN:
            await ended[name].wait()
        for name, (_, reason) in GIVEN_UP.items():  # long before its time is over: that is PATIENCE_S here
            sender, waits = senders[name]
            await waits.held.wait()
            venue.clock.now_ns += WARN_AFTER_NS
            (warning,) = sender.warnings()
            assert reason in warning
        for name in (*WAITED_FOR, *TAKEN):
            sender, waits = senders[name]
            assert waits.seconds == []
            assert sender.warnings() == []


@pytest.mark.parametrize("more_bytes", [0, 1])
async def test_a_status_is_found_in_the_first_bytes_of_an_answer_or_not_at_all(more_bytes: int) -> None:
    room = ANSWER_BYTES - len(STATUS) + more_bytes
    interim, rest = divmod(room, len(INTERIM))
    answer = INTERIM * (interim - 1) + INTERIM.replace(b"100 ", b"100 " + b"x" * rest) + STATUS
    assert len(answer) == ANSWER_BYTES + more_bytes
    async with receiver_that(says(answer, and_waits=True)) as (url, _, ended), asyncio.timeout(PATIENCE_S):
        transport = ReceiverTransport(httpx.URL(url), is_local=True)
        request = httpx.Request("POST", url, content=b"{}")
        if more_bytes:
            with pytest.raises(AnswerTooLong):
                await transport.handle_async_request(request)
        else:
            assert (await transport.handle_async_request(request)).status_code == 204
        await ended.wait()  # the connection is closed in either case
        await transport.aclose()


async def test_the_proxy_of_the_environment_is_asked_unless_it_is_not_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = asyncio.Queue[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heads.put(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 .\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    monkeypatch.setenv("HTTPS_PROXY", f"name:word@127.0.0.1:{server.sockets[0].getsockname()[1]}")
    monkeypatch.setenv("NO_PROXY", "not-meant.invalid")
    async with server, asyncio.timeout(PATIENCE_S):
        for host, error in (("receiver.invalid", httpcore.ProxyError), ("not-meant.invalid", httpcore.ConnectError)):
            url = f"https://{host}/hook"
            transport = ReceiverTransport(httpx.URL(url), is_local=False)
            with pytest.raises(error):
                await transport.handle_async_request(httpx.Request("POST", url, content=b"{}"))
            await transport.aclose()
        server.close()
    head = heads.get_nowait().decode()
    assert head.startswith("CONNECT receiver.invalid:443 ")
    assert f"Proxy-Authorization: Basic {b64encode(b'name:word').decode()}\r\n" in head
    assert heads.empty()
