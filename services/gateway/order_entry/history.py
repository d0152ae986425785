"""The past out of the read database, never behind an answer that the gateway has given: orders and fills."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.read_model.past_trades import ListPage, read_fills
from services.read_model.spans import ALWAYS, Span, seq_conditions
from services.read_model.tables import orders, trading_days
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState

Projected = Callable[[int], Awaitable[None]]
"""Returns when the read database has reached a sequence number."""


class Past:
    """Opens connections to a read database that has reached the seq of the gateway's state."""

    def __init__(self, state: VenueState, read_database: AsyncEngine, projected: Projected) -> None:
        self._state = state
        self._read_database = read_database
        self._projected = projected

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which all reads are of one position."""
        await self._projected(self._state.last_seq)
        async with self._read_database.connect() as connection:
            yield connection


def past_order(row: Mapping[Any, Any], state: VenueState) -> VenueOrder:
    """The order of a row. It has the numbers of a refusal, which the read database does not store, while it is in memory."""
    order = VenueOrder.from_columns(row)
    known = state.orders.ended.get(order.order_id)
    order.reason_text = None if known is None else known.reason_text
    return order


class OrderHistory:
    """Queries about past orders and fills. `account` None means all accounts (operators)."""

    def __init__(self, state: VenueState, read_database: AsyncEngine, projected: Projected) -> None:
        self._state = state
        self._past = Past(state, read_database, projected)

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
        placed: Span = ALWAYS,
        page: ListPage,
    ) -> list[VenueOrder]:
        """A page of orders, by their ids. `placed`: when."""
        order = orders.c
        query = select(orders).where(*page.after(order.order_id))
        if account is not None:
            query = query.where(order.account == account)
        if is_open is not None:
            query = query.where(order.leaves_lots > 0 if is_open else order.leaves_lots == 0)
        if instrument is not None:
            query = query.where(order.instrument == instrument)
        if client_order_id is not None:
            query = query.where(order.client_order_id == client_order_id)
        if placed != ALWAYS:
            async with self._past.connection() as connection:
                query = query.where(*await seq_conditions(connection, placed, order.order_id))
        query = query.where(*placed.conditions(order.created_ns))
        found = await self._rows(query.order_by(page.order(order.order_id)).limit(page.limit))
        return [past_order(row, self._state) for row in found]

    async def fills(
        self,
        account: int,
        *,
        instrument: int | None = None,
        order_id: int | None = None,
        traded: Span = ALWAYS,
        page: ListPage,
    ) -> list[Mapping[Any, Any]]:
        """A page of trades of an account, by their ids, each with the client_order_id of maker and taker.

        `order_id` is of an order of the account. `traded`: when.
        """
        async with self._past.connection() as connection:
            return await read_fills(connection, account, traded, page, instrument=instrument, order_id=order_id)

    async def day_rolls_since(self, seq: int) -> int:
        """How many trading days began with the command `seq` or after it."""
        found = await self._rows(select(func.count().label("days")).where(trading_days.c.first_seq >= seq))
        return int(found[0]["days"])

    async def _rows(self, query: Select[Any]) -> list[Mapping[Any, Any]]:
        async with self._past.connection() as connection:
            return list((await connection.execute(query)).mappings())
