"""The snapshot of `orders`: in parts where an account has many open ones, so that neither a message nor a queue holds them all.

The client's pushes are held back until the last part. The parts tell the orders that have not changed since the first; the
others come with the pushes that were held back.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from services.gateway.replies.execution_report import order_json
from services.gateway.websocket.private_models import PART_ROWS, OrdersData, more_if
from services.gateway.websocket.private_stream import PrivateStream
from services.gateway.websocket.subscriber import Subscriber
from services.venue_state.state import VenueState


class OrdersSnapshot:
    """The snapshot for one client. Its first part is sent at once."""

    def __init__(self, client: Subscriber, stream: PrivateStream, account: int, state: VenueState) -> None:
        self._client, self._stream, self._account, self._state = client, stream, account, state
        self._begin()

    @property
    def is_whole(self) -> bool:
        """Whether every part was sent."""
        return not self._left

    async def tell(self) -> None:
        """Sends the other parts, each when the client has read the one before, and the whole again if that was asked for."""
        while self._left:
            await self._client.queue.room()
            if not self._stream.is_held(self._client, self._held):
                return
            self._put("update", self._held.after_seq)
            if self.is_whole and self._held.snapshot:
                self._begin()

    def _begin(self) -> None:
        self._held = self._stream.hold(self._client)
        is_open = self._state.orders.open.values()
        self._left = deque(order.order_id for order in is_open if order.account == self._account)
        self._put("snapshot", None)

    def _put(self, kind: Literal["snapshot", "update"], prev_seq: int | None) -> None:
        seq, found = self._held.after_seq, self._state.orders.open
        ids = [self._left.popleft() for _ in range(min(PART_ROWS, len(self._left)))]
        unchanged = [order for each in ids if (order := found.get(each)) is not None and order.updated_seq <= seq]
        rows = [order_json(order, self._state.instruments) for order in unchanged]
        data = OrdersData(rows, [], [], more=more_if(bool(self._left)))
        self._client.queue.put(self._stream.text(kind, seq, prev_seq, data))
        if self.is_whole:
            self._stream.release(self._client, self._held)
