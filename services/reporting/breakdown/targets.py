"""The progress of every target of a year: of any metric, of the venue, a category or a product, of the year or a month.

The year's report measures the venue's own target in more detail (services/reporting/target.py). What is owed, due and required
follows from the same rules: no pace counts days before the venue's first one, and the current day stands apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from pydantic import Field, field_serializer
from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import CATEGORY_SCOPE, PRODUCT_SCOPE, Metric
from services.data.calendar import TradingCalendar
from services.read_model.targets import Row, TargetKey, amount_text, in_force, targets_of_year
from services.reporting.breakdown import reading
from services.reporting.breakdown.documents import Sealed
from services.reporting.breakdown.reading import DaySums, Instruments, Period, month_of, whole_year
from services.reporting.documents import CalendarSource, Document, Ratio, ratio, seal
from services.reporting.queries import YearTurnover
from services.reporting.target import due, open_days, prorated, required_per_day, year_days
from services.surveillance.reading import read_changed_hands_by_instrument

Stage = Literal["not_open", "not_begun", "running", "reached", "missed"]
"""`reached` at any time; `missed` when the period has ended; `not_open`: the venue had no trading day in it."""


class TargetLine(Document):
    """A target in force and what was done. Amounts are yuan; those of `tonnes` are tonnes."""

    scope: str
    metric: Metric
    month: int = Field(description="0: the whole year.")
    name: str
    seq: int = Field(description="The command that set it.")
    stage: Stage = Field(
        description="`not_open`: the venue has no trading day in the period; `missed`: it has ended below the target."
    )
    target: int = Field(description="What is owed; of a target that is pro rata the share of the venue's trading days.")
    done: int
    share: Ratio = Field(description="done / target.")
    missing: int
    days_total: int
    days_completed: int
    days_left: int
    pace: int = Field(description="Due at the end of the last completed day.")
    ahead: int = Field(description="Done on the completed days − pace; negative where it is behind.")
    required_per_day: int | None = Field(
        description="Rounded up; null where no day is left, and of `changed_hands`, whose days do not add up."
    )

    @field_serializer("target", "done", "missing", "pace", "ahead")
    def _text(self, value: int) -> str:
        """Fen or kilograms, as yuan or tonnes."""
        return amount_text(self.metric, value)

    @field_serializer("required_per_day")
    def _text_or_none(self, value: int | None) -> str | None:
        return None if value is None else self._text(value)


class TargetsReport(Sealed):
    """The progress of every target of the year that is in force."""

    calendar: CalendarSource
    targets: tuple[TargetLine, ...] = Field(
        description="At most one for each scope (the venue, a category, a product), metric and period."
    )


class Done(NamedTuple):
    """What was done so far, in the unit of the target: fen, or kilograms."""

    whole: int
    """With the current day."""
    completed: int
    """Without the current day. What changed hands may be less with it: goods that came back did not change hands."""


async def read_targets(
    connection: AsyncConnection, year: int, found: YearTurnover, calendar: TradingCalendar
) -> TargetsReport:
    """The progress of every target in force; `found` is the year of this position."""
    rows = in_force(await targets_of_year(connection, year))
    days = year_days(calendar, year, found.net_by_day)
    listed = await reading.read_listed(connection)
    traded = await reading.read_days(connection, whole_year(year), listed) if rows else []
    today, lines = found.position["trading_date"], []
    for key, row in sorted(rows.items()):
        instruments = in_scope(key.scope, listed)
        if key.metric == "changed_hands":
            done = await _changed_hands(connection, key, instruments, today)
        else:
            done = done_by_day(key, traded, instruments, today)
        of_period = tuple(day for day in days if key.month in (0, month_of(day)))
        lines.append(measure_target(row, of_period, done, today=today, first_trading_date=found.first_trading_date))
    return TargetsReport(year=year, **seal(found.position), calendar=calendar.source(year), targets=tuple(lines))


def in_scope(scope: str, listed: Instruments) -> frozenset[int]:
    """The instruments that a target is about: `venue`, `category:NAME` or `product:SYMBOL`."""
    if scope.startswith(PRODUCT_SCOPE):
        return frozenset(number for number, one in listed.items() if one.symbol == scope.removeprefix(PRODUCT_SCOPE))
    if scope.startswith(CATEGORY_SCOPE):
        return frozenset(number for number, one in listed.items() if one.category == scope.removeprefix(CATEGORY_SCOPE))
    return frozenset(listed)


def done_by_day(key: TargetKey, traded: Iterable[DaySums], instruments: frozenset[int], today: int) -> Done:
    """What the days of a target's period did: kilograms of `tonnes`, else fen. Delivered is net traded (bridge.py)."""
    values = [
        (day.trading_date, day.kilograms if key.metric == "tonnes" else day.amount_fen)
        for day in traded
        if day.instrument in instruments and key.month in (0, month_of(day.trading_date))
    ]
    return Done(sum(value for _, value in values), sum(value for day, value in values if day < today))


async def _changed_hands(connection: AsyncConnection, key: TargetKey, instruments: frozenset[int], today: int) -> Done:
    """The days of the target's period as one period, with and without the current one."""
    period = month_period(key.year, key.month)

    async def until(last: int) -> int:
        by_instrument = await read_changed_hands_by_instrument(connection, period.first, last)
        return sum(fen for number, fen in by_instrument.items() if number in instruments)

    whole = await until(period.last)
    return Done(whole, whole if today > period.last else await until(today - 1))


def month_period(year: int, month: int) -> Period:
    """The days of a month; of month 0 those of the year."""
    return Period(year * 10_000 + month * 100, year * 10_000 + month * 100 + 99) if month else whole_year(year)


def measure_target(row: Row, days: tuple[int, ...], done: Done, *, today: int, first_trading_date: int) -> TargetLine:
    """The progress of a target over the trading days of its period, yyyymmdd. `row` is one of the table `targets`.

    `today` and the venue's first trading day `first_trading_date` are 0 before there is one.
    """
    of_venue = open_days(days, first_trading_date)
    target = prorated(row["amount"], row["pro_rata"], len(of_venue), len(days))
    completed = sum(day < today for day in of_venue)
    left, pace = len(of_venue) - completed, due(target, completed, len(of_venue))
    adds_up = row["metric"] != "changed_hands"
    return TargetLine(
        **{name: row[name] for name in ("scope", "metric", "month", "name", "seq")},
        stage=_stage(of_venue, target, done.whole, today),
        target=target,
        done=done.whole,
        share=ratio(done.whole, target),
        missing=max(target - done.whole, 0),
        days_total=len(of_venue),
        days_completed=completed,
        days_left=left,
        pace=pace,
        ahead=done.completed - pace,
        required_per_day=required_per_day(target, done.completed, left) if adds_up else None,
    )


def _stage(days: Sequence[int], target: int, done: int, today: int) -> Stage:
    if not days:
        return "not_open"
    if done >= target:
        return "reached"
    if today > days[-1]:
        return "missed"
    return "not_begun" if today < days[0] else "running"
