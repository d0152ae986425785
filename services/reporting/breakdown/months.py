"""The months of a year: what was traded, what was planned, and what the same month of the year before traded.

A month's plan is its own target, if one was set for it. Otherwise it is a part of the year's target, by the months' trading
days: what is due at the month's end less what was due at its beginning, by the pace of the report. So the parts add up to what
the year owes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.values.decimals import half_up

MONTHS = range(1, 13)

PlanSource = Literal["month", "year"]
"""Whose target a month's plan is: its own, or its part of the year's."""


@dataclass(frozen=True)
class MonthLine:
    """One month of the year, in fen."""

    month: int
    days: int
    """Its trading days, without those before the venue's first one."""
    days_begun: int
    actual_fen: int | None
    """None before the month has begun, and before the venue had opened."""
    plan_fen: int
    plan_source: PlanSource
    year_part_fen: int
    """The part of the year's target, also where the month has a target of its own."""
    last_year_fen: int | None
    """None where the venue had no trading day in that month."""


def planned_by_month(days: Sequence[int], target_fen: int) -> dict[int, int]:
    """The target over the trading days, yyyymmdd, by month: each day is due as much as each other."""
    due, before, found = 0, 0, dict.fromkeys(MONTHS, 0)
    for number, day in enumerate(days, start=1):
        due = half_up(target_fen * number, len(days))
        found[month_of(day)] += due - before
        before = due
    return found


def month_lines(
    days: Sequence[int],
    target_fen: int,
    *,
    today: int,
    net_by_day: Mapping[int, int],
    last_year: Mapping[int, int],
    own_targets: Mapping[int, int],
) -> list[MonthLine]:
    """The twelve months. `days` are the venue's trading days of the year, `net_by_day` and `last_year` the net turnover by
    trading date of the venue's days that have begun, and `own_targets` the targets by month, all in fen."""
    year_parts = planned_by_month(days, target_fen)
    actual, before = sum_by_month(net_by_day), sum_by_month(last_year)
    return [
        MonthLine(
            month=month,
            days=len(of_month),
            days_begun=sum(day <= today for day in of_month),
            actual_fen=actual.get(month, 0 if of_month and of_month[0] <= today else None),
            plan_fen=own_targets.get(month, year_parts[month]),
            plan_source="month" if month in own_targets else "year",
            year_part_fen=year_parts[month],
            last_year_fen=before.get(month),
        )
        for month in MONTHS
        for of_month in [[day for day in days if month_of(day) == month]]
    ]


def sum_by_month(by_day: Mapping[int, int]) -> dict[int, int]:
    """The sums of values by trading date, by month; only months with a day."""
    found: dict[int, int] = {}
    for day, value in by_day.items():
        found[month_of(day)] = found.get(month_of(day), 0) + value
    return found


def month_of(day: int) -> int:
    """The month of a date yyyymmdd."""
    return day // 100 % 100
