"""Which days of a simulated year are replayed. `simulated_stretch.py` makes their flow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.data.calendar import TradingCalendar

COMMANDS = 200_000
"""About so many commands a whole year, unless told otherwise: 800 a day."""


@dataclass(frozen=True)
class Stretch:
    """`days` trading days of a simulated year from the `from_day`th on, numbered from 1."""

    year: int
    seed: int
    from_day: int = 1
    days: int = 1
    commands: int = COMMANDS

    @property
    def last_day(self) -> int:
        """The number of the last day."""
        return self.from_day + self.days - 1

    @property
    def days_of_year(self) -> int:
        """How many trading days the year has."""
        return len(TradingCalendar.load().days(self.year))

    def dates(self) -> tuple[date, ...]:
        """The trading days."""
        return TradingCalendar.load().days(self.year)[self.from_day - 1 : self.last_day]

    def __str__(self) -> str:
        first, last = self.dates()[0], self.dates()[-1]
        return f"{first} to {last} of seed {self.seed}" if first != last else f"{first} of seed {self.seed}"
