"""How much of the net turnover the findings touch that wait for a decision, and how the year would stand without it.

The year without it is the year that was read, less those trades on their days: whatever is said of it follows from the rules of
the report (`standing_of`). Nothing is taken from the turnover: only decisions do that.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import Field

from services.data.calendar import TradingCalendar
from services.reporting.breakdown.documents import Sealed
from services.reporting.breakdown.flagged import FlaggedPart, Screened, flagged
from services.reporting.documents import CalendarSource, Document, Permille, Ratio, Yuan, ratio, seal, summed
from services.reporting.queries import YearTurnover
from services.reporting.standing import standing_of
from services.surveillance.contracts import ScreenTrades


class YearStands(Document):
    """How a year stands."""

    net_fen: Yuan
    ahead_fen: Yuan = Field(description="net − today − pace; negative where the turnover is behind the pace.")
    p50_fen: Yuan | None = Field(description="The forecast of the year's end; null where the report has none.")
    reach: Permille | None = Field(
        description="Probability of reaching the target; null while it is too early to say, and in a closed year."
    )


class UndecidedReport(Sealed):
    """The findings of the wash screen, and what the net turnover would be without those that wait. It names no member."""

    calendar: CalendarSource
    parts: tuple[FlaggedPart, ...] = Field(description="The findings by state.")
    undecided_fen: Yuan = Field(
        description="Of the net turnover, in yuan: the trades of findings about which nobody has decided."
    )
    undecided_trades: int
    share: Ratio = Field(description="undecided / net.")
    now: YearStands = Field(description="As the report has it.")
    without: YearStands = Field(description="If every one of those trades were excluded.")


def undecided(
    year: int, found: YearTurnover, traded: ScreenTrades, screened: Screened, calendar: TradingCalendar
) -> UndecidedReport:
    """The answer; all arguments are of one position."""
    trades = traded[np.isin(traded["trade_id"], _trades_that_wait(screened))]
    by_day = summed(zip(trades["trading_date"].tolist(), trades["amount_fen"].tolist(), strict=True))
    net_by_day = {day: net_fen - by_day.get(day, 0) for day, net_fen in found.net_by_day.items()}
    now = _stands(year, found, calendar)
    return UndecidedReport(
        year=year,
        **seal(found.position),
        calendar=calendar.source(year),
        parts=flagged(year, found.position, screened).parts,
        undecided_fen=sum(by_day.values()),
        undecided_trades=len(trades),
        share=ratio(sum(by_day.values()), now.net_fen),
        now=now,
        without=_stands(year, replace(found, net_by_day=net_by_day), calendar),
    )


def _trades_that_wait(screened: Screened) -> list[int]:
    """Those of the findings about which nobody has decided: all of them count."""
    return [trade_id for one in screened.findings for trade_id in one.trade_ids if trade_id not in screened.decided]


def _stands(year: int, found: YearTurnover, calendar: TradingCalendar) -> YearStands:
    standing = standing_of(year, found, calendar)
    forecast = standing.outlook.forecast
    year_end = None if forecast is None else forecast.year_end
    return YearStands(
        net_fen=standing.progress.net_fen,
        ahead_fen=standing.progress.ahead_fen,
        p50_fen=None if year_end is None else year_end.p50_fen,
        reach=standing.reach_permille,
    )
