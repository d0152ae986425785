"""Conditions of the year's pace: at the end of a trading day, the verdict or the required level has changed for the worse.

Both are those of the turnover report, of the completed days only. A turn raises an alert, which stays until the year stands
otherwise: better, or worse with an alert of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.alerts.conditions import Condition, OpenAlerts
from services.commands.attachments import AlertKind, Severity
from services.data.calendar import TradingCalendar
from services.reporting.queries import YearTurnover
from services.reporting.report import build_report
from services.reporting.verdict import Outcome
from services.times import date_text

KINDS: tuple[AlertKind, ...] = ("pace",)

_UNKNOWN = 1
_OUTCOMES = {
    Outcome.REACHED: 0,
    Outcome.CLOSED_REACHED: 0,
    Outcome.ON_TRACK: 0,
    Outcome.OPEN: 1,
    Outcome.BEHIND: 2,
    Outcome.OUT_OF_REACH: 3,
    Outcome.CLOSED_MISSED: 4,
}
"""How bad an outcome is; the others say nothing, and count as _UNKNOWN."""
_LEVELS = {None: 0, "green": 0, "amber": 1, "red": 2}
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


@dataclass(frozen=True)
class Turn:
    """A year before and after its last completed trading day."""

    year: int
    date: int
    """That day, yyyymmdd."""
    before: Standing
    after: Standing


def standing(found: YearTurnover, calendar: TradingCalendar, year: int, today: int) -> Standing:
    """The standing of the year when the trading day `today` began, by all that is known now of the days before."""
    completed = {date: fen for date, fen in found.net_by_day.items() if date < today}
    then = replace(found, net_by_day=completed, position={**found.position, "trading_date": today})
    report = build_report(year, then, calendar)
    return Standing(
        Outcome(report.outcome), report.required_level, report.verdict, report.verdict_zh, report.required_ratio
    )


def pace_conditions(turn: Turn, is_open: OpenAlerts) -> list[Condition]:
    """The turns for the worse of this day, and those of earlier days after which the year stands as it did then."""
    return [
        condition
        for condition, is_worse in (_outcome(turn), _level(turn))
        if condition is not None and (is_worse or condition.key in is_open)
    ]


def _outcome(turn: Turn) -> tuple[Condition | None, bool]:
    outcome, day = turn.after.outcome, date_text(turn.date)
    if not _OUTCOMES.get(outcome, 0):
        return None, False
    english = f"The verdict on {turn.year} turned for the worse at the end of {day}: {turn.after.verdict}"
    chinese = f"{day}收盘后，{turn.year}年度的判断转差：{turn.after.verdict_zh}"
    return _condition(turn, outcome, english, chinese), _OUTCOMES[outcome] > _OUTCOMES.get(
        turn.before.outcome, _UNKNOWN
    )


def _level(turn: Turn) -> tuple[Condition | None, bool]:
    level, day = turn.after.level, date_text(turn.date)
    if level is None or not _LEVELS[level]:
        return None, False
    ratio = turn.after.ratio
    english = f"The pace of {turn.year} turned {level} at the end of {day}: each day left needs {ratio} times the recent mean."
    chinese = f"{day}收盘后，{turn.year}年度进度转为{_LEVELS_ZH[level]}：此后每日需成交近期均值的{ratio}倍。"
    return _condition(turn, level, english, chinese), _LEVELS[level] > _LEVELS[turn.before.level]


def _condition(turn: Turn, now: str, english: str, chinese: str) -> Condition:
    severity: Severity = "critical" if now in _CRITICAL else "warning"
    return Condition("pace", f"pace:{turn.year}:{now}", str(turn.year), severity, english, chinese)


def turns_of(found: YearTurnover, calendar: TradingCalendar, year: int, date: int, today: int) -> Iterator[Turn]:
    """The turn of the completed day `date`, before which and after which the venue had begun; none on its first days."""
    if found.born and found.born <= date:
        before, after = (standing(found, calendar, year, day) for day in (date, today))
        yield Turn(year, date, before, after)
