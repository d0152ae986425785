"""What the monitor sees of the completed trading days, from the read database: a turn of the pace, and surveillance.

The queries of one reading are of one position. It takes a second or more in a year of 80,000 trades, so it runs in a process of
its own (judging.py), and only when a day has ended, or a decision or a target has changed what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.closing import closings_due, read_closed_days
from services.alerts.conditions import Condition, OpenAlerts
from services.alerts.pace import pace_conditions, turns_of
from services.alerts.trading import Trading, trading_conditions
from services.commands.attachments import DayClosed
from services.data.calendar import TradingCalendar
from services.read_database.tables import accounts, decisions, instruments, position, targets, trades
from services.reporting.queries import YearTurnover, read_year
from services.surveillance.abnormal_trading import DayCounts, breaches, ladder
from services.surveillance.contracts import ScreenTrades
from services.surveillance.reading import read_day_counts, read_screen_trades, read_settlements_before
from services.surveillance.screen import screen
from services.surveillance.settlement_influence import WINDOW_DAYS, influence_alerts, influences

Opened = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Opens a connection to the read database."""


class Facts(NamedTuple):
    """What decides the conditions of completed days: a reading is made anew when one of these has changed."""

    trading_date: int
    last_decision: int
    last_target: int


@dataclass(frozen=True)
class CompletedDays:
    """What was read of a year, up to its last completed day."""

    year: int
    date: int
    """That day, yyyymmdd."""
    today: int
    window: tuple[int, ...]
    """The last WINDOW_DAYS trading days, `date` included."""
    turnover: YearTurnover
    screened: ScreenTrades
    excluded: frozenset[int]
    before: Mapping[tuple[int, int], Fraction]
    """The settlement prices before each day."""
    counts: list[DayCounts]
    names: Mapping[int, str]
    symbols: Mapping[int, str]


@dataclass(frozen=True)
class Judged:
    """What follows from the completed days."""

    facts: Facts
    holding: list[Condition]
    """All that holds of the kinds of pace.py and trading.py."""
    closings: list[DayClosed]
    """The days that are to be closed."""


async def judge_days(opened: Opened, calendar: TradingCalendar, is_open: OpenAlerts) -> Judged | None:
    """Reads and judges the completed days; None where the venue has completed none."""
    async with opened() as connection:
        facts = await read_facts(connection)
        found = None if facts is None else await read_completed_days(connection, calendar, facts.trading_date)
        if facts is None or found is None:
            return None
        closed = await read_closed_days(connection, found.date)
    return Judged(facts, conditions_of_days(found, calendar, is_open), closings_due(closed))


async def read_facts(connection: AsyncConnection) -> Facts | None:
    """The facts at the read database's position; None before its first transaction."""
    query = select(
        position.c.trading_date,
        select(func.coalesce(func.max(decisions.c.seq), 0)).scalar_subquery(),
        select(func.coalesce(func.max(targets.c.seq), 0)).scalar_subquery(),
    )
    found = (await connection.execute(query)).first()
    return None if found is None else Facts(*found)


async def read_completed_days(
    connection: AsyncConnection, calendar: TradingCalendar, today: int
) -> CompletedDays | None:
    """What holds of the days before the trading day `today`; None where the venue has completed none."""
    days = _days_before(calendar, today)
    last = days[-1]
    turnover = await read_year(connection, last // 10_000)
    if turnover is None or not turnover.born or turnover.born > last:
        return None
    year, window = last // 10_000, days[-WINDOW_DAYS:]
    of_year = trades.c.trading_date.between(year * 10_000, last), trades.c.excluded_seq.isnot(None)
    return CompletedDays(
        year=year,
        date=last,
        today=today,
        window=window,
        turnover=turnover,
        screened=await read_screen_trades(connection, year * 10_000, last),
        excluded=frozenset(await connection.scalars(select(trades.c.trade_id).where(*of_year))),
        before=await read_settlements_before(connection, last),
        counts=await read_day_counts(connection, window[0], last),
        names={row[0]: row[1] for row in await connection.execute(select(accounts.c.account, accounts.c.name))},
        symbols={
            row[0]: row[1] for row in await connection.execute(select(instruments.c.instrument, instruments.c.symbol))
        },
    )


def conditions_of_days(found: CompletedDays, calendar: TradingCalendar, is_open: OpenAlerts) -> list[Condition]:
    """All that holds of the kinds of pace.py and trading.py."""
    turns = turns_of(found.turnover, calendar, found.year, found.date, found.today)
    late = found.screened[found.screened["trading_date"] >= found.window[0]]
    days = sorted({*found.window, *late["trading_date"].tolist()})
    seen = Trading(
        findings=screen(found.screened, names=found.names),
        excluded=found.excluded,
        influences=influence_alerts(influences(late, found.before), days),
        steps=ladder(breaches(found.counts)),
        names=found.names,
        symbols=found.symbols,
    )
    return [*(one for turn in turns for one in pace_conditions(turn, is_open)), *trading_conditions(seen)]


def _days_before(calendar: TradingCalendar, today: int) -> tuple[int, ...]:
    """The trading days of the calendar before `today`, ascending, of its year and the year before."""
    year = today // 10_000
    days = [_number(day) for day in (*calendar.days(year - 1), *calendar.days(year))]
    return tuple(day for day in days if day < today)


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
