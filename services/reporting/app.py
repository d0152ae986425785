"""Routes under /v1/reports: the turnover report as JSON, CSV, XLSX or PDF, the turnover of a range of sequence numbers, the
bulletins, and what operators decided (decision_routes.py)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.calendar import TradingCalendar
from services.messaging.tail import Readable
from services.reporting.day_sums import TradeSums
from services.reporting.exports.answers import FILE_CONTENT, add_bulletins
from services.reporting.in_time import connect_in_time
from services.reporting.present import Format, address_of_year, past_answer, present_answer
from services.reporting.queries import read_position, sum_of_busts, sum_of_excluded, sum_of_trades
from services.reporting.requests import (
    AtLeast,
    PastSeq,
    Projected,
    Seq,
    Year,
    recorded,
    refuse_past,
    wait_until_projected,
    waiting_routes,
)
from services.reporting.schemas import RangeTurnover, TurnoverReport
from services.reporting.turns import ReportTurns


def router(
    read_database: AsyncEngine,
    calendar: TradingCalendar,
    projected: Projected,
    journal: Readable,
    turns: ReportTurns,
    days_turns: ReportTurns,
) -> APIRouter:
    """The routes; the gateway that includes them checks the key. `projected(seq)` waits until the read database
    has reached seq. The journal is read for reports of the past, which take `days_turns`."""
    routes, sums = APIRouter(prefix="/v1/reports", tags=["reports"]), TradeSums()

    @routes.get(
        "/turnover/{year}",
        response_model=TurnoverReport,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}, **FILE_CONTENT}}},
        summary="The year's net single-sided turnover and its target",
    )
    async def turnover(
        year: Year,
        at_least_seq: AtLeast = 0,
        seq: PastSeq = None,
        format: Annotated[
            Format | None,
            Query(description="`csv` may also be asked for with the header `Accept: text/csv`."),
        ] = None,
        accept: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Response:
        chosen: Format = format or ("csv" if "text/csv" in accept else "json")
        address = address_of_year(year, chosen, seq)
        answer: Response
        if seq is None:
            await wait_until_projected(projected, "at_least_seq", at_least_seq)
            make = partial(present_answer, read_database, calendar, year, chosen, sums)
            answer = await turns.take(address, make, at_least_seq)
        else:
            refuse_past(seq, at_least_seq)
            await wait_until_projected(projected, "seq", seq)
            make = partial(past_answer, read_database, calendar, journal, year, seq, chosen, sums)
            answer = await days_turns.take(address, make)
        return answer

    @routes.get(
        "/turnover/{year}/range",
        response_model=RangeTurnover,
        summary="Turnover of a range of sequence numbers: trades made, less those busted and excluded",
    )
    async def turnover_of_range(
        year: Year,
        after_seq: Annotated[Seq, Query(description="The range begins after this sequence number.")],
        to_seq: Annotated[Seq, Query(description="The range ends with this sequence number.")],
    ) -> RangeTurnover:
        await wait_until_projected(projected, "to_seq", to_seq)
        async with connect_in_time(read_database) as connection:
            position = recorded(await read_position(connection))
            made = await sum_of_trades(connection, year, after_seq, to_seq)
            busted = await sum_of_busts(connection, year, after_seq, to_seq)
            before = await sum_of_excluded(connection, year, after_seq)
            excluded = await sum_of_excluded(connection, year, max(after_seq, to_seq)) - before
        net = made - busted - excluded
        return RangeTurnover(
            year=year,
            after_seq=after_seq,
            to_seq=to_seq,
            gross_fen=made.amount_fen,
            busted_fen=busted.amount_fen,
            excluded_fen=excluded.amount_fen,
            net_fen=net.amount_fen,
            trades=net.trades,
            busted_trades=busted.trades,
            quantity_lots=net.quantity_lots,
            seq=position["seq"],
            journal_id=position["journal_id"],
        )

    waiting = waiting_routes(projected)
    add_bulletins(waiting, read_database, asyncio.Semaphore(1))
    together = APIRouter()
    together.include_router(routes)
    together.include_router(waiting)
    return together
