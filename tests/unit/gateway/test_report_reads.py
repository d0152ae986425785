"""Reports of a key are few at once, and one whose client has left is not made."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.gateway.http.known_keys import PUBLIC
from services.gateway.http.report_reads import OF_A_KEY, WITHOUT_A_KEY, ClientLeft, ReportReads, while_connected
from services.gateway.problems import ProblemError
from services.venue_state.keys import ApiKey

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("key", "most", "problem"),
    [
        (PUBLIC, WITHOUT_A_KEY, (503, "not_ready")),
        (PUBLIC._replace(key_id=7), OF_A_KEY, (429, "too_many_requests")),
    ],
)
def test_reports_of_a_key_and_those_without_one_are_few_at_once(
    key: ApiKey, most: int, problem: tuple[int, str]
) -> None:
    reports = ReportReads()
    with ExitStack() as under_way:
        for _ in range(most):
            under_way.enter_context(reports.one(key))
        with pytest.raises(ProblemError) as refused, reports.one(key):
            pass
        assert (refused.value.status, refused.value.code) == problem
        with reports.one(key._replace(key_id=8)):
            """Another key's own."""
    with reports.one(key):
        """There is room again."""


class Client:
    """A connection that the test ends."""

    def __init__(self) -> None:
        self.has_left = asyncio.Event()
        self.answered: list[Message] = []

    async def receive(self) -> Message:
        await self.has_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.answered.append(message)


async def test_a_report_is_answered_while_its_client_is_there() -> None:
    client = Client()

    async def answer(_scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["body"] == b""
        await send({"type": "http.response.start", "status": 200})

    await while_connected(answer, {}, client.receive, client.send)
    assert [message["status"] for message in client.answered] == [200]


async def test_what_is_done_after_the_answer_is_not_canceled() -> None:
    """The server says of an answered request that its client has disconnected."""
    client, log = Client(), list[str]()

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"all"})
        client.has_left.set()
        for _ in range(5):
            await asyncio.sleep(0)
        log.append("cleaned up")

    await while_connected(answer, {}, client.receive, client.send)
    assert log == ["cleaned up"]


async def test_the_work_for_a_client_that_has_left_is_canceled() -> None:
    client, log = Client(), list[str]()

    async def answer(_scope: Scope, receive: Receive, _send: Send) -> None:
        try:
            await receive()
            client.has_left.set()
            await receive()
        finally:
            log.append("ended")

    with pytest.raises(ClientLeft):
        await while_connected(answer, {}, client.receive, client.send)
    assert (log, client.answered) == (["ended"], [])


async def test_an_error_of_the_work_is_its_callers() -> None:
    async def answer(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ProblemError(409, "nothing_recorded", "nothing")

    with pytest.raises(ProblemError, match="nothing"):
        await while_connected(answer, {}, Client().receive, Client().send)
