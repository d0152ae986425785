"""Orders over REST, as an account stream sends them: which error is raised at once, and which is the reply."""

from __future__ import annotations

import asyncio

import pytest
from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable

from load_tests.flows.flow_message import FlowMessage
from load_tests.locust.account_sending import RestOrders, Signals, Transport, send_share
from load_tests.locust.shares import Share
from load_tests.replay.pace import Pace
from load_tests.servers.server_process import free_port
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

BODY = b'{"status": 503, "code": "venue_busy"}'
PROBLEM = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (len(BODY), BODY)


async def test_a_problem_and_an_unknown_outcome_are_the_reply() -> None:
    """The venue of the test answers the first request with a problem, and breaks off the second."""
    answers = iter([PROBLEM, b""])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(answers))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with RexClient(f"http://127.0.0.1:{port}", "rex_key") as client:
            problem = (await RestOrders(client).submit_cancel(client_order_id="a")).exception()
            unknown = (await RestOrders(client).submit_cancel(client_order_id="a")).exception()
    assert isinstance(problem, RexError)
    assert problem.code == "venue_busy"
    assert isinstance(unknown, OutcomeUnknown)


async def test_an_order_that_was_not_sent_is_no_reply() -> None:
    async with RexClient(f"http://127.0.0.1:{free_port()}", "rex_key") as client:
        with pytest.raises(Unreachable):
            await RestOrders(client).submit_order({"client_order_id": "a"})


@pytest.mark.parametrize("transport", ["REST", "WebSocket"])
async def test_a_venue_that_does_not_answer_is_in_the_report(transport: Transport) -> None:
    share = Share(1, 4, f"http://127.0.0.1:{free_port()}", "rex_key", Pace(), [])
    report = await send_share(share, transport, Signals(), lambda: pytest.fail("connected"), lambda *_: None)
    assert (report.run, report.index, report.messages) == (1, 4, 0)
    assert report.failure is not None


async def test_an_account_that_was_ended_before_it_began_sends_nothing() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        writer.close()

    signals = Signals()
    signals.end_now()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        share = Share(1, 4, url, "rex_key", Pace(), [(0, FlowMessage(0, "cancel", "a", "", "", "", "", 0, ""))])
        async with asyncio.timeout(PATIENCE_S):
            report = await send_share(share, "REST", signals, lambda: None, lambda *_: None)
    assert (report.messages, report.failure) == (0, None)
