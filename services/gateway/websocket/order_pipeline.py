"""The orders of one WebSocket client, pipelined.

The connection hands an order to the inbox and reads the next message at once. When the order's journal batch arrives,
`PendingRequests` calls the order's `Reply`. Replies are sent in the order of the requests, so a reply that needs the read
database delays the replies after it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from matching_engine.records import Command, CommandKind, Event
from services.gateway.ids import order_id_of
from services.gateway.order_entry.order_body import decode_order
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, field_problem, problem_of
from services.gateway.replies.execution_report import mass_canceled_json, order_json
from services.gateway.websocket.client_queue import ClientQueue
from services.gateway.websocket.messages import (
    AmendParams,
    CancelParams,
    MassCancelParams,
    Message,
    RequestId,
    decode_params,
)
from services.gateway.websocket.push_messages import json_text
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState

_CANCELS = frozenset({"cancel_order", "mass_cancel"})


class Reply:
    """The reply to one request; it is sent after all earlier replies. `text` is None until the reply is known.

    `PendingRequests` calls `on_event` or `on_problem`; a task that asked the read database calls `on_found`.
    """

    __slots__ = ("_pipeline", "_request_id", "command", "text")

    command: Command

    def __init__(self, pipeline: OrderPipeline, request_id: RequestId) -> None:
        self._pipeline = pipeline
        self._request_id = request_id
        self.text: str | None = None

    def on_event(self, event: Event) -> None:
        """Makes the reply from the first event of `command`."""
        order_entry, command = self._pipeline.order_entry, self.command
        try:
            if command.kind == CommandKind.MASS_CANCEL:
                canceled = order_entry.carried_out(event)
                self._result(mass_canceled_json(canceled, self._pipeline.state.instruments))
                return
            order = order_entry.answers.in_memory(command, event)
        except ProblemError as problem:
            self.on_problem(problem)
            return
        if order is None:
            order_entry.find_in_history(command, event).add_done_callback(self.on_found)
        else:
            self._result(order_json(order, self._pipeline.state.instruments))

    def on_problem(self, problem: ProblemError) -> None:
        """Makes the problem the reply."""
        self.text = error_text(self._request_id, problem)
        self._pipeline.send_replies()

    def on_found(self, found: asyncio.Task[VenueOrder]) -> None:
        """Makes the reply from a finished task. A canceled task makes none: the venue is stopping."""
        if found.cancelled():
            return
        error = found.exception()
        if error is None:
            self._result(order_json(found.result(), self._pipeline.state.instruments))
        elif isinstance(error, Exception):
            self.on_problem(problem_of(error))

    def _result(self, result: dict[str, Any]) -> None:
        self.text = json_text({"req_id": self._request_id, "result": result})
        self._pipeline.send_replies()


class OrderPipeline:
    """Runs the order methods of one client and puts the replies into the client's queue."""

    def __init__(
        self, state: VenueState, order_entry: OrderEntry, queue: ClientQueue, valid_key: Callable[[], ApiKey]
    ) -> None:
        self.state = state
        self.order_entry = order_entry
        self._queue = queue
        self._valid_key = valid_key
        self._replies: deque[Reply] = deque()
        self.methods: dict[str, Callable[[Message, Reply], Awaitable[None]]] = {
            "place_order": self._place,
            "amend_order": self._amend,
            "cancel_order": self._cancel,
            "mass_cancel": self._mass_cancel,
        }

    def __len__(self) -> int:
        """The number of requests that have no reply in the client's queue yet."""
        return len(self._replies)

    async def take(self, message: Message) -> None:
        """Hands one request to the inbox; an error becomes the reply.

        Waits while the key has too many requests without a reply, or has begun `under_way.TURN` requests in this turn of the
        event loop. Meanwhile the venue reads no message of this connection.
        """
        reply = Reply(self, message.req_id)
        self._replies.append(reply)
        try:
            key_id, only_cancels = self._valid_key().key_id, message.method in _CANCELS
            under_way = self.order_entry.pending.under_way
            if not under_way.may_begin(key_id, only_cancels):
                await under_way.turn(key_id, only_cancels)
            await self.methods[message.method](message, reply)
        except Exception as error:
            reply.on_problem(problem_of(error))

    def send_replies(self) -> None:
        """Puts the known replies into the client's queue, in order, up to the first that is not known yet."""
        replies = self._replies
        while replies and (text := replies[0].text) is not None:
            self._queue.put(text)
            replies.popleft()

    async def _place(self, message: Message, reply: Reply) -> None:
        body, key = decode_order(message.params), self._valid_key()
        await self._submit(key, self.order_entry.order_command(key, body), reply)

    async def _amend(self, message: Message, reply: Reply) -> None:
        params, key = decode_params(message.params, AmendParams), self._valid_key()
        named = self.order_entry.order_named(key, *_named_order(params))
        command = self.order_entry.amend_command(named, params)
        if command is None:
            self.order_entry.find_not_open(named).add_done_callback(reply.on_found)
        else:
            await self._submit(key, command, reply)

    async def _cancel(self, message: Message, reply: Reply) -> None:
        params, key = decode_params(message.params, CancelParams), self._valid_key()
        await self._submit(key, self.order_entry.cancel_command(key, *_named_order(params)), reply)

    async def _mass_cancel(self, message: Message, reply: Reply) -> None:
        params, key = decode_params(message.params, MassCancelParams), self._valid_key()
        command = self.order_entry.mass_cancel_command(key, params.symbol, params.side, params.account)
        await self._submit(key, command, reply)

    async def _submit(self, key: ApiKey, command: Command, reply: Reply) -> None:
        reply.command = command
        await self.order_entry.pending.submit(key, command, reply)


def _named_order(params: AmendParams | CancelParams) -> tuple[int, str]:
    """(order_id, "") or (0, client_order_id); raises a 422 problem if neither or both are given."""
    if (params.order_id is None) == (params.client_order_id is None):
        raise field_problem("validation_failed", "order_id", "give either order_id or client_order_id")
    return 0 if params.order_id is None else order_id_of(params.order_id), params.client_order_id or ""


def error_text(request_id: RequestId, problem: ProblemError) -> str:
    """The error reply to a request."""
    return json_text({"req_id": request_id, "error": problem.document()})
