"""Progress of the year's turnover against its target: pace, required turnover a day, recent means. Integer arithmetic only.

A year's trading days come from the calendar; the venue's begin with its first one, and no rate or pace counts the days before.
A day is *completed* when the next one has begun (17:00, Asia/Shanghai). The current day stands apart: its turnover is part of
the year's net, and it is one of the days left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from services.data.calendar import TradingCalendar
from services.values.decimals import half_up

DEFAULT_TARGET_FEN = 2_300_000_000_000
"""The target of a year for which none was set, and the one that a new venue sets."""

DEFAULT_TARGET_NAME = "23 billion yuan a year (no target was set for this year)"

SIMULATED = "SIMULATED, no trade of it was real"
"""The name of the first target of a simulated year begins with it (services/venue/simulated_year.py)."""

RECENT_DAYS = 20
"""Completed trading days of a recent mean, and of the best mean; with fewer both are None."""

AMBER, RED = (6, 5), (3, 2)
"""Limits of required turnover a day / recent mean, as fractions: above 6/5 amber, above 3/2 red."""


@dataclass(frozen=True)
class Target:
    """What a year's turnover is measured against."""

    amount_fen: int
    name: str
    is_set: bool
    """False where no target was set for this year; amount and name are then DEFAULT_TARGET_FEN and DEFAULT_TARGET_NAME."""
    pro_rata: bool = False
    """Whether the amount is that of a whole year, of which the venue's first year owes the share of its trading days."""
    seq: int = 0
    """The command that set it; 0: none did."""

    def prorated_target_fen(self, open_days: int, days: int) -> int:
        """What the year owes in which the venue has so many of all trading days."""
        return prorated(self.amount_fen, self.pro_rata, open_days, days)


class Stage(Enum):
    """Where a year stands on the venue's current trading day."""

    NOT_OPEN = "not_open"
    """The venue had no trading day in this year, or none yet."""
    NOT_BEGUN = "not_begun"
    """The year begins after the current trading day."""
    RUNNING = "running"
    CLOSED = "closed"
    """The current trading day is of a later year."""


@dataclass(frozen=True)
class TargetDay:
    """One trading day of the year."""

    date: int
    pace_fen: int
    """Turnover of the year that is due at the end of this day; 0 before the venue's first day."""
    net_fen: int | None
    cumulative_fen: int | None
    """Both None before the day has begun, and before the venue's first day."""


@dataclass(frozen=True)
class Progress:
    """The year's turnover against its target. The means are None until RECENT_DAYS are completed."""

    stage: Stage
    days: tuple[TargetDay, ...]
    """Every trading day of the year."""
    first: int
    """So many of them were before the venue's first trading day."""
    completed: int
    """The venue's completed trading days."""
    left: int
    """The venue's trading days from the current one on; 0 in a closed year."""
    net_fen: int
    today_fen: int
    """The part of net_fen that the current day has traded."""
    target_fen: int
    recent_mean_fen: int | None
    """Mean of the last RECENT_DAYS completed days."""
    best_mean_fen: int | None
    """Mean of the RECENT_DAYS completed days with the largest turnover."""

    @property
    def total(self) -> int:
        """The venue's trading days of the year."""
        return self.completed + self.left

    @property
    def completed_fen(self) -> int:
        """Net turnover of the completed days."""
        return self.net_fen - self.today_fen

    @property
    def missing_fen(self) -> int:
        """What the year lacks to its target; 0 where the target is reached."""
        return max(self.target_fen - self.net_fen, 0)

    @property
    def last_completed(self) -> int | None:
        """The venue's last completed trading day, yyyymmdd; None before there is one."""
        return self.days[self.first + self.completed - 1].date if self.completed else None

    @property
    def pace_fen(self) -> int:
        """Turnover due at the end of the last completed day."""
        return due(self.target_fen, self.completed, self.total)

    @property
    def ahead_fen(self) -> int:
        """Net turnover of the completed days − pace; negative where it is behind the pace."""
        return self.completed_fen - self.pace_fen

    @property
    def required_per_day_fen(self) -> int | None:
        """(target − net of the completed days) / days left, rounded up; None where no day is left."""
        return required_per_day(self.target_fen, self.completed_fen, self.left)

    @property
    def reached_on(self) -> int | None:
        """The first day at whose end, or in whose course, the year's turnover reached the target."""
        reached = (day for day in self.days if day.cumulative_fen is not None and day.cumulative_fen >= self.target_fen)
        return next((day.date for day in reached), None)

    @property
    def level(self) -> str | None:
        """`green`, `amber` or `red`: required turnover a day against the recent mean; None without one of them."""
        required, recent = self.required_per_day_fen, self.recent_mean_fen
        if required is None or recent is None:
            return None
        for level, (above, of) in (("red", RED), ("amber", AMBER)):
            if required * of > recent * above:
                return level
        return "green"

    @property
    def at_year_mean_fen(self) -> int | None:
        """Turnover at the year's end if each day left trades the mean of all completed days."""
        if self.recent_mean_fen is None:
            return None
        return half_up(self.completed_fen * self.total, self.completed)

    @property
    def at_recent_mean_fen(self) -> int | None:
        """Turnover at the year's end if each day left trades the recent mean."""
        recent = self.recent_mean_fen
        return None if recent is None else self.completed_fen + recent * self.left


def prorated(amount: int, pro_rata: bool, open_days: int, days: int) -> int:
    """What is owed of a target in whose period the venue has so many of all trading days. In the target's unit, as are `due`
    and `required_per_day`."""
    return half_up(amount * open_days, days) if pro_rata and days else amount


def due(target: int, completed: int, total: int) -> int:
    """What is due of a target at the end of so many of its trading days: each day as much as each other."""
    return half_up(target * completed, total) if total else 0


def required_per_day(target: int, completed: int, left: int) -> int | None:
    """(target − done on the completed days) / days left, rounded up; None where no day is left."""
    return -(-max(target - completed, 0) // left) if left else None


def year_days(calendar: TradingCalendar, year: int, traded: Mapping[int, int]) -> tuple[int, ...]:
    """The year's trading days as yyyymmdd, ascending: those of the calendar and those with trades."""
    published = {day.year * 10_000 + day.month * 100 + day.day for day in calendar.days(year)}
    return tuple(sorted(published | traded.keys()))


def open_days(days: tuple[int, ...], first_trading_date: int) -> tuple[int, ...]:
    """The days from the venue's first trading day `first_trading_date` on; none where that is 0."""
    return tuple(day for day in days if first_trading_date and day >= first_trading_date)


def measure_progress(
    days: tuple[int, ...], net_by_day: Mapping[int, int], today: int, target_fen: int, *, first_trading_date: int
) -> Progress:
    """The progress of the year of these trading days on the current one.

    `today` and the venue's first trading day `first_trading_date` are yyyymmdd, 0 before there is one.
    """
    of_venue = open_days(days, first_trading_date)
    net_of_past_days = [net_by_day.get(day, 0) for day in of_venue if day < today]
    enough = len(net_of_past_days) >= RECENT_DAYS
    return Progress(
        stage=_stage(days, today, first_trading_date),
        days=tuple(_days(days, net_by_day, today, target_fen, len(of_venue))),
        first=len(days) - len(of_venue),
        completed=len(net_of_past_days),
        left=len(of_venue) - len(net_of_past_days),
        net_fen=sum(net_by_day.values()),
        today_fen=net_by_day.get(today, 0),
        target_fen=target_fen,
        recent_mean_fen=half_up(sum(net_of_past_days[-RECENT_DAYS:]), RECENT_DAYS) if enough else None,
        best_mean_fen=half_up(sum(sorted(net_of_past_days)[-RECENT_DAYS:]), RECENT_DAYS) if enough else None,
    )


def _stage(days: tuple[int, ...], today: int, first_trading_date: int) -> Stage:
    if not first_trading_date or first_trading_date > days[-1]:
        return Stage.NOT_OPEN
    if today > days[-1]:
        return Stage.CLOSED
    return Stage.NOT_BEGUN if today < days[0] else Stage.RUNNING


def _days(
    days: tuple[int, ...], net_by_day: Mapping[int, int], today: int, target_fen: int, open_days: int
) -> Iterator[TargetDay]:
    cumulative, before = 0, len(days) - open_days
    for number, day in enumerate(days, start=1):
        cumulative += net_by_day.get(day, 0)
        pace_fen = due(target_fen, number - before, open_days) if number > before else 0
        has_begun = number > before and day <= today
        yield TargetDay(day, pace_fen, net_by_day.get(day, 0) if has_begun else None, cumulative if has_begun else None)
