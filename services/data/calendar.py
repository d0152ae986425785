"""The trading calendar: which days are trading days. REX ships a file; an operator can add another."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from services.data.assumed_days import assumed_days
from services.data.instruments import DataFileError

_SHIPPED = Path(__file__).with_name("trading_days.csv")
_FEWEST_DAYS = 200
"""A year with fewer days is refused as incomplete: it would make pace and required turnover wrong without a warning."""


class TradingCalendar:
    """Trading days by year. In a year without data they are assumed (`assumed_days.py`), and `assumed` is true."""

    def __init__(self, days_by_year: dict[int, tuple[date, ...]]) -> None:
        self._published = days_by_year

    def corrections(self) -> list[str]:
        """What an operator's file changed in years that the shipped one lacks, whose days were assumed: a sentence a year."""
        return [_correction(year, self._published[year]) for year in sorted(self._published.keys() - _shipped().keys())]

    @classmethod
    def load(cls, extra: Path | None = None) -> TradingCalendar:
        """The shipped calendar, extended by an operator's file of the same format, whose years replace shipped ones.

        The format: the header `date`, then one ISO date a line, ascending, whole years only. Raises DataFileError.
        """
        return cls(_shipped() | (_read(extra) if extra is not None else {}))

    def assumed(self, year: int) -> bool:
        """Whether there is no data for this year, so that its days are assumed from the holidays of others."""
        return year not in self._published

    def source(self, year: int) -> Literal["published", "assumed"]:
        """Where the days of this year come from, in a word for documents."""
        return "assumed" if self.assumed(year) else "published"

    def days(self, year: int) -> tuple[date, ...]:
        """The year's trading days, ascending."""
        return self._published[year] if year in self._published else assumed_days(year)

    def is_trading_day(self, day: date) -> bool:
        """Whether the venue trades on this date."""
        days = self.days(day.year)
        at = bisect_right(days, day)
        return at > 0 and days[at - 1] == day

    def next_after(self, day: date) -> date:
        """The first trading day after this date."""
        days = self.days(day.year)
        at = bisect_right(days, day)
        return days[at] if at < len(days) else self.days(day.year + 1)[0]


@cache
def _shipped() -> dict[int, tuple[date, ...]]:
    return _read(_SHIPPED)


def _correction(year: int, published: tuple[date, ...]) -> str:
    added, removed = set(published) - set(assumed_days(year)), set(assumed_days(year)) - set(published)
    changes = ", ".join(
        f"{len(days)} {word} ({' '.join(map(str, sorted(days)))})"
        for word, days in (("added", added), ("removed", removed))
        if days
    )
    found = f"The calendar of {year} is published, {len(published)} trading days."
    return f"{found} Of the assumed ones: {changes or 'none changed'}."


def _read(path: Path) -> dict[int, tuple[date, ...]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].strip() != "date":
        raise DataFileError(path, 1, "the first line must be: date")
    years: dict[int, list[date]] = {}
    previous = date.min
    for number, text in enumerate(lines[1:], start=2):
        try:
            day = date.fromisoformat(text.strip())
        except ValueError as error:
            raise DataFileError(path, number, f"{text.strip()!r} is not a date of the form 2027-01-04") from error
        if day <= previous:
            raise DataFileError(path, number, f"{day} does not come after {previous}")
        years.setdefault(day.year, []).append(previous := day)
    for year, days in years.items():
        if len(days) < _FEWEST_DAYS:
            raise DataFileError(path, len(lines), f"{year} has only {len(days)} trading days: give the whole year")
    return {year: tuple(days) for year, days in years.items()}
