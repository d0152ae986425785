"""Conditions of the year's pace: at the end of a trading day the verdict, or the required level, is bad.

Both are those of the turnover report, of the completed days only. Each is a condition of its own while the year stands so: an
alert need not see the day on which it began, which may be one that nobody judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.alerts.conditions import Condition
from services.commands.attachments import AlertKind, Severity
from services.data.calendar import TradingCalendar
from services.reporting.queries import YearTurnover
from services.reporting.report import build_report
from services.reporting.verdict import Outcome
from services.values.decimals import fraction_text
from services.values.times import date_text

KINDS: tuple[AlertKind, ...] = ("pace",)

_BAD = frozenset({Outcome.OPEN, Outcome.BEHIND, Outcome.OUT_OF_REACH, Outcome.CLOSED_MISSED})
"""The others are good, or say nothing."""
_LEVELS_ZH = {"amber": "黄色", "red": "红色"}
_CRITICAL = frozenset({Outcome.BEHIND, Outcome.OUT_OF_REACH, Outcome.CLOSED_MISSED, "red"})


@dataclass(frozen=True)
class Standing:
    """How a year stood when a trading day began."""

    outcome: Outcome
    level: str | None
    verdict: str
    verdict_zh: str
    ratio: str | None
    """Required turnover a day / recent mean."""


def standing(found: YearTurnover, calendar: TradingCalendar, year: int, today: int) -> Standing:
    """The standing of the year when the trading day `today` began, by all that is known now of the days before."""
    completed = {date: fen for date, fen in found.net_by_day.items() if date < today}
    then = replace(found, net_by_day=completed, position={**found.position, "trading_date": today})
    report = build_report(year, then, calendar)
    ratio = None if report.required_ratio is None else fraction_text(report.required_ratio, 4)
    return Standing(report.outcome, report.required_level, report.verdict, report.verdict_zh, ratio)


def pace_conditions(year: int, date: int, stands: Standing) -> list[Condition]:
    """What is bad of the year at the end of its trading day `date`, yyyymmdd."""
    day, found = date_text(date), list[Condition]()
    if stands.outcome in _BAD:
        english = f"The verdict on {year} at the end of {day}: {stands.verdict}"
        found.append(_condition(year, stands.outcome, english, f"{day}收盘后，{year}年度的判断：{stands.verdict_zh}"))
    if stands.level in _LEVELS_ZH:
        level, ratio = stands.level, stands.ratio
        english = (
            f"The pace of {year} is {level} at the end of {day}: each day left needs {ratio} times the recent mean."
        )
        chinese = f"{day}收盘后，{year}年度进度为{_LEVELS_ZH[level]}：此后每日需成交近期均值的{ratio}倍。"
        found.append(_condition(year, level, english, chinese))
    return found


def _condition(year: int, now: str, english: str, chinese: str) -> Condition:
    severity: Severity = "critical" if now in _CRITICAL else "warning"
    return Condition("pace", f"pace:{year}:{now}", str(year), severity, english, chinese)
