"""The trader page's account: follows its orders, fills and balances, and places, amends and cancels its orders."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from services.client import RexClient, Unreachable
from services.dashboard.connection import keep_connected

Json = dict[str, Any]

FILLS = 50
"""The number of recent fills that are kept."""

ENDED = 20
"""The number of recent orders that are kept after they ended without being filled."""

_ACCOUNT_SECONDS = 5.0
"""The interval at which the balances are fetched while no order changes."""

_OPEN = ("new", "partially_filled")


class Desk:
    """One account, followed through its private WebSocket channel and shared by all pages of the process."""

    def __init__(self, url: Callable[[], str], key: str) -> None:
        self._url = url
        self._key = key
        self._client: RexClient | None = None
        self._moved = asyncio.Event()
        self.problem: str | None = "not connected yet"
        self.account: Json | None = None
        self.orders: dict[str, Json] = {}
        """Open orders by order_id."""
        self.ended: dict[str, Json] = {}
        """Recent orders that were rejected, canceled or expired, by order_id, oldest first."""
        self.fills: list[Json] = []
        """Newest first."""

    async def run(self) -> None:
        """Follows the account until it is canceled; connects again after a failure."""
        await keep_connected(lambda: RexClient(self._url(), self._key), self._follow, self._say)

    async def place(self, request: Json) -> Json:
        """Places the order and returns its current state. Raises RexError or ConnectionError."""
        return await self._connected().place_order(request)

    async def amend(self, order_id: str, changes: Json) -> Json:
        """Amends the order and returns its current state. Raises RexError (the order is unchanged) or ConnectionError."""
        return await self._connected().amend_order(order_id=order_id, **changes)

    async def cancel(self, order_id: str) -> Json:
        """Cancels the order and returns its current state. Raises RexError or ConnectionError."""
        return await self._connected().cancel_order(order_id=order_id)

    async def cancel_all(self, symbol: str) -> int:
        """Cancels every open order in an instrument, or in all (`*`). Returns their number. Raises RexError or
        ConnectionError."""
        canceled: int = (await self._connected().mass_cancel(symbol))["canceled"]
        return canceled

    def resting_prices(self, symbol: str) -> set[tuple[str, str]]:
        """(side, price) of the account's orders in an instrument's book. A stop that has not been triggered is not in it."""
        mine = [
            order for order in self.orders.values() if order["symbol"] == symbol and order["triggered"] is not False
        ]
        return {(order["side"], order["price"]) for order in mine}

    def _connected(self) -> RexClient:
        if self._client is None:
            raise Unreachable(f"no connection to the venue: {self.problem}")
        return self._client

    def _say(self, problem: str) -> None:
        self._client, self.problem = None, problem

    async def _follow(self, client: RexClient) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear(client))
            tasks.create_task(self._balance(client))

    async def _hear(self, client: RexClient) -> None:
        async for push in client.subscribe(["orders"]):
            data = push["data"]
            if push["type"] == "snapshot":
                await self._begin(client)
            for order in data["orders"]:
                self._take(order)
            # Fills that were fetched after a snapshot may be pushed again.
            fills = [*reversed(data["fills"]), *self.fills]
            self.fills = list({(fill["trade_id"], fill["order_id"]): fill for fill in fills}.values())[:FILLS]
            busted = {bust["trade_id"] for bust in data["busts"]}
            self.fills = [fill | {"busted": True} if fill["trade_id"] in busted else fill for fill in self.fills]
            self._moved.set()

    async def _begin(self, client: RexClient) -> None:
        self.orders.clear()
        self.fills = (await client.fills(limit=FILLS))["fills"]
        for order in reversed((await client.orders("closed", limit=ENDED))["orders"]):
            self._take(order)
        self._client, self.problem = client, None

    def _take(self, order: Json) -> None:
        order_id = order["order_id"]
        self.orders.pop(order_id, None)
        if order["state"] in _OPEN:
            self.orders[order_id] = order
        elif order["state"] != "filled":
            self.ended.pop(order_id, None)
            self.ended[order_id] = order
            while len(self.ended) > ENDED:
                del self.ended[next(iter(self.ended))]

    async def _balance(self, client: RexClient) -> None:
        while True:
            self._moved.clear()
            self.account = await client.account()
            # The private channel does not report deposits and the account's kill switch.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ACCOUNT_SECONDS):
                    await self._moved.wait()
