"""What the monitor sees of the completed trading days, from the read database: the pace of the year, and surveillance.

The queries of one reading are of one position. It takes a second or more in a year of 80,000 trades, so it runs in a process of
its own (judging.py), and only when a day has ended, or a decision, a target or a declared control has changed what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.conditions import Condition, OpenAlerts
from services.alerts.pace import pace_conditions, standing
from services.alerts.trading import Trading, trading_conditions
from services.commands.attachments import DayClosed
from services.data.calendar import TradingCalendar
from services.read_model.names import read_member_names, read_symbols
from services.read_model.tables import decisions, position, records, targets, trades
from services.reporting.exports.daily_bulletin import daily_bulletins
from services.reporting.exports.day_seal import day_sha256
from services.reporting.exports.reading import BulletinRows, read_market
from services.reporting.queries import YearTurnover, read_year
from services.surveillance.abnormal_trading import DayCounts, Step, breaches, ladder
from services.surveillance.contracts import Control, Finding, ScreenTrades
from services.surveillance.measures import CONTROL_TYPES
from services.surveillance.reading import read_control, read_day_counts, read_screen_trades, read_settlements_before
from services.surveillance.screen import screen
from services.surveillance.settlement_influence import WINDOW_DAYS, influence_alerts, influences
from services.venue_state.alerts import VenueAlert


async def read_closed_days(connection: AsyncConnection, last: int) -> BulletinRows | None:
    """The days up to the completed day `last`, yyyymmdd, with their closings; None before the projector's first transaction."""
    return await read_market(connection, (last // 10_000 - 1) * 10_000, last)


def closings_due(market: BulletinRows | None) -> list[DayClosed]:
    """The closings that are missing, oldest day first."""
    if market is None:
        return []
    due, position = [], market.position
    for bulletin in daily_bulletins(market):
        date, digest = bulletin.date, day_sha256(bulletin)
        before = market.closings[date][-1] if date in market.closings else None
        if bulletin.complete and (before is None or before.sha256 != digest):
            due.append(
                DayClosed(
                    date=date,
                    revision=1 if before is None else before.revision + 1,
                    at_seq=position["seq"],
                    row_hash=position["row_hash"].hex(),
                    sha256=digest,
                )
            )
    return due


Opened = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Opens a connection to the read database."""


class DecidingFacts(NamedTuple):
    """What decides the conditions of completed days: a reading is made anew when one of these has changed."""

    trading_date: int
    last_decision: int
    last_target: int
    last_control: int
    """The last record that declared a common control, or ended one."""


@dataclass(frozen=True)
class CompletedDays:
    """What was read of the judged years, up to the last completed day."""

    date: int
    """That day, yyyymmdd."""
    today: int
    window: tuple[int, ...]
    """The last WINDOW_DAYS trading days, `date` included."""
    turnovers: Mapping[int, YearTurnover]
    """Of each judged year, ascending (`years_to_judge`)."""
    screened: ScreenTrades
    """Of the judged years."""
    excluded: frozenset[int]
    before: Mapping[tuple[int, int], Fraction]
    """The settlement prices before each day."""
    counts: list[DayCounts]
    """Of the years of `window`, from their first day: the ladder counts a year."""
    control: Control
    names: Mapping[int, str]
    """Of the members."""
    symbols: Mapping[int, str]


@dataclass(frozen=True)
class Judged:
    """What follows from the completed days."""

    facts: DecidingFacts
    holding: list[Condition]
    """All that holds of the kinds of pace.py and trading.py."""
    closings: list[DayClosed]
    """The days that are to be closed."""


async def judge_days(opened: Opened, calendar: TradingCalendar, is_open: OpenAlerts) -> Judged | None:
    """Reads and judges the completed days; None where the venue has completed none."""
    async with opened() as connection:
        facts = await read_facts(connection)
        found = None if facts is None else await read_completed_days(connection, calendar, facts.trading_date, is_open)
        if facts is None or found is None:
            return None
        closed = await read_closed_days(connection, found.date)
    return Judged(facts, conditions_of_days(found, calendar, is_open), closings_due(closed))


async def read_facts(connection: AsyncConnection) -> DecidingFacts | None:
    """The facts at the read database's position; None before its first transaction."""
    last_control = select(func.max(records.c.seq)).where(records.c.type.in_(CONTROL_TYPES)).scalar_subquery()
    query = select(
        position.c.trading_date,
        select(func.coalesce(func.max(decisions.c.seq), 0)).scalar_subquery(),
        select(func.coalesce(func.max(targets.c.seq), 0)).scalar_subquery(),
        func.coalesce(last_control, 0),
    )
    found = (await connection.execute(query)).first()
    return None if found is None else DecidingFacts(*found)


def years_to_judge(window: Sequence[int], is_open: OpenAlerts) -> tuple[int, ...]:
    """The year of the window's last day; and the one before, while a day of the window is in it or an alert of it waits."""
    year = window[-1] // 10_000
    also_before = window[0] // 10_000 < year or any(_waits(alert, year - 1) for alert in is_open.values())
    return (year - 1, year) if also_before else (year,)


def _waits(alert: VenueAlert, year: int) -> bool:
    """Whether the open alert is of this year and waits: a finding for a decision, a pace for an acknowledgement."""
    if alert.kind == "wash_finding":
        return alert.key.startswith(f"wash_finding:{year}:")
    return alert.kind == "pace" and alert.subject == str(year) and alert.acknowledged_seq is None


async def read_completed_days(
    connection: AsyncConnection, calendar: TradingCalendar, today: int, is_open: OpenAlerts
) -> CompletedDays | None:
    """What holds of the days before the trading day `today`; None where the venue has completed none."""
    days = _days_before(calendar, today)
    last, window = days[-1], days[-WINDOW_DAYS:]
    years = years_to_judge(window, is_open)
    turnovers = {year: await read_year(connection, year) for year in years}
    open_years = {
        year: found
        for year, found in turnovers.items()
        if found and 0 < found.first_trading_date <= min(last, _end(year))
    }
    if not open_years:
        return None
    first = years[0] * 10_000
    of_years = trades.c.trading_date.between(first, last), trades.c.excluded_seq.isnot(None)
    control, _ = await read_control(connection)
    return CompletedDays(
        date=last,
        today=today,
        window=window,
        turnovers=open_years,
        screened=await read_screen_trades(connection, first, last),
        excluded=frozenset(await connection.scalars(select(trades.c.trade_id).where(*of_years))),
        before=await read_settlements_before(connection, last),
        counts=await read_day_counts(connection, window[0] // 10_000 * 10_000, last),
        control=control,
        names=await read_member_names(connection),
        symbols=await read_symbols(connection),
    )


def conditions_of_days(found: CompletedDays, calendar: TradingCalendar, is_open: OpenAlerts) -> list[Condition]:
    """All that holds of the kinds of pace.py and trading.py."""
    late = found.screened[found.screened["trading_date"] >= found.window[0]]
    days = sorted({*found.window, *late["trading_date"].tolist()})
    seen = Trading(
        findings=[finding for year in found.turnovers for finding in _findings_of(found, year)],
        excluded=found.excluded,
        influences=influence_alerts(influences(late, found.before), days),
        steps=[step for year in sorted({day // 10_000 for day in days}) for step in _steps_of(found, year)],
        names=found.names,
        symbols=found.symbols,
    )
    paces = [one for year in found.turnovers for one in _pace_of(found, calendar, year, is_open)]
    return [*paces, *trading_conditions(seen)]


def _pace_of(found: CompletedDays, calendar: TradingCalendar, year: int, is_open: OpenAlerts) -> list[Condition]:
    """How badly the year stands. Of a year that ended before the window only the alerts that wait."""
    stands = standing(found.turnovers[year], calendar, year, found.today)
    bad = pace_conditions(year, min(found.date, _end(year)), stands)
    if year >= found.window[0] // 10_000:
        return bad
    return [one for one in bad if one.key in is_open and _waits(is_open[one.key], year)]


def _findings_of(found: CompletedDays, year: int) -> Sequence[Finding]:
    of_year = found.screened["trading_date"] // 10_000 == year
    return screen(found.screened[of_year], control=found.control, names=found.names)


def _steps_of(found: CompletedDays, year: int) -> list[Step]:
    """The steps of the window's days of the year, as the ladder of the whole year provides them."""
    of_year = [one for one in found.counts if one.trading_date // 10_000 == year]
    return [step for step in ladder(breaches(of_year, found.control)) if step.trading_date >= found.window[0]]


def _end(year: int) -> int:
    return year * 10_000 + 1231


def _days_before(calendar: TradingCalendar, today: int) -> tuple[int, ...]:
    """The trading days of the calendar before `today`, ascending, of its year and the year before."""
    year = today // 10_000
    days = [_number(day) for day in (*calendar.days(year - 1), *calendar.days(year))]
    return tuple(day for day in days if day < today)


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
