"""Orders and fills from the read database, newest first.

Every query first waits until the read database has reached the seq of the gateway's state, so that it is never behind an answer
that the gateway has given.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.problems import field_problem
from services.read_database.tables import orders, trades
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState

LAST_ID = 2**63 - 1

Projected = Callable[[int], Awaitable[None]]
"""Returns when the read database has reached a sequence number."""


def cursor_text(last_id: int) -> str:
    """The cursor of the page after `last_id`: opaque to clients, 11 characters of base64."""
    return base64.urlsafe_b64encode(last_id.to_bytes(8, "big")).decode().rstrip("=")


def cursor_id(cursor: str | None) -> int:
    """The id in a cursor, LAST_ID without a cursor; raises a 422 problem for a text that is no cursor of this venue."""
    if cursor is None:
        return LAST_ID
    try:
        decoded = base64.b64decode(f"{cursor}=", b"-_", validate=True)
    except ValueError:
        decoded = b""
    if len(decoded) != 8 or (last_id := int.from_bytes(decoded, "big")) > LAST_ID:
        raise field_problem("invalid_cursor", "cursor", "is not one that this venue gave out")
    return last_id


class OrderHistory:
    """Queries about past orders and fills. `account` None means all accounts (operators)."""

    def __init__(self, state: VenueState, read_database: AsyncEngine, projected: Projected) -> None:
        self._state = state
        self._read_database = read_database
        self._projected = projected

    async def order(self, order_id: int) -> VenueOrder | None:
        """The order with this id, from memory or else from the read database; None where no such order exists."""
        known = self._state.orders.get(order_id)
        if known is not None:
            return known
        found = await self._rows(select(orders).where(orders.c.order_id == order_id))
        return VenueOrder.from_columns(found[0]) if found else None

    async def orders(
        self,
        account: int | None,
        *,
        is_open: bool | None = None,
        instrument: int | None = None,
        client_order_id: str | None = None,
        before_id: int = LAST_ID,
        limit: int,
    ) -> list[VenueOrder]:
        """Up to `limit` orders with ids below `before_id`, newest first."""
        query = select(orders).where(orders.c.order_id < before_id)
        if account is not None:
            query = query.where(orders.c.account == account)
        if is_open is not None:
            query = query.where(orders.c.leaves_lots > 0 if is_open else orders.c.leaves_lots == 0)
        if instrument is not None:
            query = query.where(orders.c.instrument == instrument)
        if client_order_id is not None:
            query = query.where(orders.c.client_order_id == client_order_id)
        found = await self._rows(query.order_by(orders.c.order_id.desc()).limit(limit))
        return [self._with_reason_text(VenueOrder.from_columns(row)) for row in found]

    def _with_reason_text(self, order: VenueOrder) -> VenueOrder:
        """Adds the numbers of a refusal, which the read database does not store, where the order is still in memory."""
        known = self._state.orders.ended.get(order.order_id)
        order.reason_text = None if known is None else known.reason_text
        return order

    async def fills(
        self, account: int | None, *, instrument: int | None = None, before_id: int, limit: int
    ) -> list[Mapping[Any, Any]]:
        """Up to `limit` trades with ids below `before_id`, newest first, each with the client_order_id of maker and taker."""
        maker, taker = orders.alias("maker"), orders.alias("taker")
        query = (
            select(
                trades,
                maker.c.client_order_id.label("maker_client_order_id"),
                taker.c.client_order_id.label("taker_client_order_id"),
            )
            .join(maker, maker.c.order_id == trades.c.maker_order_id)
            .join(taker, taker.c.order_id == trades.c.taker_order_id)
            .where(trades.c.trade_id < before_id)
        )
        if account is not None:
            query = query.where(or_(trades.c.taker_account == account, trades.c.maker_account == account))
        if instrument is not None:
            query = query.where(trades.c.instrument == instrument)
        return await self._rows(query.order_by(trades.c.trade_id.desc()).limit(limit))

    async def _rows(self, query: Select[Any]) -> list[Mapping[Any, Any]]:
        await self._projected(self._state.last_seq)
        async with self._read_database.connect() as connection:
            return list((await connection.execute(query)).mappings())
