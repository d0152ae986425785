"""The outlook on a year under way: its forecast and its seasonal pace, from its own completed days and the years before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from services.data.calendar import TradingCalendar
from services.data.lunar_new_year import load_lunar_new_years
from services.reporting.forecast.contract import Forecast, ForecastInput, PastYear
from services.reporting.forecast.pace import seasonal_pace
from services.reporting.forecast.year_end import forecast_year_end
from services.reporting.target import Progress, Stage, year_days


@dataclass(frozen=True)
class Outlook:
    """What past years and the days so far say of the days left."""

    forecast: Forecast | None
    """None of a year that is not under way."""
    pace_fen: tuple[int, ...]
    """The seasonal pace: turnover due at the end of each of the venue's trading days; without past years a straight line."""


def look_ahead(
    progress: Progress, earlier: Mapping[int, int], calendar: TradingCalendar, first_trading_date: int
) -> Outlook:
    """The outlook on the year. `earlier` is the net turnover by trading date of the years before it."""
    days = tuple(day.date for day in progress.days[progress.first :])
    if not days:
        return Outlook(None, ())
    year = days[0] // 10_000
    past_years = _past_years(earlier, calendar, first_trading_date)
    lunar = _lunar_new_year(year)
    pace = seasonal_pace(days, progress.target_fen, past_years=past_years, lunar_new_year=lunar)
    if progress.stage is not Stage.RUNNING:
        return Outlook(None, pace)
    given = ForecastInput(
        days=days,
        net_fen=tuple(day.net_fen or 0 for day in progress.days[progress.first :][: progress.completed]),
        target_fen=progress.target_fen,
        lunar_new_year=lunar,
        past_years=past_years,
        today_net_fen=progress.today_fen,
    )
    return Outlook(forecast_year_end(given), pace)


def _past_years(earlier: Mapping[int, int], calendar: TradingCalendar, first_trading_date: int) -> tuple[PastYear, ...]:
    """The years before, ascending, each from the venue's first trading day on."""
    found = []
    for past in sorted({date // 10_000 for date in earlier}):
        traded = {date: net for date, net in earlier.items() if date // 10_000 == past}
        days = tuple(day for day in year_days(calendar, past, traded) if day >= first_trading_date)
        found.append(PastYear(days, tuple(traded.get(day, 0) for day in days), _lunar_new_year(past)))
    return tuple(found)


@cache
def _lunar_new_years() -> dict[int, int]:
    return {year: int(f"{day:%Y%m%d}") for year, day in load_lunar_new_years().items()}


def _lunar_new_year(year: int) -> int | None:
    return _lunar_new_years().get(year)
