"""What HAProxy answers itself, with deploy/haproxy.cfg: problems of the API, which tell what was sent from what was not.

The servers behind it do what no gateway may do: they break the connection, or never answer.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from rex_client import OutcomeUnknown, RexClient, RexError

from load_tests.run_scaled.compose_file import COMPOSE_FILE
from load_tests.run_scaled.this_machine import HOST, ThisMachine
from load_tests.servers.server_process import ServerProcess
from services.gateway.problem_codes import CODES
from services.gateway.problems import PROBLEM_JSON, ProblemError
from tests.integration.postgres_journal import until
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

CONFIG = (COMPOSE_FILE.parent / "deploy/haproxy.cfg").read_text()
LONG, SHORT = "timeout server 40s", "timeout server 1s"
"""How long HAProxy waits for an answer: for clients, and in a test that waits for the end of it."""
ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1, "client_order_id": "a-1"}


class Server:
    """Answers health checks; `breaks` whatever else comes, or is silent."""

    def __init__(self) -> None:
        self.ready = True
        self.breaks = True
        self.asked = asyncio.Event()
        """Something else than a health check has come."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith((b"GET /readyz", b"GET /healthz")):
                status = b"200 OK" if self.ready else b"503 Service Unavailable"
                writer.write(b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status)
                await writer.drain()
            else:
                self.asked.set()
                if not self.breaks:
                    await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def behind_haproxy(folder: Path) -> AsyncIterator[tuple[str, Server]]:
    """The address of HAProxy, and the server that stands for both gateways. HAProxy knows it to be ready."""
    program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("NO ANSWER OF HAPROXY WAS READ: it is not installed")
    machine, server = ThisMachine(["gateway-1", "gateway-2", "reporting"], folder, "", ""), Server()
    assert LONG in CONFIG
    (folder / "haproxy.cfg").write_text(machine.text("haproxy", CONFIG.replace(LONG, SHORT)))
    async with AsyncExitStack() as opened:
        for name in ("gateway-1", "gateway-2"):
            listening = await asyncio.start_server(server.serve, HOST, machine.port(name, "8000"))
            await opened.enter_async_context(listening)
        haproxy = ServerProcess([program, "-db", "-f", str(folder / "haproxy.cfg")], folder / "haproxy.log")
        opened.callback(haproxy.kill)
        url = f"http://{HOST}:{machine.port('haproxy', '8000')}"
        await until(lambda: answers(url, "/readyz"), (200).__eq__)
        yield url, server


async def answers(url: str, path: str) -> int:
    """The status of HAProxy's answer; 0: it does not listen yet."""
    async with AsyncHttpClient(base_url=url) as http:
        try:
            return (await http.get(path)).status_code
        except httpx.TransportError:
            return 0


@pytest.mark.parametrize(("breaks", "status"), [(True, 502), (False, 504)])
async def test_an_answer_that_broke_or_did_not_come_is_a_problem_of_the_api(
    tmp_path: Path, breaks: bool, status: int
) -> None:
    async with behind_haproxy(tmp_path) as (url, server), AsyncHttpClient(base_url=url) as http:
        server.breaks = breaks
        check(await http.post("/v1/orders", json=ORDER), status, "outcome_unknown")


async def test_the_client_tells_an_order_that_was_sent_from_one_that_was_not(tmp_path: Path) -> None:
    async with behind_haproxy(tmp_path) as (url, server), RexClient(url, "rex_any") as client:
        with pytest.raises(OutcomeUnknown):
            await client.place_order(ORDER)
        assert server.asked.is_set()
        server.ready = False
        await until(lambda: answers(url, "/v1/time"), (503).__eq__)
        server.asked.clear()
        async with AsyncHttpClient(base_url=url) as http:
            refused = await http.post("/v1/orders", json=ORDER)
        check(refused, 503, "not_ready")
        assert refused.headers["retry-after"] == "1"
        with pytest.raises(RexError) as not_sent:
            await client.place_order(ORDER)
        assert (not_sent.value.status, not_sent.value.code) == (503, "not_ready")
        assert not server.asked.is_set()


def check(answer: httpx.Response, status: int, code: str) -> None:
    """The answer is the problem that the venue itself would make."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_JSON), answer.text
    problem = answer.json()
    assert code in CODES
    assert problem == ProblemError(status, code, problem["detail"]).document()
