"""Makes the answers about the year as a whole: effects, months, targets. What the report reads, too, is read by the caller."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import VENUE_SCOPE
from services.data.calendar import TradingCalendar
from services.read_database.targets import in_force, targets_of_year
from services.reporting.breakdown import reading
from services.reporting.breakdown.contracts import Quantity
from services.reporting.breakdown.effects import explain
from services.reporting.breakdown.months import MonthLine, month_lines, month_of
from services.reporting.breakdown.reading import Period, whole_year
from services.reporting.breakdown.targets import target_lines
from services.reporting.breakdown.texts import sealed, tonnes_text
from services.reporting.breakdown.year_documents import effect_lines, effect_total
from services.reporting.breakdown.year_schemas import EffectsReport, Month, MonthsReport, TargetsReport
from services.reporting.queries import YearTurnover, read_position
from services.reporting.target import open_days, year_days
from services.values.decimals import yuan_text
from services.values.times import date_text


async def effects(connection: AsyncConnection, year: int) -> EffectsReport | None:
    """The year against the same part of the year before; None before the projector's first transaction."""
    position = await read_position(connection)
    if position is None:
        return None
    listed = await reading.read_listed(connection)
    now, before = compared_periods(year, position["trading_date"]) or (None, None)
    found = explain(await _net(connection, before, listed), await _net(connection, now, listed))
    return EffectsReport(
        **sealed(year, position),
        **_dates("", now),
        **_dates("_before", before),
        days=await _days(connection, now),
        days_before=await _days(connection, before),
        total=effect_total(found),
        products=effect_lines(found, listed),
    )


def compared_periods(year: int, today: int) -> tuple[Period, Period] | None:
    """The part of a year that has come, and the same part of the year before: up to the same month and day.

    A closed year is compared whole with the whole year before. None of a year that has not begun.
    """
    if today < year * 10_000:
        return None
    last = today % 10_000 if today // 10_000 == year else 1_231
    of_year, before = year * 10_000, (year - 1) * 10_000
    last_before = 228 if last == 229 else last
    return Period(of_year + 101, of_year + last), Period(before + 101, before + last_before)


async def _net(connection: AsyncConnection, period: Period | None, listed: reading.Instruments) -> dict[int, Quantity]:
    counted = await reading.read_counted(connection, period, listed) if period else {}
    return {number: one.net for number, one in counted.items()}


async def _days(connection: AsyncConnection, period: Period | None) -> int:
    return len(await reading.read_net_of_days(connection, period)) if period else 0


def _dates(which: str, period: Period | None) -> dict[str, Any]:
    first, last = map(date_text, period) if period else (None, None)
    return {f"first_date{which}": first, f"last_date{which}": last}


async def months(
    connection: AsyncConnection, year: int, found: YearTurnover, calendar: TradingCalendar
) -> MonthsReport:
    """The twelve months of the year; `found` is the year of this position."""
    listed = await reading.read_listed(connection)
    traded = await reading.read_days(connection, whole_year(year), listed)
    own_targets = await _own_targets(connection, year)
    return _months(year, found, calendar, traded, own_targets)


def _months(
    year: int,
    found: YearTurnover,
    calendar: TradingCalendar,
    traded: dict[tuple[int, int], Quantity],
    own_targets: dict[int, int],
) -> MonthsReport:
    kilograms = Counter[int]()
    for (day, _), quantity in traded.items():
        kilograms[month_of(day)] += quantity.kilograms
    days, target = year_days(calendar, year, found.net_by_day), found.target
    of_venue = open_days(days, found.born)
    owed_fen = target.owed_fen(len(of_venue), len(days))
    lines = month_lines(
        of_venue,
        owed_fen,
        today=found.position["trading_date"],
        net_by_day=found.net_by_day,
        last_year={day: fen for day, fen in found.earlier.items() if day // 10_000 == year - 1},
        own_targets=own_targets,
    )
    return MonthsReport(
        **sealed(year, found.position),
        target=yuan_text(owed_fen),
        target_is_set=target.is_set,
        target_seq=target.seq,
        months=tuple(_month(year, line, kilograms[line.month]) for line in lines),
    )


async def _own_targets(connection: AsyncConnection, year: int) -> dict[int, int]:
    keys = in_force(await targets_of_year(connection, year))
    wanted = (VENUE_SCOPE, "net_traded", year)
    return {key.month: row["amount"] for key, row in keys.items() if key.month and key[:3] == wanted}


def _month(year: int, line: MonthLine, kilograms: int) -> Month:
    actual, last_year = line.actual_fen, line.last_year_fen
    return Month(
        month=f"{year}-{line.month:02}",
        days=line.days,
        days_begun=line.days_begun,
        actual=None if actual is None else yuan_text(actual),
        tonnes=None if actual is None else tonnes_text(kilograms),
        plan=yuan_text(line.plan_fen),
        plan_source=line.plan_source,
        year_part=yuan_text(line.year_part_fen),
        last_year=None if last_year is None else yuan_text(last_year),
    )


async def targets(
    connection: AsyncConnection, year: int, found: YearTurnover, calendar: TradingCalendar
) -> TargetsReport:
    """The progress of every target in force; `found` is the year of this position."""
    rows = in_force(await targets_of_year(connection, year))
    lines = await target_lines(connection, rows, found, year_days(calendar, year, found.net_by_day))
    return TargetsReport(**sealed(year, found.position), targets=lines)
