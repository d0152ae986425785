"""An instrument's trades of any day, one trade by its id, and an account's own trades: pages that indexes find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.spans import Span, dates_of, seq_conditions
from services.read_model.tables import daily_turnover, orders, trades, trading_days

Row = Mapping[Any, Any]

TRADE_BITS = 20
"""A trade's id is the seq of its command, shifted by these bits, plus a number."""


class ListPage(NamedTuple):
    """Which part of a list: after the id `beyond` in the order of reading, or from its beginning."""

    limit: int
    beyond: int | None = None
    oldest_first: bool = False

    def after(self, column: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """The condition on the column of ids."""
        if self.beyond is None:
            return []
        return [column > self.beyond if self.oldest_first else column < self.beyond]

    def order(self, column: ColumnElement[int]) -> Any:
        """The order of the column of ids."""
        return column if self.oldest_first else column.desc()


async def read_trade(connection: AsyncConnection, trade_id: int) -> Row | None:
    """The trade with this id."""
    return (await connection.execute(select(trades).where(trades.c.trade_id == trade_id))).mappings().one_or_none()


async def read_trades(
    connection: AsyncConnection, instrument: int, span: Span, page: ListPage, *, date: int | None = None
) -> list[Row]:
    """A page of the instrument's trades, of the whole past, a span of time or a trading date."""
    dates = await _traded_dates(connection, instrument, span, page, date)
    query = select(trades).where(trades.c.instrument == instrument, trades.c.trading_date.in_(dates))
    query = query.where(*span.conditions(trades.c.time_ns), *page.after(trades.c.trade_id)).order_by(
        page.order(trades.c.trade_id)
    )
    return list((await connection.execute(query.limit(page.limit))).mappings())


async def _traded_dates(
    connection: AsyncConnection, instrument: int, span: Span, page: ListPage, date: int | None
) -> list[int]:
    """The days of which the page can have trades. The first of them may have none: only a part of it is asked for."""
    first, last = (date, date) if date is not None else await dates_of(connection, span)
    if page.beyond is not None:
        begun = select(func.max(trading_days.c.trading_date)).where(
            trading_days.c.first_seq <= page.beyond >> TRADE_BITS
        )
        at = await connection.scalar(begun) or 0
        first, last = (max(at, first or 0), last) if page.oldest_first else (first, min(at, last or at))
    day = daily_turnover.c
    query = select(day.trading_date, day.trades + day.busted + day.excluded).where(day.instrument == instrument)
    if first is not None:
        query = query.where(day.trading_date >= first)
    if last is not None:
        query = query.where(day.trading_date <= last)
    found: list[int] = []
    counted = 0
    for trading_date, number in await connection.execute(query.order_by(page.order(day.trading_date))):
        counted += number if found else 0
        found.append(trading_date)
        if counted >= page.limit:
            break
    return found


async def read_fills(
    connection: AsyncConnection,
    account: int,
    span: Span,
    page: ListPage,
    *,
    instrument: int | None = None,
    order_id: int | None = None,
) -> list[Row]:
    """A page of the account's trades, each with the client_order_id of maker and taker. `order_id` is one of the account's."""
    trade_id = trades.c.trade_id
    conditions = [*span.conditions(trades.c.time_ns), *page.after(trade_id), *await _of_order(connection, order_id)]
    conditions += await seq_conditions(connection, span, trade_id, TRADE_BITS)
    if instrument is not None:
        conditions.append(trades.c.instrument == instrument)
    parts = []
    for role in ("taker", "maker"):
        own = [trades.c[f"{role}_account"] == account]
        own += [] if order_id is None else [trades.c[f"{role}_order_id"] == order_id]
        part = select(trades.c.trade_id).where(*own, *conditions).order_by(page.order(trades.c.trade_id))
        parts.append(select(part.limit(page.limit).subquery()))
    ids = union_all(*parts).subquery()
    maker, taker = orders.alias("maker"), orders.alias("taker")
    query = (
        select(
            trades,
            maker.c.client_order_id.label("maker_client_order_id"),
            taker.c.client_order_id.label("taker_client_order_id"),
        )
        .join(maker, maker.c.order_id == trades.c.maker_order_id)
        .join(taker, taker.c.order_id == trades.c.taker_order_id)
        .where(trades.c.trade_id.in_(select(ids.c.trade_id)))
        .order_by(page.order(trades.c.trade_id))
        .limit(page.limit)
    )
    return list((await connection.execute(query)).mappings())


async def _of_order(connection: AsyncConnection, order_id: int | None) -> list[ColumnElement[bool]]:
    """Bounds of the ids of an order's trades: from its entry to its last change."""
    if order_id is None:
        return []
    last = await connection.scalar(select(orders.c.updated_seq).where(orders.c.order_id == order_id)) or 0
    return [trades.c.trade_id >= order_id << TRADE_BITS, trades.c.trade_id < (last + 1) << TRADE_BITS]
