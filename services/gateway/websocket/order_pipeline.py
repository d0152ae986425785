"""The orders of one WebSocket client, pipelined.

The connection hands an order to the inbox and reads the next message at once. New orders that have arrived together are one
submission, and share what it costs. When the order's journal batch arrives, `RequestTracker` calls the order's `Reply`. Replies
are sent in the order of the requests, so a reply that needs the read database delays the replies after it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from matching_engine.records import Command, CommandKind, Event
from services.gateway.http.direct_orders import take_tokens
from services.gateway.limits.bucket import Bucket
from services.gateway.limits.rate_class import BATCH_METHODS, METHOD_CLASSES
from services.gateway.limits.rate_limits import RateLimited, RateLimits
from services.gateway.order_entry.in_flight import UNDER_WAY
from services.gateway.order_entry.mixed_batch import HandedOver, Outcome, named_order
from services.gateway.order_entry.order_body import (
    AmendParams,
    BatchEntry,
    CancelParams,
    OrderBody,
    cancels_of,
    mixed_batch_of,
    order_of,
)
from services.gateway.order_entry.order_command import OrderRef
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.order_schemas import CancelAllAfter
from services.gateway.problems import ProblemError
from services.gateway.replies.execution_report import OutcomeOfOne, OutcomesOfBatch, mass_canceled_json, order_report
from services.gateway.websocket.client_queue import ClientQueue
from services.gateway.websocket.messages import (
    AmendOrder,
    AnyMessage,
    Batch,
    CancelAllAfterParams,
    CancelOnDisconnectParams,
    CancelOrder,
    MassCancelParams,
    Message,
    PlaceOrder,
    RequestId,
    decode_params,
)
from services.gateway.websocket.reply_models import DisconnectRule, RequestTimes, problem_document, reply_text
from services.values.times import time_text
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState

_CANCELS = frozenset({"cancel_order", "mass_cancel"})
_WITH_TURN = frozenset({"amend_order", *_CANCELS})
GRACEFUL = frozenset({1000, 1001})
"""Close codes of a client that leaves: normal, going away. A lost connection has 1005, as a close without a code has."""


class Reply:
    """The reply to one request; it is sent after all earlier replies. `text` is None until the reply is known.

    `RequestTracker` calls `on_event` or `on_problem`; a task that asked the read database calls `on_found`.
    """

    __slots__ = ("_pipeline", "_request_id", "_times", "bucket", "command", "text")

    command: Command
    bucket: Bucket | None
    """From which the request took a token; None: no limit."""

    def __init__(self, pipeline: OrderPipeline, request_id: RequestId) -> None:
        self._pipeline = pipeline
        self._request_id = request_id
        self._times = pipeline.request_times()
        self.bucket = None
        self.text: str | None = None

    def on_event(self, event: Event) -> None:
        """Makes the reply from the first event of `command`."""
        order_entry, command = self._pipeline.order_entry, self.command
        try:
            if command.kind == CommandKind.MASS_CANCEL:
                canceled = order_entry.carried_out(event)
                self.on_result(mass_canceled_json(canceled, self._pipeline.state.instruments))
                return
            order = order_entry.answers.in_memory(command, event)
        except ProblemError as problem:
            self.on_problem(problem)
            return
        if order is None:
            order_entry.find_in_history(command, event).add_done_callback(self.on_found)
        else:
            self.on_result(order_report(order, self._pipeline.state.instruments))

    def on_problem(self, problem: ProblemError) -> None:
        """Makes the problem the reply."""
        self.on_error(problem)

    def on_error(self, error: Exception) -> None:
        """Makes the problem of an exception the reply."""
        if isinstance(error, RateLimited):
            self.bucket = error.bucket
        self._answer("error", problem_document(error))

    def on_found(self, found: asyncio.Task[VenueOrder]) -> None:
        """Makes the reply from a finished task. A canceled task makes none: the venue is stopping."""
        if found.cancelled():
            return
        error = found.exception()
        if error is None:
            self.on_result(order_report(found.result(), self._pipeline.state.instruments))
        elif isinstance(error, Exception):
            self.on_error(error)

    def on_result(self, result: Any) -> None:
        """Makes the result, a model or its dict, the reply."""
        self._answer("result", result)

    def _answer(self, name: str, value: Any) -> None:
        pipeline = self._pipeline
        self.text = reply_text(self._request_id, name, value, self.bucket, pipeline.limits.now, self._times)
        pipeline.send_replies()


class OrderPipeline:
    """Runs the order methods of one client and puts the replies into the client's queue."""

    def __init__(
        self,
        state: VenueState,
        order_entry: OrderEntry,
        limits: RateLimits,
        queue: ClientQueue,
        valid_key: Callable[[], ApiKey],
        clock: Callable[[], int],
    ) -> None:
        self.state = state
        self.order_entry = order_entry
        self.limits = limits
        self._queue = queue
        self._valid_key = valid_key
        self._clock = clock
        self._replies: deque[Reply] = deque()
        self._placed: list[Reply] = []
        """Of the new orders that wait for `hand_over`."""
        self.request_times: Callable[[], RequestTimes | None] = lambda: None
        """The times of the request that is being taken; None unless the client asked for them."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_disconnect = CancelOnDisconnectParams(enabled=False)
        self.methods: dict[str, Callable[[Any, Reply], Awaitable[None]]] = {
            "place_order": self._place,
            "amend_order": self._amend,
            "cancel_order": self._cancel,
            "mass_cancel": self._mass_cancel,
            "batch": self._batch,
            "cancel_orders": self._cancel_orders,
            "test_order": self._test,
            "cancel_on_disconnect": self._cancel_on_disconnect,
            "cancel_all_after": self._cancel_all_after,
        }

    def __len__(self) -> int:
        """The number of requests that have no reply in the client's queue yet."""
        return len(self._replies)

    async def take(self, message: AnyMessage) -> None:
        """Hands one request to the inbox, a new order with the next `hand_over`; an error becomes the reply.

        Waits while the key has too many requests without a reply, or has begun `in_flight.TURN` requests in this turn of the
        event loop. Meanwhile the venue reads no message of this connection.
        """
        if self._placed and message.method != "place_order":
            await self.hand_over()
        reply = Reply(self, message.req_id)
        self._replies.append(reply)
        try:
            key = self._valid_key()
            if message.method not in BATCH_METHODS:
                reply.bucket = self.limits.take(key, METHOD_CLASSES[message.method])
            if message.method in _WITH_TURN:
                await self._turn(key.key_id, message.method in _CANCELS)
            await self.methods[message.method](message, reply)
        except Exception as error:
            reply.on_error(error)

    async def hand_over(self) -> None:
        """Hands the new orders to the inbox, as one submission if so many may begin. Waits as `take` does."""
        placed, self._placed = self._placed, []
        while placed:
            placed = await self._begin(placed)

    async def _begin(self, placed: list[Reply]) -> list[Reply]:
        """Submits as many of the orders as may begin; returns the others. An error becomes the reply of all that have it."""
        in_flight, others = self.order_entry.pending.in_flight, list[Reply]()
        try:
            key_id = self._valid_key().key_id
            await self._turn(key_id, only_cancels=False)
            room = UNDER_WAY - in_flight[key_id]
            placed, others = placed[:room], placed[room:]
            await self.order_entry.pending.submit(self._valid_key(), [reply.command for reply in placed], placed)
        except Exception as error:
            for reply in placed:
                reply.on_error(error)
        return others

    async def _turn(self, key_id: int, only_cancels: bool) -> None:
        under_way = self.order_entry.pending.in_flight
        if not under_way.may_begin(key_id, only_cancels):
            await under_way.turn(key_id, only_cancels)

    def disconnected(self, key: ApiKey | None, code: int | None) -> None:
        """The connection has ended; `code` is that of the client's close, None if the venue closed it. Cancels the account's
        orders, if the client has asked for it."""
        wanted = self._on_disconnect
        if key is not None and wanted.enabled and (wanted.after_close or code not in GRACEFUL):
            self.order_entry.cancel_all.now(key, "its WebSocket has ended")

    def send_replies(self) -> None:
        """Puts the known replies into the client's queue, in order, up to the first that is not known yet."""
        replies = self._replies
        while replies and (text := replies[0].text) is not None:
            self._queue.put(text)
            replies.popleft()

    async def _place(self, message: Message | PlaceOrder, reply: Reply) -> None:
        reply.command = self.order_entry.order_command(self._valid_key(), order_of(message.params))
        self._placed.append(reply)

    async def _amend(self, message: Message | AmendOrder, reply: Reply) -> None:
        params, key = decode_params(message.params, AmendParams), self._valid_key()
        order_id, client_order_id = named_order(params)
        ref = OrderRef(key.trading_account(), order_id, client_order_id.encode("ascii"))
        command = self.order_entry.amend_command(key, ref, params)
        if command is None:
            self.order_entry.find_not_open(key, ref).add_done_callback(reply.on_found)
        else:
            await self._submit(key, command, reply)

    async def _cancel(self, message: Message | CancelOrder, reply: Reply) -> None:
        params, key = decode_params(message.params, CancelParams), self._valid_key()
        await self._submit(key, self.order_entry.cancel_command(key, *named_order(params)), reply)

    async def _mass_cancel(self, message: Message, reply: Reply) -> None:
        params, key = decode_params(message.params, MassCancelParams), self._valid_key()
        command = self.order_entry.mass_cancel_command(key, params.symbol, params.side, params.account)
        await self._submit(key, command, reply)

    async def _batch(self, message: Message | Batch, reply: Reply) -> None:
        entries, key = mixed_batch_of(message.params), self._valid_key()
        key.trading_account()
        await self._carry_out(key, entries, reply)

    async def _cancel_orders(self, message: Message, reply: Reply) -> None:
        entries, key = cancels_of(message.params), self._valid_key()
        if "operate" not in key.scopes:
            key.trading_account()
        await self._carry_out(key, entries, reply)

    async def _carry_out(self, key: ApiKey, entries: Sequence[BatchEntry], reply: Reply) -> None:
        """Hands a batch over as one submission; its one reply has a result for each request."""
        only_cancels = all(type(entry) is CancelParams for entry in entries)
        reply.bucket = take_tokens(self.limits, key, entries)
        await self._turn(key.key_id, only_cancels)
        await self.order_entry.pending.in_flight.room(key.key_id, len(entries), only_cancels)
        self._finish(reply, self._results(await self.order_entry.batches.hand_over(key, entries)))

    async def _results(self, batch: HandedOver) -> OutcomesOfBatch:
        return OutcomesOfBatch([self._result(outcome) for outcome in await self.order_entry.batches.outcomes(batch)])

    def _result(self, outcome: Outcome) -> OutcomeOfOne:
        if outcome.order is None:
            return OutcomeOfOne(error=outcome.problem.document() if outcome.problem else None)
        return OutcomeOfOne(order_report(outcome.order, self.state.instruments))

    async def _test(self, message: Message, reply: Reply) -> None:
        body, key = order_of(message.params), self._valid_key()
        self._finish(reply, self._tested(key, body))

    async def _tested(self, key: ApiKey, body: OrderBody) -> dict[str, Any]:
        return (await self.order_entry.tests.test(key, body, self._clock())).model_dump()

    def _finish(self, reply: Reply, work: Coroutine[Any, Any, Any]) -> None:
        """The result of `work`, or its problem, becomes the reply; the connection's next messages do not wait for it."""

        async def finish() -> None:
            try:
                result = await work
            except Exception as error:
                reply.on_error(error)
            else:
                reply.on_result(result)

        task = asyncio.create_task(finish())
        self._tasks.add(task)  # The event loop itself holds tasks by weak references only.
        task.add_done_callback(self._tasks.discard)

    async def _cancel_on_disconnect(self, message: Message, reply: Reply) -> None:
        params, key = decode_params(message.params, CancelOnDisconnectParams), self._valid_key()
        key.trading_account()
        if params.enabled is not None:
            self._on_disconnect = params
        reply.on_result(self.state_of_disconnect())

    def state_of_disconnect(self) -> DisconnectRule:
        """What the connection's end does: the result of `cancel_on_disconnect`."""
        wanted = self._on_disconnect
        return DisconnectRule(bool(wanted.enabled), bool(wanted.enabled) and wanted.after_close)

    async def _cancel_all_after(self, message: Message, reply: Reply) -> None:
        params, key = decode_params(message.params, CancelAllAfterParams), self._valid_key()
        self.order_entry.cancel_all.arm(key, params.seconds)
        cancels_at = time_text(self._clock() + params.seconds * 1_000_000_000) if params.seconds else None
        reply.on_result(CancelAllAfter(seconds=params.seconds, cancels_at=cancels_at).model_dump())

    def _submit(self, key: ApiKey, command: Command, reply: Reply) -> Awaitable[None]:
        reply.command = command
        return self.order_entry.pending.submit(key, (command,), (reply,))
