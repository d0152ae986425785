"""The months of a year: what was traded, what was planned, and what the same month of the year before traded.

A month's plan is its own target, if one was set for it. Otherwise it is a part of the year's target, by the months' trading
days: what is due at the month's end less what was due at its beginning, by the pace of the report. So the parts add up to what
the year owes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import VENUE_SCOPE
from services.data.calendar import TradingCalendar
from services.read_model.targets import in_force, targets_of_year
from services.reporting.breakdown import reading
from services.reporting.breakdown.documents import Sealed
from services.reporting.breakdown.reading import month_of, whole_year
from services.reporting.documents import CalendarSource, Document, Tonnes, Yuan, seal, summed
from services.reporting.queries import YearTurnover
from services.reporting.sheet import Shown
from services.reporting.target import due, open_days, year_days

MONTHS = range(1, 13)

PlanSource = Literal["month", "year"]
"""Whose target a month's plan is: its own, or its part of the year's."""


class Month(Document):
    """A month of the year."""

    month: Annotated[str, Shown("text", "Month", "月份")] = Field(description="yyyy-mm.")
    days: Annotated[int, Shown("integer", "Trading days", "交易日")] = Field(description="The venue's trading days.")
    days_begun: Annotated[int, Shown("integer", "Days begun", "已开始交易日")]
    actual_fen: Annotated[Yuan | None, Shown("decimal", "Net turnover (yuan)", "净成交额（元）")] = Field(
        description="Net turnover; null before the month has begun and before the venue opened."
    )
    kilograms: Annotated[Tonnes | None, Shown("decimal", "Volume (t)", "成交量（吨）")]
    plan_fen: Annotated[Yuan, Shown("decimal", "Plan (yuan)", "计划（元）")] = Field(
        description="The month's own target, or its part of the year's target."
    )
    plan_source: Annotated[PlanSource, Shown("text", "Plan of", "计划来源")] = Field(
        description="`month`: a target of its own; `year`: its part of the year's."
    )
    year_part_fen: Annotated[Yuan, Shown("decimal", "Part of the year's target (yuan)", "年度目标分摊（元）")] = Field(
        description="The year's target by trading days; the parts add up to what the year owes, to the fen."
    )
    last_year_fen: Annotated[Yuan | None, Shown("decimal", "The year before (yuan)", "上年同月（元）")] = Field(
        description="The same month of the year before; null where the venue had no day in it."
    )


class MonthsReport(Sealed):
    """The months of the year: actual, plan, last year."""

    calendar: CalendarSource
    target_fen: Yuan = Field(description="What the year owes.")
    target_is_set: bool
    target_seq: int
    months: tuple[Month, ...]


async def read_months(
    connection: AsyncConnection, year: int, found: YearTurnover, calendar: TradingCalendar
) -> MonthsReport:
    """The twelve months of the year; `found` is the year of this position."""
    listed = await reading.read_listed(connection)
    traded = await reading.read_days(connection, whole_year(year), listed)
    days, target = year_days(calendar, year, found.net_by_day), found.target
    of_venue = open_days(days, found.first_trading_date)
    prorated_target_fen = target.prorated_target_fen(len(of_venue), len(days))
    months = month_lines(
        year,
        of_venue,
        prorated_target_fen,
        today=found.position["trading_date"],
        net_by_day=found.net_by_day,
        kilograms=summed((month_of(day.trading_date), day.kilograms) for day in traded),
        last_year=summed((month_of(day), fen) for day, fen in found.earlier.items() if day // 10_000 == year - 1),
        own_targets=await _own_targets(connection, year),
    )
    return MonthsReport(
        year=year,
        **seal(found.position),
        calendar=calendar.source(year),
        target_fen=prorated_target_fen,
        target_is_set=target.is_set,
        target_seq=target.seq,
        months=months,
    )


async def _own_targets(connection: AsyncConnection, year: int) -> dict[int, int]:
    keys = in_force(await targets_of_year(connection, year))
    wanted = (VENUE_SCOPE, "net_traded", year)
    return {key.month: row["amount"] for key, row in keys.items() if key.month and key[:3] == wanted}


def month_lines(
    year: int,
    days: Sequence[int],
    target_fen: int,
    *,
    today: int,
    net_by_day: Mapping[int, int],
    kilograms: Mapping[int, int],
    last_year: Mapping[int, int],
    own_targets: Mapping[int, int],
) -> tuple[Month, ...]:
    """The twelve months. `days` are the venue's trading days of the year, `net_by_day` the net turnover in fen by trading date
    of its days that have begun. Kilograms, last year's turnover and own targets are by month."""
    year_parts, actual = (
        planned_by_month(days, target_fen),
        summed((month_of(day), fen) for day, fen in net_by_day.items()),
    )

    def line(month: int, of_month: Sequence[int]) -> Month:
        begun = bool(of_month) and of_month[0] <= today
        actual_fen = actual.get(month, 0 if begun else None)
        return Month(
            month=f"{year}-{month:02}",
            days=len(of_month),
            days_begun=sum(day <= today for day in of_month),
            actual_fen=actual_fen,
            kilograms=None if actual_fen is None else kilograms.get(month, 0),
            plan_fen=own_targets.get(month, year_parts[month]),
            plan_source="month" if month in own_targets else "year",
            year_part_fen=year_parts[month],
            last_year_fen=last_year.get(month),
        )

    return tuple(line(month, [day for day in days if month_of(day) == month]) for month in MONTHS)


def planned_by_month(days: Sequence[int], target_fen: int) -> dict[int, int]:
    """The target over the trading days, yyyymmdd, by month: each day is due as much as each other."""
    before, found = 0, dict.fromkeys(MONTHS, 0)
    for number, day in enumerate(days, start=1):
        due_fen = due(target_fen, number, len(days))
        found[month_of(day)] += due_fen - before
        before = due_fen
    return found
