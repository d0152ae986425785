"""`RexClient`: REST calls as methods, and one WebSocket for orders and subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from services.client.rest import Json, Order, RestCalls
from services.client.socket import VenueSocket
from services.client.subscription import Subscription


class RexClient(RestCalls):
    """A client of the venue at `url` (http://host:port) with an API key. An async context manager; leaving it closes every
    connection.

    Any call may raise RexError (the venue answered with a problem), Unreachable (nothing was sent) or OutcomeUnknown (sent, but
    no reply: retry an order with the same client_order_id). After `connect`, orders, amends and cancels use the WebSocket.
    """

    def __init__(self, url: str, key: str) -> None:
        super().__init__(url, key)
        self._socket = VenueSocket(url, key)
        self._uses_socket = False

    async def __aenter__(self) -> RexClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes every connection and ends every subscription."""
        try:
            await self._socket.close()
        finally:
            await self._http.aclose()

    async def connect(self) -> None:
        """Opens the WebSocket, for faster orders. A lost connection is reopened until the client is closed.

        While it is being reopened, `connect` waits.
        """
        await self._socket.open()
        self._uses_socket = True

    async def place_order(self, order: Order) -> Json:
        """Places an order and returns it after the engine has processed it; a declined one has the state `rejected`."""
        if not self._uses_socket:
            return await self.post_order(order)
        return await (await self._socket.send("place_order", order))

    async def cancel_order(self, *, order_id: str | None = None, client_order_id: str | None = None) -> Json:
        """Cancels the order with one of these ids and returns it. RexError `order_not_open`: it had ended before."""
        if not self._uses_socket:
            return await self.delete_order(order_id=order_id, client_order_id=client_order_id)
        return await (await self.submit_cancel(order_id=order_id, client_order_id=client_order_id))

    async def amend_order(
        self,
        *,
        order_id: str | None = None,
        client_order_id: str | None = None,
        price: str | None = None,
        quantity: int | None = None,
        display_quantity: int | None = None,
        stop_price: str | None = None,
    ) -> Json:
        """Amends the order with one of these ids and returns it. None leaves a field as it is.

        RexError with a reason as its code: the engine declined, and the order is unchanged. `order_not_open`: it had ended.
        """
        changes = _given(price=price, quantity=quantity, display_quantity=display_quantity, stop_price=stop_price)
        ids = _given(order_id=order_id, client_order_id=client_order_id)
        if not self._uses_socket:
            return await self.patch_order(changes, **ids)
        return await (await self._socket.send("amend_order", ids | changes))

    async def mass_cancel(self, symbol: str, side: str | None = None, *, account: int | None = None) -> Json:
        """Cancels the account's open orders in an instrument, or in all ("*"); `canceled` of the reply is their number.

        `account` is for operators: any account, or None for every account. Otherwise it is the key's own.
        """
        if not self._uses_socket:
            return await self.delete_orders(symbol, side, account=account)
        params = {"symbol": symbol} | _given(side=side, account=account)
        return await (await self._socket.send("mass_cancel", params))

    async def submit_order(self, order: Order) -> asyncio.Future[Json]:
        """Sends an order over the WebSocket and returns a future of its reply, so that many can be in flight at once."""
        await self._connected()
        return await self._socket.send("place_order", order)

    async def submit_cancel(
        self, *, order_id: str | None = None, client_order_id: str | None = None
    ) -> asyncio.Future[Json]:
        """Sends a cancel over the WebSocket, with one of the order's ids, and returns a future of its reply."""
        await self._connected()
        params = _given(order_id=order_id, client_order_id=client_order_id)
        return await self._socket.send("cancel_order", params)

    async def submit_amend(self, changes: Order) -> asyncio.Future[Json]:
        """Sends an amend over the WebSocket (one of the order's ids and the changes) and returns a future of its reply."""
        await self._connected()
        return await self._socket.send("amend_order", changes)

    def subscribe(self, channels: Sequence[str], symbols: Sequence[str] | None = None) -> Subscription:
        """A subscription to `depth`, `trades` and `ticker` of some symbols (["*"]: all), and to the account's own `orders`.

        Connects if there is no connection yet, and subscribes again after a lost one.
        """
        subscription = Subscription(channels, symbols, self._socket.remove)
        self._socket.add(subscription)
        return subscription

    async def ping(self) -> Json:
        """The venue's time and seq, over the WebSocket."""
        await self._connected()
        return await (await self._socket.send("ping", {}))

    async def _connected(self) -> None:
        if not self._uses_socket:
            await self.connect()


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
