"""The year's report, as it is now or as it was after an earlier command, in each of its formats."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.calendar import TradingCalendar
from services.messaging.tail import Readable
from services.read_model.errors import ReadDatabaseSilent
from services.reporting.as_of import NotReached
from services.reporting.day_sums import TradeSums, compared
from services.reporting.exports.answers import year_answer
from services.reporting.exports.turnover_sheet import csv_text
from services.reporting.queries import Values, YearTurnover, read_daily, read_year
from services.reporting.report import build_report
from services.reporting.requests import NOT_REACHED, Seq, Year, invalid_query, recorded
from services.reporting.year_as_of import read_year_as_of

Format = Literal["json", "csv", "xlsx", "pdf"]

PAST_S = 30.0
"""How long a report of the past may take: where self-trades were prevented on its day, the journal is read from the day's
beginning."""


def address_of_year(year: int, chosen: Format, seq: int | None = None) -> str:
    """The path and query of `present_router` for a report, or of `past_router` for one after the command seq."""
    address = f"/v1/reports/turnover/{year}?format={chosen}"
    return address if seq is None else f"{address}&seq={seq}"


def present_router(read_database: AsyncEngine, calendar: TradingCalendar) -> APIRouter:
    """The route of a process that only makes reports: a gateway has checked the request, and has waited."""
    routes, sums = APIRouter(prefix="/v1/reports"), TradeSums()

    @routes.get("/turnover/{year}")
    async def turnover(year: Year, format: Format = "json") -> Response:
        return await present_answer(read_database, calendar, year, format, sums)

    return routes


def past_router(read_database: AsyncEngine, calendar: TradingCalendar, journal: Readable) -> APIRouter:
    """The route of a process that makes the reports for which the journal is read."""
    routes, sums = APIRouter(prefix="/v1/reports"), TradeSums()

    @routes.get("/turnover/{year}")
    async def turnover(year: Year, seq: Seq, format: Format = "json") -> Response:
        """Ends by itself before the process would be ended, and what others read from the journal lost."""
        try:
            async with asyncio.timeout(PAST_S):
                return await past_answer(read_database, calendar, journal, year, seq, format, sums)
        except TimeoutError as error:
            raise ReadDatabaseSilent(f"the report was not made within {PAST_S:g} s", PAST_S) from error

    return routes


async def past_answer(
    read_database: AsyncEngine,
    calendar: TradingCalendar,
    journal: Readable,
    year: int,
    seq: int,
    chosen: Format,
    sums: TradeSums,
) -> Response:
    """The report as it was after the command seq. Raises the 422 problem of a seq that the journal has not reached."""
    try:
        found, daily, _ = await read_year_as_of(read_database, journal, year, seq, sums)
    except NotReached as error:
        raise invalid_query("seq", NOT_REACHED) from error
    return await answer_of_year(year, found, daily, calendar, chosen)


async def present_answer(
    read_database: AsyncEngine, calendar: TradingCalendar, year: int, chosen: Format, sums: TradeSums
) -> Response:
    """The report at the read database's position; `sums` are compared. Raises HTTPException (409) where nothing is recorded."""
    async with read_database.connect() as connection:
        found = recorded(await read_year(connection, year))
        daily = await read_daily(connection, year) if chosen == "csv" else ()
    found = await compared(read_database, found, year, sums)
    return await answer_of_year(year, found, daily, calendar, chosen)


async def answer_of_year(
    year: int, found: YearTurnover, daily: Sequence[Values], calendar: TradingCalendar, chosen: Format
) -> Response:
    """The answer of what was read. A thread makes it: that takes some ten milliseconds of CPU, a file some hundred."""
    return await asyncio.to_thread(_answer, year, found, daily, calendar, chosen)


def _answer(
    year: int, found: YearTurnover, daily: Sequence[Values], calendar: TradingCalendar, chosen: Format
) -> Response:
    report = build_report(year, found, calendar)
    if chosen == "json":
        return JSONResponse(report.to_json())
    if chosen != "csv":
        return year_answer(report, found.position, chosen)
    name = f'attachment; filename="rex-turnover-{year}-seq-{report.seq}.csv"'
    text = csv_text(report, found.instruments, daily)
    return Response(text, media_type="text/csv", headers={"content-disposition": name})
