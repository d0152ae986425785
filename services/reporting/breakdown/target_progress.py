"""The progress of any target: of another metric than net turnover, of a category or a product, of a month.

The venue's report measures its own target in more detail (services/reporting/target.py); the rules are the same: no pace counts
days before the venue's first one, and the current day stands apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.values.decimals import half_up

Stage = Literal["not_open", "not_begun", "running", "reached", "missed"]
"""`reached` at any time; `missed` when the period has ended; `not_open`: the venue had no trading day in it."""


@dataclass(frozen=True)
class Done:
    """What was done so far, in the unit of the target: fen, or kilograms."""

    whole: int
    """With the current day."""
    completed: int
    """Without the current day. What changed hands may be less with it: goods that came back did not change hands."""


@dataclass(frozen=True)
class TargetProgress:
    """A target and what was done."""

    stage: Stage
    owed: int
    """The target; of one that is pro rata the share of the venue's trading days."""
    done: Done
    days_total: int
    """The venue's trading days of the period."""
    days_completed: int
    required_per_day: int | None
    """(owed − done on completed days) / days left, rounded up; None where no day is left, or days do not add up."""

    @property
    def days_left(self) -> int:
        """From the current day on."""
        return self.days_total - self.days_completed

    @property
    def missing(self) -> int:
        """What the target lacks; 0 where it is reached."""
        return max(self.owed - self.done.whole, 0)

    @property
    def pace(self) -> int:
        """Due at the end of the last completed day."""
        return half_up(self.owed * self.days_completed, self.days_total) if self.days_total else 0

    @property
    def ahead(self) -> int:
        """Done on the completed days − pace."""
        return self.done.completed - self.pace


def measure_target(
    amount: int,
    pro_rata: bool,
    days: Sequence[int],
    done: Done,
    *,
    today: int,
    born: int,
    adds_up: bool,
) -> TargetProgress:
    """The progress of a target over the trading days of its period, yyyymmdd.

    `today` and the venue's first trading day `born` are 0 before there is one. `adds_up` says whether the values of days add up
    to that of the period: what changed hands does not.
    """
    of_venue = [day for day in days if born and day >= born]
    owed = half_up(amount * len(of_venue), len(days)) if pro_rata and days else amount
    completed = sum(day < today for day in of_venue)
    left = len(of_venue) - completed
    required = -(-max(owed - done.completed, 0) // left) if left and adds_up else None
    return TargetProgress(_stage(of_venue, owed, done.whole, today), owed, done, len(of_venue), completed, required)


def _stage(days: Sequence[int], owed: int, done: int, today: int) -> Stage:
    if not days:
        return "not_open"
    if done >= owed:
        return "reached"
    if today > days[-1]:
        return "missed"
    return "not_begun" if today < days[0] else "running"
