"""The days of a year, from `daily_turnover`: what the year's figure is made of. And a sum of trades, for pages of them, too."""

from __future__ import annotations

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.tables import daily_turnover, total
from services.reporting.documents import Date, Sums, Yuan
from services.reporting.drill import links
from services.reporting.drill.filters import instrument_of
from services.reporting.queries import Values, dates_of, read_position
from services.reporting.requests import recorded
from services.values.times import date_text

_DAY = daily_turnover.c
_SUMS = ("trades", "amount_fen", "busted", "busted_fen", "excluded", "excluded_fen", "prevented")


class Amounts(Sums):
    """A sum of trades, each counted once: net = gross − busted − excluded."""

    net_fen: Yuan
    gross_fen: Yuan
    busted_fen: Yuan
    excluded_fen: Yuan
    trades: int = Field(description="Number of trades that count.")
    busted_trades: int
    excluded_trades: int


class TradingDay(Amounts):
    """The turnover of a trading day."""

    trading_date: Date = Field(serialization_alias="date")
    links: dict[str, str] = Field(description="`trades`, `bulletin`")


class YearDays(Amounts):
    """The turnover of a year, or of one product in it, by trading day."""

    year: int
    product: str | None
    days: tuple[TradingDay, ...] = Field(description="The days with trades, or with prevented self-trades, by date.")
    seq: int = Field(description="Sequence number that the read database had reached.")
    links: dict[str, str] = Field(description="`report`, `trades`")


async def read_year_days(connection: AsyncConnection, year: int, product: str | None) -> YearDays:
    """The days of a year with trades, busted and excluded ones included, or prevented self-trades; of one product or of all."""
    position = recorded(await read_position(connection))
    query = select(_DAY.trading_date, *(total(_DAY[name]).label(name) for name in _SUMS))
    query = query.where(_DAY.trading_date.between(*dates_of(year)))
    if product is not None:
        query = query.where(_DAY.instrument == await instrument_of(connection, product))
    rows = await connection.execute(query.group_by(_DAY.trading_date).order_by(_DAY.trading_date))
    days = tuple(_day(row, product) for row in rows.mappings() if any(row[name] for name in _SUMS))
    return YearDays(
        **vars(Amounts.total(days)),
        year=year,
        product=product,
        days=days,
        seq=position["seq"],
        links={"report": links.report(year), "trades": links.trades(year=year, product=product)},
    )


def _day(row: Values, product: str | None) -> TradingDay:
    date = date_text(row["trading_date"])
    return TradingDay(
        net_fen=row["amount_fen"],
        gross_fen=row["amount_fen"] + row["busted_fen"] + row["excluded_fen"],
        busted_fen=row["busted_fen"],
        excluded_fen=row["excluded_fen"],
        trades=row["trades"],
        busted_trades=row["busted"],
        excluded_trades=row["excluded"],
        trading_date=row["trading_date"],
        links={"trades": links.trades(date=date, product=product), "bulletin": links.bulletin(date)},
    )
