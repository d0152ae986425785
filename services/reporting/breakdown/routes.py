"""Routes under /v1/reports: what the year's turnover is made of. Each returns the model of its answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.calendar import TradingCalendar
from services.reporting.breakdown.bridge import TurnoverBridgeReport, read_bridge
from services.reporting.breakdown.concentration import ConcentrationReport, concentration_of
from services.reporting.breakdown.context import ContextReport, read_context
from services.reporting.breakdown.documents import Sealed
from services.reporting.breakdown.fees import FeesReport, fees_of
from services.reporting.breakdown.flagged import read_to_screen
from services.reporting.breakdown.months import MonthsReport, read_months
from services.reporting.breakdown.reading import MemberYear, read_member_year
from services.reporting.breakdown.splits import Members, SidedSplit, Split, SplitBy, members_of, read_split
from services.reporting.breakdown.targets import TargetsReport, read_targets
from services.reporting.breakdown.undecided import UndecidedReport, undecided
from services.reporting.breakdown.variance import VarianceReport, read_variance
from services.reporting.queries import read_year
from services.reporting.requests import Projected, Year, recorded, waiting_routes
from services.reporting.turns import ReportTurns


def router(
    read_database: AsyncEngine, calendar: TradingCalendar, projected: Projected, turns: ReportTurns | None = None
) -> APIRouter:
    """The routes; the gateway that includes them checks the key. None of them names a member."""
    routes = waiting_routes(projected, turns)
    _add_trade_routes(routes, read_database)
    _add_year_routes(routes, read_database, calendar)
    return routes


def members_router(read_database: AsyncEngine, projected: Projected, turns: ReportTurns | None = None) -> APIRouter:
    """The route of operators: it names members."""
    routes = waiting_routes(projected, turns)

    @routes.get("/turnover/{year}/members", summary="The members of the year by name: bought, sold, shares, fees")
    async def members(year: Year) -> Members:
        return members_of(await _member_year(read_database, year))

    return routes


async def _member_year(read_database: AsyncEngine, year: int) -> MemberYear:
    async with read_database.connect() as connection:
        return recorded(await read_member_year(connection, year))


def _add_trade_routes(routes: APIRouter, read_database: AsyncEngine) -> None:
    @routes.get(
        "/turnover/{year}/ladder",
        summary="From gross to net, to what changed hands, was delivered and was taken out",
    )
    async def ladder(year: Year) -> TurnoverBridgeReport:
        async with read_database.connect() as connection:
            return await read_bridge(connection, recorded(await read_member_year(connection, year)))

    @routes.get(
        "/turnover/{year}/splits",
        response_model=Split | SidedSplit,
        summary="The net turnover split into parts, in yuan, tonnes and trades",
        description="Account classes and members have two sides: what all bought adds up to the net turnover, and what all "
        "sold. Members are ranked, not named: `GET /v1/reports/turnover/{year}/members` names them to operators.",
    )
    async def splits(year: Year, by: Annotated[SplitBy, Query(description="What the parts are.")]) -> Sealed:
        async with read_database.connect() as connection:
            return recorded(await read_split(connection, year, by))

    @routes.get(
        "/turnover/{year}/concentration", summary="Shares of the largest members by side and product, and the HHI"
    )
    async def concentration(year: Year) -> ConcentrationReport:
        return concentration_of(await _member_year(read_database, year))


def _add_year_routes(routes: APIRouter, read_database: AsyncEngine, calendar: TradingCalendar) -> None:
    @routes.get(
        "/turnover/{year}/effects",
        summary="The difference to the year before: by price, by tonnage, new products, gone products",
    )
    async def effects(year: Year) -> VarianceReport:
        async with read_database.connect() as connection:
            return recorded(await read_variance(connection, year))

    @routes.get("/turnover/{year}/months", summary="The months: actual, plan, the year before")
    async def months(year: Year) -> MonthsReport:
        async with read_database.connect() as connection:
            found = recorded(await read_year(connection, year))
            return await read_months(connection, year, found, calendar)

    @routes.get("/turnover/{year}/fees", summary="Fee income, and without value-added tax")
    async def fees(year: Year) -> FeesReport:
        return fees_of(await _member_year(read_database, year))

    @routes.get(
        "/targets/{year}/progress", summary="The progress of every target of a year and its months that is in force"
    )
    async def progress(year: Year) -> TargetsReport:
        async with read_database.connect() as connection:
            found = recorded(await read_year(connection, year))
            return await read_targets(connection, year, found, calendar)

    @routes.get(
        "/context/{year}",
        summary="Figures about the world outside that operators entered, with their sources; not of this venue",
    )
    async def context(year: Year) -> ContextReport:
        async with read_database.connect() as connection:
            return recorded(await read_context(connection, year))


def flagged_router(
    read_database: AsyncEngine, calendar: TradingCalendar, projected: Projected, turns: ReportTurns | None = None
) -> APIRouter:
    """The route for which every trade of a year is screened; the gateway that includes it checks the key."""
    routes = waiting_routes(projected, turns)

    @routes.get(
        "/turnover/{year}/flagged",
        summary="What the wash screen flagged, and how the year would stand without what waits for a decision",
    )
    async def flagged(year: Year) -> UndecidedReport:
        async with read_database.connect() as connection:
            found = recorded(await read_year(connection, year))
            to_screen = await read_to_screen(connection, year)
        screened = await to_screen.screened()
        return undecided(year, found, to_screen.traded, screened, calendar)

    return routes
