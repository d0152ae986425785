"""`RexClient`: REST calls as methods, and one WebSocket for orders and subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from rex_client.account_calls import AccountCalls
from rex_client.admin_calls import AdminCalls
from rex_client.calls import Amount, Fields, Json
from rex_client.depth_book import DepthBook, OutOfStep
from rex_client.errors import OutcomeUnknown, RexError
from rex_client.market_calls import MarketCalls
from rex_client.operator_calls import OperatorCalls
from rex_client.order_calls import OrderCalls, has_id
from rex_client.report_calls import ReportCalls
from rex_client.socket import VenueSocket
from rex_client.subscription import Subscription


class RexClient(MarketCalls, OrderCalls, AccountCalls, ReportCalls, OperatorCalls, AdminCalls):
    """A client of the venue at `url` (http://host:port) with an API key. An async context manager; leaving it closes every
    connection. Without a key it reads market data, where the venue makes them public.

    Any call may raise RexError (the venue answered with a problem), Unreachable (nothing was sent) or OutcomeUnknown (sent, but
    no reply: retry an order with the same client_order_id). After `connect`, orders, amends and cancels use the WebSocket.

    `patience_s`: for so many seconds a call waits and is sent again, where that is safe: if the venue took nothing in (a rate
    limit, a full inbox, no connection), and after an unknown outcome if the call reads, places orders that all have a
    client_order_id, cancels one order, sets a timer, or is administrative (docs/client.md has the table).
    0: never. `submit_order`, `submit_amend` and `submit_cancel` are sent once.
    """

    def __init__(self, url: str, key: str | None = None, *, patience_s: float = 0.0) -> None:
        super().__init__(url, key, patience_s=patience_s)
        self._socket = VenueSocket(url, key, self.rate_limits, patience_s)
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

    @property
    def closing_at(self) -> str | None:
        """When the venue closes its connections, if it has announced a planned end; None again after the reconnection."""
        return self._socket.closing_at

    # ------------------------------------------------------------------ orders, over the WebSocket once there is one

    async def place_order(self, order: Fields) -> Json:
        """Places an order and returns it after the engine has processed it; a declined one has the state `rejected`."""
        if not self._uses_socket:
            return await self.post_order(order)
        return await self._ask("place_order", order, is_repeatable=has_id(order))

    async def cancel_order(self, *, order_id: str | None = None, client_order_id: str | None = None) -> Json:
        """Cancels the order with one of these ids and returns it. RexError `order_not_open`: it had ended before."""
        ids = _given(order_id=order_id, client_order_id=client_order_id)
        try:
            if not self._uses_socket:
                return await self.delete_order(**ids)
            return await self._ask("cancel_order", ids, is_repeatable=True)
        except RexError as refused:
            if refused.code != "order_not_open" or not refused.after_unknown_outcome:
                raise
        return await self._order_of(**ids)  # It has ended, if not by the cancel that had no reply.

    async def amend_order(
        self,
        *,
        order_id: str | None = None,
        client_order_id: str | None = None,
        price: Amount | None = None,
        quantity: int | None = None,
        display_quantity: int | None = None,
        stop_price: Amount | None = None,
    ) -> Json:
        """Amends the order with one of these ids and returns it. None leaves a field as it is.

        RexError with a reason as its code: the engine declined, and the order is unchanged. `order_not_open`: it had ended.
        An amend is not sent again after an unknown outcome: that could undo another one in between. Read the order.
        """
        changes = _given(price=price, quantity=quantity, display_quantity=display_quantity, stop_price=stop_price)
        ids = _given(order_id=order_id, client_order_id=client_order_id)
        if not self._uses_socket:
            return await self.patch_order(changes, **ids)
        return await self._ask("amend_order", ids | changes)

    async def mass_cancel(self, symbol: str, side: str | None = None, *, account: int | None = None) -> Json:
        """Cancels the account's open orders in an instrument, or in all ("*"); `canceled` of the reply is their number.

        `account` is for operators: any account, or None for every account. Otherwise it is the key's own.
        """
        if not self._uses_socket:
            return await self.delete_orders(symbol, side, account=account)
        return await self._ask("mass_cancel", {"symbol": symbol} | _given(side=side, account=account))

    async def test_order(self, order: Fields) -> Json:
        """What placing the order now would give: `verdict`, cost, fees. Nothing is placed."""
        if not self._uses_socket:
            return await super().test_order(order)
        return await self._ask("test_order", order, is_repeatable=True)

    async def mixed_batch(self, requests: Iterable[Fields]) -> list[Json]:
        """Carries out up to 500 requests in this order, with no command of others between them.

        Each is {"place": order}, {"amend": changes with an id} or {"cancel": an id}. The results, in the same order, each have
        `order` (as it stands after the whole batch) or `error`. What is too large for one WebSocket message goes over REST.
        """
        params = {"requests": list(requests)}
        if not self._uses_socket or not self._socket.fits("batch", params):
            return await super().mixed_batch(params["requests"])
        results: list[Json] = (await self._ask("batch", params))["results"]
        return results

    async def cancel_orders(self, order_ids: Iterable[str] = (), client_order_ids: Iterable[str] = ()) -> list[Json]:
        """Cancels 1 to 500 orders by their ids, first those of `order_ids`. The results each have `order` or `error`."""
        params = {"order_ids": list(order_ids), "client_order_ids": list(client_order_ids)}
        if not self._uses_socket or not self._socket.fits("cancel_orders", params):
            return await super().cancel_orders(**params)
        results: list[Json] = (await self._ask("cancel_orders", params))["results"]
        return results

    async def cancel_all_after(self, seconds: int) -> Json:
        """The dead-man timer of the key: cancels all orders of its account after so many seconds, unless called again.

        0 switches it off. The gateway that was asked keeps the timer in memory: it does not survive that gateway.
        """
        if not self._uses_socket:
            return await super().cancel_all_after(seconds)
        return await self._ask("cancel_all_after", {"seconds": seconds}, is_repeatable=True)

    # ------------------------------------------------------------------ orders without waiting

    async def submit_order(self, order: Fields) -> asyncio.Future[Json]:
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

    async def submit_amend(self, changes: Fields) -> asyncio.Future[Json]:
        """Sends an amend over the WebSocket (one of the order's ids and the changes) and returns a future of its reply."""
        await self._connected()
        return await self._socket.send("amend_order", changes)

    # ------------------------------------------------------------------ the WebSocket

    async def connect(self) -> None:
        """Opens the WebSocket, for faster orders. A lost connection is reopened until the client is closed.

        While it is being reopened, `connect` waits.
        """
        await self._socket.open()
        self._uses_socket = True

    async def cancel_on_disconnect(self, enabled: bool, after_close: bool = False) -> Json:
        """Whether the venue cancels all orders of the account when this client's WebSocket is lost; with `after_close` also
        when the client closes it. Connects if there is no connection yet, and holds for each later connection; if the call
        fails, what held before does."""
        await self._connected()
        params = {"enabled": enabled, "after_close": after_close}
        with self._socket.on_each_connection("cancel_on_disconnect", params):
            return await self._ask("cancel_on_disconnect", params, is_repeatable=True)

    def subscribe(self, channels: Sequence[str], symbols: Sequence[str] | None = None, **options: Any) -> Subscription:
        """A subscription to channels (docs/websocket.md): `depth`, `trades` … of some symbols (["*"]: all), `orders` … of
        the account, `alerts` for operators. `options`: `levels` and `interval_ms` of depth, `interval` of candles, `latest`
        of trades.

        Connects if there is no connection yet; resumes or subscribes again after a lost one.
        """
        subscriptions = self._socket.subscriptions
        subscription = Subscription(channels, symbols, subscriptions.remove, options)
        subscriptions.add(subscription)
        return subscription

    async def follow_book(self, symbol: str, **options: Any) -> AsyncIterator[DepthBook]:
        """The book of an instrument after each push of its depth: always the same object, which changes with the next push.

        Where a push is missing or the checksum differs from the venue's, it subscribes again, and goes on with a snapshot.
        `options` are those of `subscribe`.
        """
        book = DepthBook()
        while True:
            with suppress(OutOfStep):
                async with self.subscribe(["depth"], [symbol], **options) as pushes:
                    async for push in pushes:
                        book.apply(push)
                        yield book
                return

    async def subscriptions(self) -> list[Json]:
        """What the venue says the WebSocket is subscribed to, each as `subscribe` takes it."""
        await self._connected()
        listed: list[Json] = (await self._ask("subscriptions", {}, is_repeatable=True))["subscriptions"]
        return listed

    async def ping(self) -> Json:
        """The venue's time and seq, over the WebSocket."""
        await self._connected()
        return await self._ask("ping", {}, is_repeatable=True)

    async def _connected(self) -> None:
        if not self._uses_socket:
            await self.connect()

    async def _ask(self, method: str, params: Any, *, is_repeatable: bool = False) -> Json:
        async def attempt() -> Json:
            try:
                async with asyncio.timeout(self.timeout_s):
                    return await (await self._socket.send(method, params))
            except TimeoutError as error:
                raise OutcomeUnknown(f"{method}: no reply within {self.timeout_s:g} seconds") from error

        return await self._patiently(attempt, is_repeatable=is_repeatable)

    async def _order_of(self, *, order_id: str | None = None, client_order_id: str | None = None) -> Json:
        if order_id is not None:
            return await self.order(order_id)
        [order] = (await self.orders(client_order_id=client_order_id, limit=1))["orders"]
        found: Json = order
        return found


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
