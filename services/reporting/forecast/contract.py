"""What a forecast of the year's end takes and gives: frozen records. Amounts are integer fen, dates are integers yyyymmdd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class PastYear:
    """A calendar year that is over: its trading days and the net turnover of each.

    Raises ValueError where the days are not ascending days of one year, or an amount is missing or below zero.
    """

    days: tuple[int, ...]
    """The venue's trading days, ascending; in the year of its birth from its first trading day on."""
    net_fen: tuple[int, ...]
    """Net turnover of each day."""
    lunar_new_year: int | None = None
    """The first day of the lunar year; None where it is not known, and the days around it then count as any others."""

    def __post_init__(self) -> None:
        check_days(self.days)
        if not self.days or len(self.net_fen) != len(self.days):
            raise ValueError("a past year needs the net turnover of each of its trading days")
        check_amounts(self.net_fen)

    @property
    def year(self) -> int:
        """The calendar year."""
        return self.days[0] // 10_000


@dataclass(frozen=True)
class ForecastInput:
    """The year under way, the years before it and the target.

    Raises ValueError where the days are not ascending days of one year, an amount is below zero, there are more amounts than
    days, or the past years are not ascending years before this one.
    """

    days: tuple[int, ...]
    """All trading days of the year, ascending; in the year of the venue's birth from its first trading day on."""
    net_fen: tuple[int, ...]
    """Net turnover of each completed day: of the first `len(net_fen)` of `days`. Today is no completed day."""
    target_fen: int
    lunar_new_year: int | None = None
    """As in PastYear."""
    past_years: tuple[PastYear, ...] = ()
    """Ascending. A year without data may be missing."""
    today_net_fen: int = 0
    """Net turnover so far of the day after the completed ones. It only bounds the forecast from below."""

    def __post_init__(self) -> None:
        check_days(self.days)
        if not self.days or len(self.net_fen) > len(self.days):
            raise ValueError("there are more completed days than trading days of the year")
        if self.today_net_fen and len(self.net_fen) == len(self.days):
            raise ValueError("all trading days are completed: today has no place among them")
        check_amounts((*self.net_fen, self.target_fen, self.today_net_fen))
        years = [past.year for past in self.past_years] + [self.year]
        if any(later <= earlier for earlier, later in pairwise(years)):
            raise ValueError("past years must be ascending and before the year of the forecast")

    @property
    def year(self) -> int:
        """The calendar year."""
        return self.days[0] // 10_000


@dataclass(frozen=True)
class YearEnd:
    """Net turnover of the whole year: with probability 10, 50 and 90 % it ends at or below these amounts."""

    p10_fen: int
    p50_fen: int
    p90_fen: int


@dataclass(frozen=True)
class Forecast:
    """The forecast of the year's end. Its statistics are estimates; only net_fen is accounted, and exact."""

    net_fen: int
    """Net turnover of the completed days."""
    days_completed: int
    days_left: int
    """Trading days that are not completed; today is one of them."""
    year_end: YearEnd | None
    """None where no completed day and no past year has any turnover. Equal to net_fen once all days are completed."""
    year_end_rounded: YearEnd | None
    """The same for the eye: to 10 million yuan, or finer for a venue that turns over less than a billion."""
    reach_permille: int | None
    """Probability that the year reaches the target, in thousandths. 1000 only where the target is reached, 0 only where all
    days are completed: as long as days are left nothing else is certain. None without a year_end."""
    width_permille: int | None
    """(P90 − P10) / P50 in thousandths, rounded up; None without a year_end."""
    too_early: bool
    """Whether the range is too wide to be shown as a forecast: above TOO_WIDE_PERMILLE, or there is none."""
    method: str
    assumptions: tuple[str, ...]
    """What the numbers rest on besides the venue's own turnover, one sentence each."""


def check_days(days: Sequence[int]) -> None:
    """Raises ValueError where the days are not ascending dates yyyymmdd of one calendar year."""
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError("trading days must be ascending")
    if days and days[0] // 10_000 != days[-1] // 10_000:
        raise ValueError("trading days must be of one calendar year")
    if any(not (1 <= day // 100 % 100 <= 12 and 1 <= day % 100 <= 31) for day in days):
        raise ValueError("a trading day must be a date yyyymmdd")


def check_amounts(amounts_fen: Sequence[int]) -> None:
    """Raises ValueError where an amount is below zero."""
    if any(amount < 0 for amount in amounts_fen):
        raise ValueError("turnover and target must not be below zero")
