"""What the year's forecast said at the end of each month, beside how the year ended: how good the forecasts are here.

Each is the forecast of the report of that moment: of what counted then, against the target of then. What was busted or decided
later is not in it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.data.calendar import TradingCalendar
from services.read_model.tables import trading_days
from services.reporting.breakdown.documents import Sealed
from services.reporting.breakdown.reading import month_of
from services.reporting.documents import CalendarSource, Document, Permille, Yuan, seal
from services.reporting.queries import dates_of, read_year
from services.reporting.report import ends_of
from services.reporting.requests import Projected, Year, recorded, waiting_routes
from services.reporting.standing import standing_of
from services.reporting.turns import ReportTurns
from services.reporting.year_as_of import read_year_at_beginning


class PastForecast(Document):
    """The forecast as it was when the last trading day of a month had ended."""

    month: str = Field(description="yyyy-mm.")
    seq: int = Field(
        description="The command that ended the month: `GET /v1/reports/turnover/{year}?seq=` is the report with this forecast."
    )
    days_left: int = Field(description="Trading days of the year that were left.")
    net_fen: Yuan = Field(description="Net turnover as it was then.")
    target_fen: Yuan = Field(description="The target as it was then.")
    p10_fen: Yuan | None
    p50_fen: Yuan | None
    p90_fen: Yuan | None
    reach: Permille | None = Field(description="Probability of reaching the target, as a fraction: `0.873`.")
    too_early: bool = Field(description="Whether the range was too wide to go by.")
    held: bool | None = Field(
        description="Whether the year ended between p10 and p90; null of a year that has not ended, and without a forecast."
    )


class PastForecastsReport(Sealed):
    """The forecasts at the ends of the year's months, and the year's end."""

    calendar: CalendarSource
    net_fen: Yuan = Field(description="Net turnover of the year as it is now.")
    has_ended: bool = Field(description="Whether the year's last trading day has ended: `net` is what was forecast.")
    forecasts: tuple[PastForecast, ...] = Field(
        description="Of the months that have ended, but for the year's last one: at its end no day is left."
    )


def router(
    read_database: AsyncEngine, calendar: TradingCalendar, projected: Projected, turns: ReportTurns | None = None
) -> APIRouter:
    """The route; the gateway that includes it checks the key."""
    routes = waiting_routes(projected, turns)

    @routes.get(
        "/turnover/{year}/forecasts",
        summary="The scorecard of the forecast: what it said at the end of each month, and how the year ended",
    )
    async def forecasts(year: Year) -> PastForecastsReport:
        async with read_database.connect() as connection:
            return await _read(connection, year, calendar)

    return routes


async def _read(connection: AsyncConnection, year: int, calendar: TradingCalendar) -> PastForecastsReport:
    now = recorded(await read_year(connection, year))
    net_fen = sum(now.net_by_day.values())
    has_ended = now.position["trading_date"] > dates_of(year)[1]
    ends = await _month_ends(connection, year)
    said = [await _forecast(connection, year, calendar, end, net_fen if has_ended else None) for end in ends]
    return PastForecastsReport(
        year=year,
        **seal(now.position),
        calendar=calendar.source(year),
        net_fen=net_fen,
        has_ended=has_ended,
        forecasts=tuple(one for one in said if one is not None),
    )


class _MonthEnd(NamedTuple):
    day: int
    next_day: int
    seq: int
    """Of the command that began the next day."""


async def _month_ends(connection: AsyncConnection, year: int) -> list[_MonthEnd]:
    day = trading_days.c
    of_year = select(day.trading_date, day.first_seq).where(day.trading_date.between(*dates_of(year)))
    days = (await connection.execute(of_year.order_by(day.trading_date))).all()
    return [
        _MonthEnd(one.trading_date, following.trading_date, following.first_seq)
        for one, following in pairwise(days)
        if month_of(one.trading_date) != month_of(following.trading_date)
    ]


async def _forecast(
    connection: AsyncConnection, year: int, calendar: TradingCalendar, end: _MonthEnd, ended_fen: int | None
) -> PastForecast | None:
    """The forecast at the month's end; none where no day of the year was left. `ended_fen` is what the year ended at."""
    standing = standing_of(year, await read_year_at_beginning(connection, year, end.next_day, end.seq), calendar)
    forecast, progress = standing.outlook.forecast, standing.progress
    if forecast is None:
        return None
    year_end = forecast.year_end
    held = None if ended_fen is None or year_end is None else year_end.p10_fen <= ended_fen <= year_end.p90_fen
    return PastForecast(
        month=f"{year}-{month_of(end.day):02}",
        seq=end.seq,
        days_left=progress.left,
        net_fen=progress.net_fen,
        target_fen=progress.target_fen,
        **ends_of(year_end),
        reach=forecast.reach_permille,
        too_early=forecast.too_early,
        held=held,
    )
