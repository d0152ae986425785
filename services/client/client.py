"""The client a program uses: REST calls as methods, and one WebSocket for orders and pushes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from services.client.rest import Json, Order, RestCalls
from services.client.socket import VenueSocket
from services.client.subscription import Subscription


class RexClient(RestCalls):
    """REX at `url` (http://host:port) with an API key. An async context manager: leaving it closes every connection.

    Any call may raise RexError (the venue's answer is a problem), Unreachable (nothing was sent) or OutcomeUnknown (sent, no
    reply: retry an order with the same client_order_id). After `connect` orders and cancels go over the WebSocket.
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
        """Opens the WebSocket, for faster orders. It is opened again where it is lost, until the client is closed.

        After a loss, `connect` waits until there is a connection again.
        """
        await self._socket.open()
        self._uses_socket = True

    async def place_order(self, order: Order) -> Json:
        """Places an order and returns it as the engine left it; a declined one has the state `rejected`."""
        if not self._uses_socket:
            return await self.post_order(order)
        return await (await self._socket.send("place_order", order))

    async def cancel_order(self, *, order_id: str | None = None, client_order_id: str | None = None) -> Json:
        """Cancels the order named by one of its ids and returns it. RexError `order_not_open`: it had ended before."""
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
        """Changes the order named by one of its ids and returns it; what is None stays as it is.

        RexError with the engine's reason as its code: declined, and the order stands untouched. `order_not_open`: it had ended.
        """
        changes = _given(price=price, quantity=quantity, display_quantity=display_quantity, stop_price=stop_price)
        ids = _given(order_id=order_id, client_order_id=client_order_id)
        if not self._uses_socket:
            return await self.patch_order(changes, **ids)
        return await (await self._socket.send("amend_order", ids | changes))

    async def mass_cancel(self, symbol: str, side: str | None = None, *, account: int | None = None) -> Json:
        """Cancels every open order in an instrument, or in all ("*"); `canceled` of the answer is their number.

        Of the key's own account; operators name any, or none: then it is every account's.
        """
        if not self._uses_socket:
            return await self.delete_orders(symbol, side, account=account)
        params = {"symbol": symbol} | _given(side=side, account=account)
        return await (await self._socket.send("mass_cancel", params))

    async def submit_order(self, order: Order) -> asyncio.Future[Json]:
        """Sends an order over the WebSocket and returns its reply to come, so that many can be under way at once."""
        await self._connected()
        return await self._socket.send("place_order", order)

    async def submit_cancel(
        self, *, order_id: str | None = None, client_order_id: str | None = None
    ) -> asyncio.Future[Json]:
        """Sends a cancel over the WebSocket and returns its reply to come. Name the order by one of its ids."""
        await self._connected()
        params = _given(order_id=order_id, client_order_id=client_order_id)
        return await self._socket.send("cancel_order", params)

    async def submit_amend(self, changes: Order) -> asyncio.Future[Json]:
        """Sends an amend over the WebSocket and returns its reply to come: one of the order's ids and what changes."""
        await self._connected()
        return await self._socket.send("amend_order", changes)

    def subscribe(self, channels: Sequence[str], symbols: Sequence[str] | None = None) -> Subscription:
        """Pushes of depth, trades, ticker (of symbols, or ["*"]) and orders (one's own, of every symbol).

        Connects where there is no connection yet, and subscribes again where it was lost.
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
