"""The market out of the read database: open orders make the depth, today's trades the tape and the ticker."""

from __future__ import annotations

from sqlalchemy import Row as Record
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.market_data.market import Market
from services.market_data.quotation import RECENT_TRADES, MarketTrade, Quotation
from services.read_database.tables import instruments, orders, position, trades


async def load_market(read_database: AsyncEngine) -> Market:
    """The market at the read database's position; an empty one where nothing was projected yet."""
    market = Market()
    async with read_database.connect() as connection:
        where = (await connection.execute(select(position.c.seq, position.c.trading_date))).first()
        if where is None:
            return market
        market.seq, market.trading_date = where
        for row in await connection.execute(select(instruments).order_by(instruments.c.instrument)):
            quotation = Quotation(row.band_ppm, row.reference_ticks, market.seq, row.phase)
            market.quotations.append(quotation)
        await _load_depth(market, connection)
        for instrument, quotation in enumerate(market.quotations):
            await _load_day(quotation, instrument, market.trading_date, connection)
    return market


async def _load_depth(market: Market, connection: AsyncConnection) -> None:
    open_lots = func.sum(orders.c.leaves_lots), func.count()
    place = orders.c.instrument, orders.c.side, orders.c.price_ticks
    query = select(*place, *open_lots).where(orders.c.leaves_lots > 0).group_by(*place)
    for instrument, side, price_ticks, quantity_lots, count in await connection.execute(query):
        market.quotations[instrument].side(side).set(price_ticks, quantity_lots, count)


async def _load_day(quotation: Quotation, instrument: int, date: int, connection: AsyncConnection) -> None:
    today = (trades.c.trading_date == date) & (trades.c.instrument == instrument)
    totals = (
        await connection.execute(
            select(
                func.count(),
                func.sum(trades.c.quantity_lots),
                func.sum(trades.c.amount_fen),
                func.max(trades.c.price_ticks),
                func.min(trades.c.price_ticks),
                func.min(trades.c.trade_id),
            ).where(today)
        )
    ).one()
    if not totals[0]:
        return
    newest = select(trades).where(today).order_by(trades.c.trade_id.desc()).limit(RECENT_TRADES)
    tape = list(await connection.execute(newest))
    for row in reversed(tape):
        quotation.add_trade(_market_trade(row))
    first = select(trades.c.price_ticks).where(trades.c.trade_id == totals[5])
    quotation.open_ticks = (await connection.execute(first)).scalar_one()
    quotation.trades, quotation.volume_lots, quotation.turnover_fen = totals[0], int(totals[1]), int(totals[2])
    quotation.high_ticks, quotation.low_ticks = totals[3], totals[4]


def _market_trade(row: Record[tuple[object, ...]]) -> MarketTrade:
    return MarketTrade(
        row.trade_id, row.price_ticks, row.quantity_lots, row.amount_fen, row.taker_side, row.time_ns, row.seq
    )
