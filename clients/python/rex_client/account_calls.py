"""The routes of an account and of whoever is logged in as methods."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from rex_client.calls import Calls, Json, Time

Oldest = Literal["newest", "oldest"]
"""Which entries of a list come first."""


class AccountCalls(Calls):
    """Own orders, fills, balances and their history, over REST.

    A list comes in pages: pass `next_cursor` of a page as `cursor`, with the same conditions. `start` (from then on) and `end`
    (before it) are aware datetimes or RFC 3339; `account` is for operators.
    """

    async def order(self, order_id: str) -> Json:
        """One order as it stands."""
        return await self._object("GET", f"/v1/orders/{quote(order_id, safe='')}")

    async def orders(
        self,
        state: str = "all",
        *,
        symbol: str | None = None,
        client_order_id: str | None = None,
        account: int | None = None,
        start: Time | None = None,
        end: Time | None = None,
        order: Oldest | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Json:
        """One page of orders: `orders` and `next_cursor`. `state` is open, closed or all; `start` and `end`
        are about when they were placed."""
        query = {"state": state, "symbol": symbol, "client_order_id": client_order_id, "account": account}
        page = {"start": start, "end": end, "order": order, "limit": limit, "cursor": cursor}
        return await self._object("GET", "/v1/orders", query=query | page)

    async def fills(
        self,
        *,
        symbol: str | None = None,
        order_id: str | None = None,
        account: int | None = None,
        start: Time | None = None,
        end: Time | None = None,
        order: Oldest | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Json:
        """One page of fills: `fills` and `next_cursor`."""
        query = {"symbol": symbol, "order_id": order_id, "account": account}
        page = {"start": start, "end": end, "order": order, "limit": limit, "cursor": cursor}
        return await self._object("GET", "/v1/fills", query=query | page)

    async def account(self, account: int | None = None) -> Json:
        """Cash, holdings and limits of the key's own account; operators name one."""
        return await self._object("GET", "/v1/account", query={"account": account})

    async def ledger(
        self,
        *,
        account: int | None = None,
        start: Time | None = None,
        end: Time | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        order: Oldest | None = None,
    ) -> Json:
        """One page of the changes of cash, reserves and goods, each with the balances after it: `lines` and `next_cursor`."""
        query = {"account": account, "start": start, "end": end, "cursor": cursor, "limit": limit, "order": order}
        return await self._object("GET", "/v1/account/ledger", query=query)

    async def cash_movements(
        self,
        *,
        account: int | None = None,
        start: Time | None = None,
        end: Time | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        order: Oldest | None = None,
    ) -> Json:
        """One page of deposits and withdrawals (negative amounts): `cash_movements` and `next_cursor`."""
        query = {"account": account, "start": start, "end": end, "cursor": cursor, "limit": limit, "order": order}
        return await self._object("GET", "/v1/account/cash_movements", query=query)

    async def session(self) -> Json:
        """Who the key or the session is of: name, role (null: a key), scopes, account."""
        return await self._object("GET", "/v1/session")
