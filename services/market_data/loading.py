"""Loads the market from the read database: depth from its levels; tape, ticker and candles from the current day's trades."""

from __future__ import annotations

from sqlalchemy import Row as Record
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from matching_engine.records import Phase
from services.market_data.instrument_market import RECENT_TRADES, InstrumentMarket
from services.market_data.market import Market
from services.market_data.reading import read_minutes
from services.market_data.trade import MarketTrade
from services.read_model.tables import instruments, levels, position, total, trades


async def load_market(read_database: AsyncEngine) -> Market:
    """The market at the read database's position; an empty one before the projector's first transaction."""
    market = Market()
    async with read_database.connect() as connection:
        current = (
            await connection.execute(select(position.c.seq, position.c.time_ns, position.c.trading_date))
        ).first()
        if current is None:
            return market
        market.seq, market.time_ns, market.trading_date = current.seq, current.time_ns, current.trading_date
        for row in await connection.execute(select(instruments).order_by(instruments.c.instrument)):
            quotation = InstrumentMarket(row.band_ppm, row.reference_ticks, market.seq, row.phase)
            quotation.auction_ends_ns = row.auction_ends_ns
            market.of_instrument.append(quotation)
        await _load_depth(market, connection)
        for instrument, quotation in enumerate(market.of_instrument):
            await _load_day(quotation, instrument, market.trading_date, connection)
        today = trades.c.trading_date == market.trading_date
        for instrument, start_s, candle in await read_minutes(connection, today):
            market.of_instrument[instrument].candles.minutes[start_s] = candle
    return market


async def _load_depth(market: Market, connection: AsyncConnection) -> None:
    for row in await connection.execute(select(levels)):
        market.of_instrument[row.instrument].side(row.side).set(row.price_ticks, row.quantity_lots, row.orders)


async def _load_day(quotation: InstrumentMarket, instrument: int, date: int, connection: AsyncConnection) -> None:
    today = (trades.c.trading_date == date) & (trades.c.instrument == instrument)
    # A busted trade does not count, but its price stays in open, high, low and last.
    prices = (func.max(trades.c.price_ticks), func.min(trades.c.price_ticks), func.min(trades.c.trade_id))
    found = await connection.execute(select(*prices, func.max(trades.c.busted_seq)).where(today))
    high_ticks, low_ticks, first_id, last_bust_seq = found.one()
    if first_id is None:
        return
    newest = select(trades).where(today).order_by(trades.c.trade_id.desc()).limit(RECENT_TRADES)
    for row in reversed(list(await connection.execute(newest))):
        quotation.add_trade(_market_trade(row))
    # A bust changes tape and ticker, too: who resumes the trades from before it must be told of it.
    quotation.trades_seq = quotation.ticker_seq = max(quotation.trades_seq, last_bust_seq or 0)
    first = select(trades.c.price_ticks).where(trades.c.trade_id == first_id)
    quotation.open_ticks = (await connection.execute(first)).scalar_one()
    quotation.high_ticks, quotation.low_ticks = high_ticks, low_ticks
    totals = select(func.count(), total(trades.c.quantity_lots), total(trades.c.amount_fen))
    stands = today & trades.c.busted_seq.is_(None)
    count, quantity_lots, amount_fen = (await connection.execute(totals.where(stands))).one()
    quotation.trades, quotation.volume_lots, quotation.turnover_fen = count, quantity_lots or 0, amount_fen or 0


def _market_trade(row: Record[tuple[object, ...]]) -> MarketTrade:
    return MarketTrade(
        trade_id=row.trade_id,
        price_ticks=row.price_ticks,
        quantity_lots=row.quantity_lots,
        amount_fen=row.amount_fen,
        taker_side=row.taker_side,
        time_ns=row.time_ns,
        seq=row.seq,
        is_auction=row.phase == Phase.CALL_AUCTION,
        is_busted=row.busted_seq is not None,
    )
