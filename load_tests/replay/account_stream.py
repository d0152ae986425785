"""The messages of one account: sent in order over one connection, a bounded number of them under way, each answered once.

After a lost connection the stream sends all unanswered messages again, in order, with the same client_order_id. If the first
copy had arrived, the venue answers a repeated order or amend with the order as it stands, and a repeated cancel with
`order_not_open`. An order that the venue was too busy to take (503; 429 for the account's own part) is sent again, too, behind
those under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

from rex_client import OutcomeUnknown, RexError, Unreachable

from load_tests.flows.flow_message import FlowMessage

Json = dict[str, Any]

RETRY_PAUSE_S = 0.05
RECONNECT_TIMEOUT_S = 30.0
"""The replay ends if the venue cannot be reached for so long."""


class OrderConnection(Protocol):
    """The methods of `RexClient` that a stream uses."""

    async def submit_order(self, order: Json) -> asyncio.Future[Json]:
        """Sends an order; the reply comes later."""

    async def submit_amend(self, changes: Json) -> asyncio.Future[Json]:
        """Sends an amend; the reply comes later."""

    async def submit_cancel(self, *, client_order_id: str) -> asyncio.Future[Json]:
        """Sends a cancel; the reply comes later."""


DECLINED_AMENDS = frozenset(
    {
        "order_not_open",
        "price_above_band",
        "price_below_band",
        "price_outside_collar",
        "market_closed",
        "instrument_halted",
        "not_in_auction",
    }
)
"""The codes with which a venue may decline a flow's amend: the order has ended, the price is out of bounds, or the phase takes
none.

A lack of money or goods is not among them: each account is funded for all its orders and amends.
"""


@dataclass
class Replies:
    """The venue's replies to the messages of one account."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    """client_order_id → order_id."""
    refused: dict[str, str] = field(default_factory=dict)
    """client_order_id → code of the orders refused with a 4xx."""
    amended: dict[str, tuple[str, int]] = field(default_factory=dict)
    """client_order_id → price and quantity after the last amend that was carried out."""
    canceled: int = 0
    too_late: int = 0
    """How many cancels named an order that had ended, by a fill or an earlier cancel."""
    declined: int = 0
    """How many amends were declined with a code in DECLINED_AMENDS."""
    unexpected: list[str] = field(default_factory=list)
    """Descriptions of replies that a correct venue never gives."""
    retried: set[str] = field(default_factory=set)
    """client_order_ids of the messages that were sent more than once."""


OnReply = Callable[[FlowMessage, float, BaseException | None], None]
"""Gets a message that was answered, the seconds from its due time to the reply, and the error if the venue refused it."""


@dataclass
class _Sent:
    message: FlowMessage
    due: float


class AccountStream:
    """Sends through `connection`, which reconnects by itself. At most `window` messages are under way.

    Calls `on_reply` for each answered message.
    """

    def __init__(self, connection: OrderConnection, window: int, on_reply: OnReply) -> None:
        self.replies = Replies()
        self._connection = connection
        self._on_reply = on_reply
        self._window = window
        self._room = asyncio.Semaphore(window)
        self._sent: dict[int, _Sent] = {}
        self._numbers = 0
        # The lowest number goes first: a message that must be sent again precedes those that were never sent.
        self._to_send: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()

    @property
    def messages(self) -> int:
        """How many messages were queued, and so are sent or will be."""
        return self._numbers

    async def send(self, message: FlowMessage, due: float | None = None) -> None:
        """Queues the next message as soon as the window has room. `due` is a time of the event loop, in seconds; None: now."""
        await self._room.acquire()
        self._numbers += 1
        self._sent[self._numbers] = _Sent(message, asyncio.get_running_loop().time() if due is None else due)
        self._to_send.put_nowait(self._numbers)

    async def answered(self) -> None:
        """Waits until no message is under way."""
        for _ in range(self._window):
            await self._room.acquire()
        for _ in range(self._window):
            self._room.release()

    async def run(self) -> None:
        """Sends until it is canceled. Raises Unreachable if the venue cannot be reached for RECONNECT_TIMEOUT_S."""
        away = 0.0
        while True:
            number = await self._to_send.get()
            try:
                reply = await self._submit(self._sent[number].message)
            except Unreachable:
                self._to_send.put_nowait(number)
                away += RETRY_PAUSE_S
                if away > RECONNECT_TIMEOUT_S:
                    raise
                await asyncio.sleep(RETRY_PAUSE_S)
            else:
                away = 0.0
                reply.add_done_callback(partial(self._handle_reply, number))

    async def _submit(self, message: FlowMessage) -> asyncio.Future[Json]:
        if message.action == "cancel":
            return await self._connection.submit_cancel(client_order_id=message.client_order_id)
        if message.action == "amend":
            return await self._connection.submit_amend(amend_body(message))
        return await self._connection.submit_order(order_body(message))

    def _handle_reply(self, number: int, reply: asyncio.Future[Json]) -> None:
        message = self._sent[number].message
        error = None if reply.cancelled() else reply.exception()
        if reply.cancelled() or isinstance(error, OutcomeUnknown):
            self._send_again(number, delay=0.0)
        elif isinstance(error, RexError) and error.status in (429, 503):
            self._send_again(number, delay=RETRY_PAUSE_S)
        else:
            if error is None:
                self._accept(message, reply.result())
            elif isinstance(error, RexError):
                self._refuse(message, error.code)
            else:
                self.replies.unexpected.append(f"{message.action} {message.client_order_id}: {error!r}")
            self._on_reply(message, asyncio.get_running_loop().time() - self._sent.pop(number).due, error)
            self._room.release()

    def _send_again(self, number: int, delay: float) -> None:
        self.replies.retried.add(self._sent[number].message.client_order_id)
        asyncio.get_running_loop().call_later(delay, self._to_send.put_nowait, number)

    def _accept(self, message: FlowMessage, order: Json) -> None:
        if order["client_order_id"] != message.client_order_id:
            self.replies.unexpected.append(f"{message.action} {message.client_order_id}: answered with {order}")
        elif message.action == "cancel":
            self.replies.canceled += 1
        elif message.action == "amend":
            self._amended(message, order)
        else:
            self.replies.acknowledged[message.client_order_id] = order["order_id"]

    def _refuse(self, message: FlowMessage, code: str) -> None:
        client_order_id = message.client_order_id
        if message.action == "new":
            self.replies.refused[client_order_id] = code
        # If the order itself was refused, or must be sent again first, there is nothing to amend or cancel.
        elif code == "unknown_order" and (client_order_id in self.replies.refused or self._was_retried(message)):
            return
        elif message.action == "amend":
            self._decline(message, code)
        elif code == "order_not_open":
            self.replies.too_late += 1
        else:
            self.replies.unexpected.append(f"{message.action} {client_order_id}: {code}")

    def _decline(self, message: FlowMessage, code: str) -> None:
        client_order_id = message.client_order_id
        if self._was_retried(message):  # The first copy may have been carried out.
            self.replies.amended.pop(client_order_id, None)
        if code in DECLINED_AMENDS:
            self.replies.declined += 1
        else:
            self.replies.unexpected.append(f"amend {client_order_id}: {code}")

    def _amended(self, message: FlowMessage, order: Json) -> None:
        """Records the order's new terms. An amend to the filled quantity or less cancels the order and leaves its terms
        unchanged."""
        self.replies.amended[message.client_order_id] = order["price"], order["quantity"]
        as_asked = Decimal(order["price"]) == Decimal(message.price) and order["quantity"] == message.quantity
        if not as_asked and order["state"] != "canceled":
            self.replies.unexpected.append(f"amend {message.client_order_id}: answered with {order}")

    def _was_retried(self, message: FlowMessage) -> bool:
        return message.client_order_id in self.replies.retried


def amend_body(message: FlowMessage) -> Json:
    """An amend as the API takes it. It names both price and quantity; the present value is no change."""
    return {"client_order_id": message.client_order_id, "price": message.price, "quantity": message.quantity}


def order_body(message: FlowMessage) -> Json:
    """A new order as the API takes it."""
    body = {
        "symbol": message.symbol,
        "side": message.side,
        "order_type": message.order_type,
        "time_in_force": message.time_in_force,
        "quantity": message.quantity,
        "client_order_id": message.client_order_id,
    }
    return {**body, "price": message.price} if message.price else body
