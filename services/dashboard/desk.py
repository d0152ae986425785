"""The account that a person trades with from the pages: its open orders, fills and balances, and how to place and cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from services.client import RexClient, Unreachable
from services.dashboard.connection import keep_connected

Json = dict[str, Any]

FILLS = 50
"""How many of the last fills are kept."""

_OPEN = ("new", "partially_filled")


class Desk:
    """One account, followed through its private channel. All pages of a process share it, as people share a desk."""

    def __init__(self, url: Callable[[], str], key: str) -> None:
        self._url = url
        self._key = key
        self._client: RexClient | None = None
        self._moved = asyncio.Event()
        self.problem: str | None = "not connected yet"
        self.account: Json | None = None
        self.orders: dict[str, Json] = {}
        """Open orders by order_id."""
        self.fills: list[Json] = []
        """Newest first."""

    async def run(self) -> None:
        """Follows the account until it is canceled; a lost connection is made anew."""
        await keep_connected(lambda: RexClient(self._url(), self._key), self._follow, self._say)

    async def place(self, request: Json) -> Json:
        """Places the order and returns it as it stands; raises RexError or ConnectionError."""
        return await self._connected().place_order(request)

    async def cancel(self, order_id: str) -> Json:
        """Cancels the order and returns it as it stands; raises RexError or ConnectionError."""
        return await self._connected().cancel_order(order_id=order_id)

    def resting_prices(self, symbol: str) -> set[tuple[str, str]]:
        """Where own orders rest in an instrument: (side, price)."""
        return {(order["side"], order["price"]) for order in self.orders.values() if order["symbol"] == symbol}

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
            if push["type"] == "snapshot":
                self.orders.clear()
                self.fills = (await client.fills(limit=FILLS))["fills"]
                self._client, self.problem = client, None
            for order in push["data"]["orders"]:
                if order["state"] in _OPEN:
                    self.orders[order["order_id"]] = order
                else:
                    self.orders.pop(order["order_id"], None)
            # What was fetched after a snapshot may be pushed once more.
            fills = [*reversed(push["data"]["fills"]), *self.fills]
            self.fills = list({(fill["trade_id"], fill["order_id"]): fill for fill in fills}.values())[:FILLS]
            self._moved.set()

    async def _balance(self, client: RexClient) -> None:
        while True:
            self._moved.clear()
            self.account = await client.account()
            await self._moved.wait()
