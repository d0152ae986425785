"""Measures the targets of a year: what each metric and scope has done, and how far that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import CATEGORY_SCOPE, PRODUCT_SCOPE
from services.read_database.targets import Row, TargetKey
from services.reporting.breakdown import reading
from services.reporting.breakdown.contracts import Listed, Quantity
from services.reporting.breakdown.months import month_of
from services.reporting.breakdown.reading import Period, whole_year
from services.reporting.breakdown.target_progress import Done, TargetProgress, measure_target
from services.reporting.breakdown.texts import ratio_text
from services.reporting.breakdown.year_schemas import TargetLine
from services.reporting.queries import YearTurnover
from services.surveillance.reading import read_changed_hands_by_instrument
from services.values.decimals import fixed_text

DayTrades = Mapping[tuple[int, int], Quantity]
"""The trades that count, by trading date and instrument."""


async def target_lines(
    connection: AsyncConnection, rows: Mapping[TargetKey, Row], found: YearTurnover, days: Sequence[int]
) -> tuple[TargetLine, ...]:
    """The targets in force with their progress; `days` are the year's trading days."""
    listed = await reading.read_listed(connection)
    traded = await reading.read_days(connection, whole_year(days[0] // 10_000), listed) if rows else {}
    today = found.position["trading_date"]
    lines = []
    for key, row in sorted(rows.items()):
        of_period = [day for day in days if key.month in (0, month_of(day))]
        instruments = in_scope(key.scope, listed)
        if key.metric == "changed_hands":
            done = await _changed_hands(connection, key, instruments, today)
        else:
            done = done_by_day(key, traded, instruments, today)
        progress = measure_target(
            row["amount"],
            bool(row["pro_rata"]),
            of_period,
            done,
            today=today,
            born=found.born,
            adds_up=key.metric != "changed_hands",
        )
        lines.append(_line(key, row, progress))
    return tuple(lines)


def in_scope(scope: str, listed: Mapping[int, Listed]) -> frozenset[int]:
    """The instruments that a target is about: `venue`, `category:NAME` or `product:SYMBOL`."""
    if scope.startswith(PRODUCT_SCOPE):
        return frozenset(number for number, one in listed.items() if one.symbol == scope.removeprefix(PRODUCT_SCOPE))
    if scope.startswith(CATEGORY_SCOPE):
        return frozenset(number for number, one in listed.items() if one.category == scope.removeprefix(CATEGORY_SCOPE))
    return frozenset(listed)


def done_by_day(key: TargetKey, traded: DayTrades, instruments: Iterable[int], today: int) -> Done:
    """What the days of a target's period did: kilograms of `tonnes`, else fen. Delivered is net traded (ladder.py)."""
    unit = "kilograms" if key.metric == "tonnes" else "amount_fen"
    wanted = frozenset(instruments)
    values = [
        (day, getattr(one, unit))
        for (day, number), one in traded.items()
        if number in wanted and key.month in (0, month_of(day))
    ]
    return Done(sum(value for _, value in values), sum(value for day, value in values if day < today))


async def _changed_hands(connection: AsyncConnection, key: TargetKey, instruments: Iterable[int], today: int) -> Done:
    """The days of the target's period as one period, with and without the current one."""
    period = month_period(key.year, key.month)
    wanted = frozenset(instruments)

    async def until(last: int) -> int:
        by_instrument = await read_changed_hands_by_instrument(connection, period.first, last)
        return sum(fen for number, fen in by_instrument.items() if number in wanted)

    whole = await until(period.last)
    return Done(whole, whole if today > period.last else await until(today - 1))


def month_period(year: int, month: int) -> Period:
    """The days of a month; of month 0 those of the year."""
    return Period(year * 10_000 + month * 100, year * 10_000 + month * 100 + 99) if month else whole_year(year)


def _line(key: TargetKey, row: Row, progress: TargetProgress) -> TargetLine:
    decimals = 3 if key.metric == "tonnes" else 2
    required = progress.required_per_day
    return TargetLine(
        **{name: row[name] for name in ("scope", "metric", "month", "name", "seq")},
        stage=progress.stage,
        target=fixed_text(progress.owed, decimals),
        done=fixed_text(progress.done.whole, decimals),
        share=ratio_text(progress.done.whole, progress.owed),
        missing=fixed_text(progress.missing, decimals),
        days_total=progress.days_total,
        days_completed=progress.days_completed,
        days_left=progress.days_left,
        pace=fixed_text(progress.pace, decimals),
        ahead=fixed_text(progress.ahead, decimals),
        required_per_day=None if required is None else fixed_text(required, decimals),
    )
