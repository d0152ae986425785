"""The days of a year, from `daily_turnover`: what the year's figure is made of."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_database.tables import daily_turnover, total
from services.reporting.drill import links
from services.reporting.drill.documents import amounts
from services.reporting.drill.filters import instrument_of
from services.reporting.drill.schemas import TradingDay, YearDays
from services.reporting.drill.trade_pages import TradeSum
from services.reporting.queries import Values, read_position
from services.reporting.requests import recorded
from services.values.times import date_text

_DAY = daily_turnover.c
_SUMS = ("trades", "amount_fen", "busted", "busted_fen", "excluded", "excluded_fen", "prevented")


async def read_year_days(connection: AsyncConnection, year: int, product: str | None) -> YearDays:
    """The days of a year with trades, busted and excluded ones included, or prevented self-trades; of one product or of all."""
    position = recorded(await read_position(connection))
    query = select(_DAY.trading_date, *(total(_DAY[name]).label(name) for name in _SUMS))
    query = query.where(_DAY.trading_date.between(year * 10_000, year * 10_000 + 9_999))
    if product is not None:
        query = query.where(_DAY.instrument == await instrument_of(connection, product))
    rows = await connection.execute(query.group_by(_DAY.trading_date).order_by(_DAY.trading_date))
    found = {row["trading_date"]: row for row in rows.mappings() if any(row[name] for name in _SUMS)}
    sums = {date: _sum(row) for date, row in found.items()}
    return YearDays(
        year=year,
        product=product,
        **amounts(sum(sums.values(), TradeSum())),
        days=tuple(_day(date_text(date), one, product) for date, one in sums.items()),
        seq=position["seq"],
        links={"report": links.report(year), "trades": links.trades(year=year, product=product)},
    )


def _day(date: str, found: TradeSum, product: str | None) -> TradingDay:
    addresses = {"trades": links.trades(date=date, product=product), "bulletin": links.bulletin(date)}
    return TradingDay(date=date, **amounts(found), links=addresses)


def _sum(row: Values) -> TradeSum:
    return TradeSum(
        trades=row["trades"] + row["busted"] + row["excluded"],
        gross_fen=row["amount_fen"] + row["busted_fen"] + row["excluded_fen"],
        busted_trades=row["busted"],
        busted_fen=row["busted_fen"],
        excluded_trades=row["excluded"],
        excluded_fen=row["excluded_fen"],
    )
