"""One account's messages: sent in order over one WebSocket, a bounded number of them under way, each answered once.

What a lost connection leaves unanswered is sent again, in order, with the same client_order_id: the venue answers a repeated
order with its present state, an amend that had arrived already with the order as it is, and a cancel that had arrived already
with `order_not_open`. An order the venue was too busy to
take (503, or 429 for the account's own part) is sent again, too, behind those already under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

from load_tests.flows.flow_message import FlowMessage
from services.client import OutcomeUnknown, RexError, Unreachable

Json = dict[str, Any]

RETRY_SECONDS = 0.05
PATIENCE_SECONDS = 30.0
"""How long a venue may be away before the replay gives up."""


class OrderConnection(Protocol):
    """What is used of `RexClient`."""

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
"""Why a venue may decline a flow's amend: it came too late, its price is out of bounds, or the market's phase takes none.

Not for want of money or goods: an account is funded for all its orders and amends.
"""


@dataclass
class Replies:
    """What the venue said to one account's messages."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    """client_order_id → order_id."""
    refused: dict[str, str] = field(default_factory=dict)
    """client_order_id → code, for orders refused with a 4xx."""
    amended: dict[str, tuple[str, int]] = field(default_factory=dict)
    """client_order_id → price and quantity that the last amend that was carried out left."""
    canceled: int = 0
    too_late: int = 0
    """Cancels of orders that had ended before, by a fill or an earlier cancel."""
    declined: int = 0
    """Amends that were declined for one of DECLINED_AMENDS."""
    odd: list[str] = field(default_factory=list)
    """Replies to amends and cancels that no venue should give."""
    retried: set[str] = field(default_factory=set)
    """client_order_ids that had to be sent more than once."""


@dataclass
class _Sent:
    message: FlowMessage
    due: float


class AccountStream:
    """Sends through `connection`, which finds its own way back when it is lost.

    `on_reply` hears, in seconds, how long after it was due each message was answered.
    """

    def __init__(self, connection: OrderConnection, window: int, on_reply: Callable[[float], None]) -> None:
        self.replies = Replies()
        self._connection = connection
        self._on_reply = on_reply
        self._window = window
        self._room = asyncio.Semaphore(window)
        self._sent: dict[int, _Sent] = {}
        self._numbers = 0
        # Lowest number first: what must be sent again goes before what was never sent.
        self._to_send: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()

    async def send(self, message: FlowMessage, due: float | None = None) -> None:
        """Hands over the next message as soon as there is room. `due` is a time of the event loop; None: now."""
        await self._room.acquire()
        self._numbers += 1
        self._sent[self._numbers] = _Sent(message, asyncio.get_running_loop().time() if due is None else due)
        self._to_send.put_nowait(self._numbers)

    async def answered(self) -> None:
        """Waits until nothing is under way."""
        for _ in range(self._window):
            await self._room.acquire()
        for _ in range(self._window):
            self._room.release()

    async def run(self) -> None:
        """Sends until it is canceled. Raises Unreachable when the venue stays away too long."""
        away = 0.0
        while True:
            number = await self._to_send.get()
            try:
                reply = await self._submit(self._sent[number].message)
            except Unreachable:
                self._to_send.put_nowait(number)
                away += RETRY_SECONDS
                if away > PATIENCE_SECONDS:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
            else:
                away = 0.0
                reply.add_done_callback(partial(self._take, number))

    async def _submit(self, message: FlowMessage) -> asyncio.Future[Json]:
        if message.action == "cancel":
            return await self._connection.submit_cancel(client_order_id=message.client_order_id)
        if message.action == "amend":
            return await self._connection.submit_amend(amend_body(message))
        return await self._connection.submit_order(order_body(message))

    def _take(self, number: int, reply: asyncio.Future[Json]) -> None:
        message = self._sent[number].message
        error = None if reply.cancelled() else reply.exception()
        if reply.cancelled() or isinstance(error, OutcomeUnknown):
            self._again(number, delay=0.0)
        elif isinstance(error, RexError) and error.status in (429, 503):
            self._again(number, delay=RETRY_SECONDS)
        else:
            if error is None:
                self._accept(message, reply.result())
            elif isinstance(error, RexError):
                self._refuse(message, error.code)
            else:
                self.replies.odd.append(f"{message.action} {message.client_order_id}: {error!r}")
            self._on_reply(asyncio.get_running_loop().time() - self._sent.pop(number).due)
            self._room.release()

    def _again(self, number: int, delay: float) -> None:
        self.replies.retried.add(self._sent[number].message.client_order_id)
        asyncio.get_running_loop().call_later(delay, self._to_send.put_nowait, number)

    def _accept(self, message: FlowMessage, order: Json) -> None:
        if order["client_order_id"] != message.client_order_id:
            self.replies.odd.append(f"{message.action} {message.client_order_id}: answered with {order}")
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
        # Where the order itself was refused, or has yet to be sent again, there is nothing to amend or cancel.
        elif code == "unknown_order" and (client_order_id in self.replies.refused or self._was_retried(message)):
            return
        elif message.action == "amend":
            self._decline(message, code)
        elif code == "order_not_open":
            self.replies.too_late += 1
        else:
            self.replies.odd.append(f"{message.action} {client_order_id}: {code}")

    def _decline(self, message: FlowMessage, code: str) -> None:
        client_order_id = message.client_order_id
        if self._was_retried(message):  # it may have been carried out the first time
            self.replies.amended.pop(client_order_id, None)
        if code in DECLINED_AMENDS:
            self.replies.declined += 1
        else:
            self.replies.odd.append(f"amend {client_order_id}: {code}")

    def _amended(self, message: FlowMessage, order: Json) -> None:
        """An amend to what is filled or less cancels the rest and leaves price and quantity as they were."""
        self.replies.amended[message.client_order_id] = order["price"], order["quantity"]
        as_asked = Decimal(order["price"]) == Decimal(message.price) and order["quantity"] == message.quantity
        if not as_asked and order["state"] != "canceled":
            self.replies.odd.append(f"amend {message.client_order_id}: answered with {order}")

    def _was_retried(self, message: FlowMessage) -> bool:
        return message.client_order_id in self.replies.retried


def amend_body(message: FlowMessage) -> Json:
    """An amend as the API takes it; a value that stays as it is is no change."""
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
