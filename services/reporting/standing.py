"""How a year stands at the position of what was read: its progress against the target, and the outlook from there."""

from __future__ import annotations

from dataclasses import dataclass

from services.data.calendar import TradingCalendar
from services.reporting.outlook import Outlook, look_ahead
from services.reporting.queries import YearTurnover
from services.reporting.target import Progress, measure_progress, open_days, year_days


@dataclass(frozen=True)
class Standing:
    """The progress and the outlook of one position."""

    progress: Progress
    outlook: Outlook

    @property
    def reach_permille(self) -> int | None:
        """The probability of reaching the target; None while it is too early to say, and in a year that is not under way."""
        forecast = self.outlook.forecast
        return None if forecast is None or forecast.too_early else forecast.reach_permille


def standing_of(year: int, found: YearTurnover, calendar: TradingCalendar) -> Standing:
    """How the year stands."""
    target, net_by_day, first = found.target, found.net_by_day, found.first_trading_date
    days = year_days(calendar, year, net_by_day)
    target_fen = target.prorated_target_fen(len(open_days(days, first)), len(days))
    progress = measure_progress(days, net_by_day, found.position["trading_date"], target_fen, first_trading_date=first)
    return Standing(progress, look_ahead(progress, found.earlier, calendar, first))
