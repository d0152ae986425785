"""One WebSocket client: a task that reads, a task that writes, and the replies to its orders in between.

Orders are pipelined: the reader hands one over and reads on, and the reader of the journal calls back with the outcome. Replies
to orders leave in the order of the requests, so an outcome that needs a look into the past holds back those behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

import structlog
from starlette.types import Receive, Send

from services.gateway.channels import MARKET_CHANNELS, Channels
from services.gateway.client_queue import ClientQueue
from services.gateway.execution_report import order_json, time_text
from services.gateway.keys import ApiKey
from services.gateway.order_body import decode_order
from services.gateway.order_entry import OnOutcome, OrderEntry, Outcome
from services.gateway.problems import ProblemError, field_problem, outcome_unknown, problem_of
from services.gateway.pushes import json_text
from services.gateway.state import VenueState
from services.gateway.ws_messages import (
    AuthenticateParams,
    CancelParams,
    Message,
    NoParams,
    RequestId,
    SubscribeParams,
    decode_message,
    decode_params,
    request_id_of,
)

MAX_MESSAGE_BYTES = 64 * 1024
"""How large a message to the venue may be."""
AUTHENTICATE_SECONDS = 10.0
"""How long a connection may stay without a key."""
IN_FLIGHT = 4_096
"""How many orders and unread replies one connection may have before its next message has to wait."""
CLOSE_TOO_LARGE = 1009
CLOSE_INTERNAL_ERROR = 1011
CLOSE_GONE = 1001
CLOSE_NOT_AUTHENTICATED = 4003

log = structlog.get_logger("rex.websocket")


class Slot:
    """The place of one order's reply in the order of requests; `text` is None until the reply is there."""

    __slots__ = ("text",)

    def __init__(self) -> None:
        self.text: str | None = None


class Connection:
    """One client."""

    def __init__(
        self,
        state: VenueState,
        order_entry: OrderEntry,
        channels: Channels,
        clock: Callable[[], int],
        key: ApiKey | None,
    ) -> None:
        self._state = state
        self._order_entry = order_entry
        self._channels = channels
        self._clock = clock
        self.key = key
        self.queue = ClientQueue(channels.snapshot)
        self._slots: deque[Slot] = deque()
        self._room = asyncio.Event()
        self._methods: dict[str, Callable[[Message], None]] = {
            "authenticate": self._authenticate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "ping": self._ping,
        }

    async def run(self, receive: Receive, send: Send) -> None:
        """Until either side closes."""
        writer = asyncio.create_task(self._write(send))
        deadline = asyncio.get_running_loop().call_later(AUTHENTICATE_SECONDS, self._must_be_authenticated)
        try:
            await self._read(receive)
        finally:
            deadline.cancel()
            self._channels.leave(self)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer

    # ------------------------------------------------------------------ in

    async def _read(self, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            if self.queue.closing is not None:
                continue
            text: str | bytes = message.get("text") or message.get("bytes") or b""
            if _is_too_large(text):
                self.queue.close(CLOSE_TOO_LARGE, f"a message may hold {MAX_MESSAGE_BYTES} bytes")
                continue
            await self._take(text)
            while len(self._slots) + len(self.queue) >= IN_FLIGHT and self.queue.closing is None:
                self._room.clear()
                await self._room.wait()

    async def _take(self, text: str | bytes) -> None:
        """One message; whatever is wrong with it becomes an error reply."""
        try:
            message = decode_message(text)
        except ProblemError as problem:
            self.queue.put(error_text(request_id_of(text), problem))
            return
        if message.method in ("place_order", "cancel_order"):
            await self._order(message)
            return
        try:
            method = self._methods.get(message.method)
            if method is None:
                raise field_problem("validation_failed", "method", f"there is no method {message.method[:40]!r}")
            method(message)
        except Exception as error:
            self.queue.put(error_text(message.req_id, problem_of(error)))

    async def _order(self, message: Message) -> None:
        slot, request_id = Slot(), message.req_id
        self._slots.append(slot)

        def on_outcome(outcome: Outcome) -> None:
            slot.text = self._outcome_text(request_id, outcome)
            self._send_replies()

        try:
            if message.method == "place_order":
                await self._order_entry.submit_order(self._valid_key(), decode_order(message.params), on_outcome)
            else:
                await self._cancel(decode_params(message.params, CancelParams), on_outcome)
        except Exception as error:
            slot.text = error_text(request_id, problem_of(error))
            self._send_replies()

    async def _cancel(self, params: CancelParams, on_outcome: OnOutcome) -> None:
        if (params.order_id is None) == (params.client_order_id is None):
            raise field_problem("validation_failed", "order_id", "give either order_id or client_order_id")
        await self._order_entry.submit_cancel(
            self._valid_key(),
            on_outcome,
            order_id=int(params.order_id or 0),
            client_order_id=params.client_order_id or "",
        )

    # ------------------------------------------------------------------ methods

    def _authenticate(self, message: Message) -> None:
        params = decode_params(message.params, AuthenticateParams)
        if self.key is not None:
            raise field_problem("validation_failed", "method", "this connection is authenticated already")
        key = self._state.find_key(params.key)
        if key is None:
            raise _unknown_key()
        self.key = key
        self._result(message, {"account": key.account, "name": key.name, "scopes": sorted(key.scopes)})

    def _subscribe(self, message: Message) -> None:
        key, params, instruments = self._subscription(message)
        self._result(message, {"channels": params.channels, "symbols": params.symbols or []})
        for channel in dict.fromkeys(params.channels):
            if channel == "orders":
                self._channels.subscribe_orders(self, key.own_account())
            else:
                self._channels.subscribe(self, channel, instruments)

    def _unsubscribe(self, message: Message) -> None:
        key, params, instruments = self._subscription(message)
        for channel in dict.fromkeys(params.channels):
            if channel == "orders":
                self._channels.unsubscribe_orders(self, key.own_account())
            else:
                self._channels.unsubscribe(self, channel, instruments)
        self._result(message, {"channels": params.channels, "symbols": params.symbols or []})

    def _subscription(self, message: Message) -> tuple[ApiKey, SubscribeParams, list[int] | None]:
        """Everything checked: the key, the params, and the instruments meant (None: all)."""
        key = self._valid_key()
        key.require("read")
        params = decode_params(message.params, SubscribeParams)
        if "orders" in params.channels:
            key.own_account()
        if params.symbols is None and any(channel in MARKET_CHANNELS for channel in params.channels):
            raise field_problem("validation_failed", "symbols", 'say which, or ["*"] for all')
        if params.symbols is None or params.symbols == ["*"]:
            return key, params, None
        instruments = []
        for place, symbol in enumerate(params.symbols):
            instrument = self._state.by_symbol.get(symbol)
            if instrument is None:
                message_text = f"no instrument is listed as {symbol[:40]!r}"
                raise field_problem("unknown_symbol", f"symbols.{place}", message_text)
            instruments.append(instrument.number)
        return key, params, instruments

    def _ping(self, message: Message) -> None:
        decode_params(message.params, NoParams)
        self._result(message, {"time": time_text(self._clock()), "seq": self._state.last_seq})

    def _valid_key(self) -> ApiKey:
        """The key of this connection; it may have been revoked since."""
        if self.key is None:
            raise ProblemError(401, "missing_key", "Authenticate first: by an Authorization header, or `authenticate`.")
        if self.key.key_id not in self._state.key_hashes:
            raise _unknown_key()
        return self.key

    def _must_be_authenticated(self) -> None:
        if self.key is None:
            self.queue.close(CLOSE_NOT_AUTHENTICATED, f"no key within {AUTHENTICATE_SECONDS:g} seconds")

    # ------------------------------------------------------------------ out

    def _result(self, message: Message, result: dict[str, object]) -> None:
        self.queue.put(json_text({"req_id": message.req_id, "result": result}))

    def _outcome_text(self, request_id: RequestId, outcome: Outcome) -> str:
        if outcome.order is None:
            return error_text(request_id, outcome.problem or outcome_unknown())
        return json_text({"req_id": request_id, "result": order_json(outcome.order, self._state.instruments)})

    def _send_replies(self) -> None:
        slots = self._slots
        while slots and slots[0].text is not None:
            self.queue.put(slots[0].text)
            slots.popleft()

    async def _write(self, send: Send) -> None:
        queue = self.queue
        try:
            while queue.closing is None:
                await queue.bell.wait()
                queue.bell.clear()
                while (text := queue.next_text()) is not None:
                    await send({"type": "websocket.send", "text": text})
                self._room.set()
            self._channels.leave(self)
            await send({"type": "websocket.close", "code": queue.closing.code, "reason": queue.closing.reason})
        except OSError:  # The client is gone; the reader hears of it, too.
            queue.close(CLOSE_GONE, "the client is gone")
        except Exception as error:
            queue.close(CLOSE_INTERNAL_ERROR, "internal error")
            log.error("WebSocket writer failed", exc_info=error)
        finally:
            self._room.set()


def error_text(request_id: RequestId, problem: ProblemError) -> str:
    """The reply to what went wrong."""
    return json_text({"req_id": request_id, "error": problem.document()})


def _unknown_key() -> ProblemError:
    return ProblemError(401, "unknown_key", "The venue does not know this key, or it was revoked.")


def _is_too_large(text: str | bytes) -> bool:
    if isinstance(text, str) and not text.isascii():
        text = text.encode()
    return len(text) > MAX_MESSAGE_BYTES
