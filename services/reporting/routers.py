"""All report routes of a gateway: those that members read, and those of operators, which name members. And those of a process
that makes reports for a gateway."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.calendar import TradingCalendar
from services.messaging.tail import Readable
from services.reporting import app, conduct_routes, decision_routes, last_day, past_forecasts, present, wash_routes
from services.reporting.breakdown import routes as breakdown
from services.reporting.drill import routes as drill
from services.reporting.market import routes as market
from services.reporting.requests import Projected
from services.reporting.turns import ReportTurns


def member_routers(
    read_database: AsyncEngine,
    calendar: TradingCalendar,
    projected: Projected,
    journal: Readable,
    turns: ReportTurns,
    days_turns: ReportTurns,
    deciders: decision_routes.Deciders,
) -> list[APIRouter]:
    """The gateway that includes them checks the key. `projected(seq)` waits until the read database has reached seq. The
    journal is read for reports on the past and on single days. `days_turns`: of those that read whole days or years."""
    return [
        app.router(read_database, calendar, projected, journal, turns, days_turns),
        last_day.router(read_database, calendar, projected, turns),
        decision_routes.router(read_database, projected, deciders),
        market.router(read_database, journal, projected, days_turns),
        wash_routes.router(read_database, projected, turns),
        breakdown.router(read_database, calendar, projected, turns),
        breakdown.flagged_router(read_database, calendar, projected, days_turns),
        past_forecasts.router(read_database, calendar, projected, days_turns),
        drill.days_router(read_database, projected, turns),
    ]


def operator_routers(
    read_database: AsyncEngine, projected: Projected, journal: Readable, shown: Callable[[], int], turns: ReportTurns
) -> list[APIRouter]:
    """As `member_routers`. Rows of the journal are shown up to the sequence number `shown()`."""
    return [
        wash_routes.findings_router(read_database, projected, turns),
        conduct_routes.router(read_database, projected, turns),
        breakdown.members_router(read_database, projected, turns),
        drill.router(read_database, projected),
        drill.journal_router(journal, shown),
    ]


def present_routers(read_database: AsyncEngine, calendar: TradingCalendar) -> list[APIRouter]:
    """The reports that `ReportTurns` has made elsewhere. The gateway has checked each request, and has waited for its seq."""
    return [
        present.present_router(read_database, calendar),
        last_day.router(read_database, calendar, _reached),
        breakdown.router(read_database, calendar, _reached),
        breakdown.members_router(read_database, _reached),
        drill.days_router(read_database, _reached),
        wash_routes.router(read_database, _reached),
        wash_routes.findings_router(read_database, _reached),
        conduct_routes.router(read_database, _reached),
    ]


def journal_routers(read_database: AsyncEngine, calendar: TradingCalendar, journal: Readable) -> list[APIRouter]:
    """The reports for which a process of its own reads whole days or years. The gateway has checked and waited."""
    return [
        present.past_router(read_database, calendar, journal),
        market.router(read_database, journal, _reached),
        breakdown.flagged_router(read_database, calendar, _reached),
        past_forecasts.router(read_database, calendar, _reached),
    ]


async def _reached(_seq: int) -> None:
    """The gateway has waited."""
