"""What the market asks the read database: minutes without busted trades, and the net turnover of day and year."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.market_data.candles import MINUTE_S, Candle, CorrectedMinute
from services.read_model.tables import daily_turnover, position, total, trades

_MINUTE_NS = MINUTE_S * 10**9


class NetTurnover(NamedTuple):
    """The net turnover of the trading day and of its calendar year in fen, single-sided, after the command `seq`: without
    trades that were busted or do not count by decision."""

    seq: int
    trading_date: int
    day_fen: int
    year_fen: int


class MarketReads:
    """Reads the read database once it has applied the journal up to a command."""

    def __init__(self, read_database: AsyncEngine, projected: Callable[[int], Awaitable[None]]) -> None:
        self._read_database = read_database
        self._projected = projected

    async def corrected_minute(self, trade_id: int, seq: int) -> CorrectedMinute:
        """The minute of a trade that the command `seq` busted. Raises what `projected` raises, and the database's errors."""
        await self._projected(seq)
        async with self._read_database.connect() as connection:
            current = (await connection.execute(select(position.c.seq))).scalar_one()
            busted = (await connection.execute(select(trades).where(trades.c.trade_id == trade_id))).one()
            start_s = busted.time_ns // _MINUTE_NS * MINUTE_S
            of_minute = (
                (trades.c.trading_date == busted.trading_date)
                & (trades.c.instrument == busted.instrument)
                & trades.c.time_ns.between(start_s * 10**9, start_s * 10**9 + _MINUTE_NS - 1)
            )
            minutes = await read_minutes(connection, of_minute)
        candle = minutes[0].candle if minutes else None
        return CorrectedMinute(busted.trading_date, start_s, candle, current)

    async def net_turnover(self, seq: int) -> NetTurnover:
        """The figure after the command `seq`, or a later one. Raises as `corrected_minute` does."""
        await self._projected(seq)
        async with self._read_database.connect() as connection:
            current = (await connection.execute(select(position.c.seq, position.c.trading_date))).one()
            year = current.trading_date // 10_000 * 10_000
            day = daily_turnover.c.trading_date
            by_day = (
                select(day, total(daily_turnover.c.amount_fen)).where(day.between(year, year + 9_999)).group_by(day)
            )
            net_by_day: dict[int, int] = dict(iter(await connection.execute(by_day)))
        day_fen = net_by_day.get(current.trading_date, 0)
        return NetTurnover(current.seq, current.trading_date, day_fen, sum(net_by_day.values()))


class Minute(NamedTuple):
    """A candle of one minute."""

    instrument: int
    start_s: int
    candle: Candle


async def read_minutes(connection: AsyncConnection, which: ColumnElement[bool]) -> list[Minute]:
    """The minutes of these trades, without busted ones, oldest first."""
    columns, minute = trades.c, (trades.c.time_ns // _MINUTE_NS).label("minute")
    sums = (
        select(
            columns.instrument,
            minute,
            func.max(columns.price_ticks).label("high_ticks"),
            func.min(columns.price_ticks).label("low_ticks"),
            total(columns.quantity_lots).label("quantity_lots"),
            total(columns.amount_fen).label("amount_fen"),
            func.count().label("trades"),
            func.min(columns.trade_id).label("first_id"),
            func.max(columns.trade_id).label("last_id"),
        )
        .where(which & columns.busted_seq.is_(None))
        .group_by(columns.instrument, minute)
        .subquery()
    )
    first, last = trades.alias(), trades.alias()
    rows = await connection.execute(
        select(sums, first.c.price_ticks.label("open_ticks"), last.c.price_ticks.label("close_ticks"))
        .join(first, first.c.trade_id == sums.c.first_id)
        .join(last, last.c.trade_id == sums.c.last_id)
        .order_by(sums.c.minute)
    )
    return [
        Minute(
            row.instrument,
            row.minute * MINUTE_S,
            Candle(
                row.open_ticks,
                row.high_ticks,
                row.low_ticks,
                row.close_ticks,
                row.quantity_lots,
                row.amount_fen,
                row.trades,
            ),
        )
        for row in rows
    ]
