"""Routes under /v1/reports: the turnover report as JSON, CSV, XLSX or PDF, the turnover of a range of sequence numbers, the
bulletins, and what operators decided (decided.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.calendar import TradingCalendar
from services.decimals import yuan_text
from services.messaging.follow import Readable
from services.reporting.decided import decision_routes
from services.reporting.export import csv_text
from services.reporting.exports.answers import FILE_CONTENT, add_bulletins, year_answer
from services.reporting.moment import NotReached
from services.reporting.past import PastYear, read_past_year
from services.reporting.queries import (
    Values,
    YearTurnover,
    read_daily,
    read_position,
    read_year,
    sum_of_busts,
    sum_of_excluded,
    sum_of_trades,
)
from services.reporting.report import build_report
from services.reporting.requests import PastSeq, Seq, Year, invalid_query, recorded, refuse_past
from services.reporting.schemas import RangeTurnover, TurnoverReport

READ_TIMEOUT_S = 5.0
"""How long a request waits for the read database to reach the sequence number that it names."""

_NOT_REACHED = "the venue has not reached this sequence number"

Format = Literal["json", "csv", "xlsx", "pdf"]


def router(
    read_database: AsyncEngine,
    calendar: TradingCalendar,
    projected: Callable[[int], Awaitable[None]],
    journal: Readable,
) -> APIRouter:
    """The routes; the gateway that includes them checks the key. `projected(seq)` waits until the read database
    has reached seq. The journal is read for reports of the past."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])
    making, looking_back = asyncio.Semaphore(1), asyncio.Semaphore(1)
    add_bulletins(routes, read_database, making)

    @routes.get(
        "/turnover/{year}",
        response_model=TurnoverReport,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}, **FILE_CONTENT}}},
        summary="The year's net single-sided turnover and its target",
    )
    async def turnover(
        year: Year,
        at_least_seq: Annotated[
            Seq, Query(description="Waits until the report counts this sequence number; 422 after 5 seconds.")
        ] = 0,
        seq: PastSeq = None,
        format: Annotated[
            Format | None,
            Query(description="`csv` may also be asked for with the header `Accept: text/csv`."),
        ] = None,
        accept: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Response:
        chosen: Format = format or ("csv" if "text/csv" in accept else "json")
        if seq is not None:
            refuse_past(seq, at_least_seq)
            await _wait_until_projected(projected, "seq", seq)
            async with looking_back:
                found, daily, _ = await _past(read_database, journal, year, seq)
        else:
            await _wait_until_projected(projected, "at_least_seq", at_least_seq)
            async with read_database.connect() as connection:
                found = recorded(await read_year(connection, year))
                daily = await read_daily(connection, year) if chosen == "csv" else ()
        # It takes some ten milliseconds of CPU, as a file some hundred, which the event loop needs for orders.
        async with making if chosen in ("xlsx", "pdf") else nullcontext():
            return await asyncio.to_thread(_answer, year, found, daily, calendar, chosen)

    @routes.get(
        "/turnover/{year}/range",
        response_model=RangeTurnover,
        summary="Turnover of a range of sequence numbers: trades made, less those busted and excluded",
    )
    async def turnover_of_range(
        year: Year,
        after_seq: Annotated[Seq, Query(description="The range begins after this sequence number.")],
        to_seq: Annotated[Seq, Query(description="The range ends with this sequence number.")],
    ) -> dict[str, Any]:
        await _wait_until_projected(projected, "to_seq", to_seq)
        async with read_database.connect() as connection:
            position = recorded(await read_position(connection))
            made = await sum_of_trades(connection, year, after_seq, to_seq)
            busted = await sum_of_busts(connection, year, after_seq, to_seq)
            before = await sum_of_excluded(connection, year, after_seq)
            excluded = await sum_of_excluded(connection, year, max(after_seq, to_seq)) - before
        net = made - busted - excluded
        return {
            "year": year,
            "after_seq": after_seq,
            "to_seq": to_seq,
            "gross": yuan_text(made.amount_fen),
            "busted": yuan_text(busted.amount_fen),
            "excluded": yuan_text(excluded.amount_fen),
            "net": yuan_text(net.amount_fen),
            "trades": net.trades,
            "busted_trades": busted.trades,
            "quantity_lots": net.quantity_lots,
            "seq": position["seq"],
            "journal_id": position["journal_id"].hex(),
        }

    decision_routes(routes, read_database, partial(_wait_until_projected, projected))
    return routes


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


async def _past(read_database: AsyncEngine, journal: Readable, year: int, seq: int) -> PastYear:
    try:
        return await read_past_year(read_database, journal, year, seq)
    except NotReached as error:
        raise invalid_query("seq", _NOT_REACHED) from error


async def _wait_until_projected(projected: Callable[[int], Awaitable[None]], field: str, seq: int) -> None:
    try:
        await asyncio.wait_for(projected(seq), READ_TIMEOUT_S)
    except TimeoutError as error:
        raise invalid_query(field, _NOT_REACHED) from error
