"""Sending a flow: each message once, from its account, until it is asked to end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from load_tests.flows.flow_message import FlowMessage
from load_tests.replay.account_stream import AccountStream
from load_tests.replay.pace import Pace
from load_tests.replay.sending import NumberedMessage, send_messages

pytestmark = pytest.mark.anyio


class Echo:
    """A connection that accepts each order at once."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def submit_order(self, order: dict[str, Any]) -> asyncio.Future[dict[str, Any]]:
        self.sent.append(order["client_order_id"])
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        reply.set_result({"client_order_id": order["client_order_id"], "order_id": f"id of {self.sent[-1]}"})
        return reply

    async def submit_amend(self, changes: dict[str, Any]) -> asyncio.Future[dict[str, Any]]:
        raise NotImplementedError

    async def submit_cancel(self, *, client_order_id: str) -> asyncio.Future[dict[str, Any]]:
        raise NotImplementedError


def numbered(number: int) -> NumberedMessage:
    order = FlowMessage(number * 1000, "new", "PRND-OX", "buy", "limit", "day", "473000.00", 1, f"o{number}")
    return NumberedMessage(number, number % 2, order)


def streams() -> tuple[list[Echo], list[AccountStream]]:
    echoes = [Echo(), Echo()]
    return echoes, [AccountStream(echo, 4, lambda *_: None) for echo in echoes]


async def test_each_account_sends_its_messages_in_order() -> None:
    echoes, both = streams()
    await send_messages(both, map(numbered, range(20)), Pace(), asyncio.Event())
    assert [echo.sent for echo in echoes] == [[f"o{n}" for n in range(20) if n % 2 == side] for side in (0, 1)]
    assert [len(stream.replies.acknowledged) for stream in both] == [stream.messages for stream in both] == [10, 10]


async def test_after_the_end_nothing_is_sent_and_what_was_sent_is_answered() -> None:
    """With the tenth message, which is due in a day, the end is asked for."""
    ending = asyncio.Event()

    def messages() -> Iterator[NumberedMessage]:
        yield from map(numbered, range(9))
        ending.set()
        yield numbered(9)._replace(message=numbered(9).message._replace(time_ms=10**14))

    echoes, both = streams()
    await send_messages(both, messages(), Pace(speed=1e6), ending)
    assert sorted(echoes[0].sent + echoes[1].sent) == [f"o{n}" for n in range(9)]
    assert [stream.messages for stream in both] == [5, 4]
    assert sum(len(stream.replies.acknowledged) for stream in both) == 9
