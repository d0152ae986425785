"""Sends an account's share of a flow, over a WebSocket or over REST, and reports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from rex_client import OutcomeUnknown, RexClient, RexError

from load_tests.flows.flow_message import FlowMessage
from load_tests.locust.shares import Share, ShareReport
from load_tests.replay.account_stream import AccountStream, OnReply, OrderConnection
from load_tests.replay.latency import Latencies
from load_tests.replay.sending import NumberedMessage, send_messages

Json = dict[str, Any]
Transport = Literal["WebSocket", "REST"]


@dataclass(frozen=True)
class Signals:
    """What an account waits for: `go` before its first message, `end` after which it sends no further one."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    end: asyncio.Event = field(default_factory=asyncio.Event)

    def end_now(self) -> None:
        """Ends the sending, also that of an account that has not begun."""
        self.end.set()
        self.go.set()


class RestOrders:
    """Orders over REST, one request at a time: two requests under way at once could overtake each other."""

    def __init__(self, client: RexClient) -> None:
        self._client = client

    async def submit_order(self, order: Json) -> asyncio.Future[Json]:
        """Sends an order and waits for the reply."""
        return await _reply_of(self._client.post_order(order))

    async def submit_amend(self, changes: Json) -> asyncio.Future[Json]:
        """Sends an amend and waits for the reply."""
        client_order_id = changes["client_order_id"]
        terms = {name: value for name, value in changes.items() if name != "client_order_id"}
        return await _reply_of(self._client.patch_order(terms, client_order_id=client_order_id))

    async def submit_cancel(self, *, client_order_id: str) -> asyncio.Future[Json]:
        """Sends a cancel and waits for the reply."""
        return await _reply_of(self._client.delete_order(client_order_id=client_order_id))


async def _reply_of(call: Awaitable[Json]) -> asyncio.Future[Json]:
    """A future that is done: with the reply, the venue's problem, or an unknown outcome. Raises Unreachable."""
    reply: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
    try:
        reply.set_result(await call)
    except (RexError, OutcomeUnknown) as error:
        reply.set_exception(error)
    return reply


async def send_share(
    share: Share, transport: Transport, signals: Signals, on_connected: Callable[[], None], on_reply: OnReply
) -> ShareReport:
    """Connects, waits for `go`, sends the share, and waits for all replies."""
    latencies = Latencies()

    def record(message: FlowMessage, seconds: float, error: BaseException | None) -> None:
        latencies.record(seconds)
        on_reply(message, seconds, error)

    failure = None
    async with RexClient(share.url, share.key) as client:
        is_socket = transport == "WebSocket"
        connection: OrderConnection = client if is_socket else RestOrders(client)
        # Without a schedule a message is due when there is room: over REST, when the one before it was answered.
        window = share.pace.window if is_socket or share.pace.is_scheduled else 1
        stream = AccountStream(connection, window, record)
        messages = (NumberedMessage(number, 0, message) for number, message in share.messages)
        try:
            await (client.connect() if is_socket else client.account())
            on_connected()
            await signals.go.wait()
            if not signals.end.is_set():
                await send_messages([stream], messages, share.pace, signals.end)
        except (RexError, ConnectionError) as error:
            failure = str(error)
    return ShareReport(share.run, share.index, stream.messages, stream.replies, latencies.encoded(), failure)
