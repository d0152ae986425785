"""The routes of the drill, below /v1/reports.

Each answer is of one position of the read database; with `finding`, which trades the finding has is that of a moment before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.data.instruments import Symbol
from services.messaging.tail import Readable
from services.read_model.errors import ReadDatabaseSilent
from services.read_model.tables import orders, trades
from services.reporting.drill import links
from services.reporting.drill.days import YearDays, read_year_days
from services.reporting.drill.filters import (
    MAX_ID,
    Counted,
    PageCursor,
    PhaseName,
    SideName,
    TradeFilter,
    Wanted,
    resolve,
)
from services.reporting.drill.findings import FindingTrades
from services.reporting.drill.journal_row import JournaledCommand, journaled_command, read_row
from services.reporting.drill.trade_pages import read_page, read_sum
from services.reporting.drill.trades import (
    DrilledOrder,
    DrilledTrade,
    TradePage,
    drilled_order,
    drilled_trade,
    read_around,
)
from services.reporting.in_time import QUERIES_S, connect_in_time
from services.reporting.queries import Values, read_position
from services.reporting.requests import Projected, Year, recorded, wait_until_projected, waiting_routes
from services.reporting.turns import ReportTurns
from services.values.page_parameters import Limit
from services.values.times import WrittenDate

TRADES_OF_ORDER = 100

Id = Annotated[int, Path(ge=1, le=MAX_ID)]


def router(read_database: AsyncEngine, projected: Projected) -> APIRouter:
    """The routes of operators: they name members."""
    routes = waiting_routes(projected)
    _add_trades(routes, read_database, projected)
    _add_order(routes, read_database)
    return routes


def days_router(read_database: AsyncEngine, projected: Projected, turns: ReportTurns | None = None) -> APIRouter:
    """The route that everybody reads: it names no member."""
    routes = waiting_routes(projected, turns)

    @routes.get("/turnover/{year}/days", summary="The trading days that make the year's turnover")
    async def days(
        year: Year, product: Annotated[Symbol | None, Query(description="Only this symbol.")] = None
    ) -> YearDays:
        async with connect_in_time(read_database) as connection:
            return await read_year_days(connection, year, product)

    return routes


def _add_trades(routes: APIRouter, read_database: AsyncEngine, projected: Projected) -> None:
    findings = FindingTrades(read_database)

    @routes.get(
        "/trades",
        summary="The trades that make a figure, and their sum",
        description="All conditions must hold. `sum` adds up every trade of the filter, so that it can be compared with the "
        f"figure. Queries take at most {QUERIES_S:g} seconds: a sum of very many trades may need a narrower filter.",
    )
    async def list_trades(
        year: Annotated[int | None, Query(ge=2000, le=2099, description="Of the trading days.")] = None,
        date: Annotated[WrittenDate | None, Query(description="A trading day, `2026-03-02`.")] = None,
        product: Annotated[Symbol | None, Query(description="A symbol.")] = None,
        member: Annotated[
            int | None,
            Query(ge=1, le=2**32 - 1, description="An account, or an owner group: a trade of any of its accounts."),
        ] = None,
        side: Annotated[SideName | None, Query(description="What the member did.")] = None,
        phase: Annotated[PhaseName | None, Query()] = None,
        counted: Annotated[
            Counted | None, Query(description="Whether they are part of the net turnover; why not.")
        ] = None,
        finding: Annotated[
            str | None,
            Query(max_length=200, description="A finding of the wash screen of `year`, or one that a decision names."),
        ] = None,
        decision: Annotated[
            int | None, Query(ge=1, le=MAX_ID, description="The trades that the decision of this `seq` names.")
        ] = None,
        order: Annotated[int | None, Query(ge=1, le=MAX_ID, description="The trades of this order.")] = None,
        sum: Annotated[bool, Query(description="Whether to add up all trades of the filter.")] = True,
        limit: Limit = 100,
        cursor: Annotated[
            str,
            Query(
                max_length=40,
                json_schema_extra={"pattern": "^[0-9]{1,19}(-[0-9]{1,19})?$"},
                description="`next_cursor` of the previous page. Absent: the first page.",
            ),
        ] = "0",
    ) -> TradePage:
        after = PageCursor.of(cursor)
        wanted = Wanted(year, date, product, member, side, phase, counted, finding, decision, order)
        found = None
        if finding is not None:
            await wait_until_projected(projected, "cursor", after.found_seq or 0)
            found = await findings.read(year, finding, after.found_seq)
            after = after._replace(found_seq=found.seq)
        async with connect_in_time(read_database) as connection:
            position = recorded(await read_position(connection))
            chosen = await resolve(connection, wanted, None if found is None else found.trade_ids)
            return await _page(connection, wanted, chosen, position, after=after, limit=limit, with_sum=sum)

    @routes.get("/trades/{trade_id}", summary="A trade, and whether it counts")
    async def one_trade(trade_id: Id) -> DrilledTrade:
        async with connect_in_time(read_database) as connection:
            found = await connection.execute(select(trades).where(trades.c.trade_id == trade_id))
            row = found.mappings().first()
            if row is None:
                raise HTTPException(404, f"trade_id: there is no trade {trade_id}.")
            return drilled_trade(row, await read_around(connection, [row]))


async def _page(
    connection: AsyncConnection,
    wanted: Wanted,
    chosen: TradeFilter,
    position: Values,
    *,
    after: PageCursor,
    limit: int,
    with_sum: bool,
) -> TradePage:
    found = await read_page(connection, chosen, after.trade_id, limit + 1)
    rows, next_cursor = found[:limit], None
    if len(found) > limit:
        next_cursor = after._replace(trade_id=found[limit - 1]["trade_id"]).text
    around = await read_around(connection, rows)
    query = {**wanted.query(), "limit": limit}
    addresses = {"self": links.trades(**query, cursor=None if after == (0, None) else after.text)}
    if next_cursor is not None:
        addresses["next"] = links.trades(**query, sum="false", cursor=next_cursor)
    return TradePage(
        trades=tuple(drilled_trade(row, around) for row in rows),
        sum=await read_sum(connection, chosen) if with_sum else None,
        next_cursor=next_cursor,
        seq=position["seq"],
        links=addresses,
    )


def _add_order(routes: APIRouter, read_database: AsyncEngine) -> None:
    @routes.get("/orders/{order_id}", summary="An order, with its trades")
    async def one_order(order_id: Id) -> DrilledOrder:
        async with connect_in_time(read_database) as connection:
            position = recorded(await read_position(connection))
            found = await connection.execute(select(orders).where(orders.c.order_id == order_id))
            row = found.mappings().first()
            if row is None:
                raise HTTPException(404, f"order_id: there is no order {order_id}.")
            chosen = await resolve(connection, Wanted(order=order_id))
            made = await read_page(connection, chosen, 0, TRADES_OF_ORDER) if row["filled_lots"] else []
            around = await read_around(connection, made, row["account"])
            return drilled_order(row, made, around, position["seq"])


def journal_router(journal: Readable, shown: Callable[[], int]) -> APIRouter:
    """The route of operators to the journal's rows, up to the sequence number `shown()`: a row that is still being replicated
    is nobody's to see."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])
    reading = asyncio.Semaphore(1)

    @routes.get(
        "/journal/{seq}",
        summary="A command of the journal with its events, and the row that holds it",
    )
    async def row_of(
        seq: Id, first_event: Annotated[int, Query(ge=0, le=2**31, description="Which event comes first.")] = 0
    ) -> JournaledCommand:
        end_seq = shown()
        try:
            async with asyncio.timeout(QUERIES_S), reading:
                found = await read_row(journal, seq) if seq <= end_seq else None
        except TimeoutError as error:
            raise ReadDatabaseSilent(f"the journal gave no row within {QUERIES_S:g} s", QUERIES_S) from error
        if found is None:
            raise HTTPException(404, f"seq: the journal ends before {seq}.")
        return await asyncio.to_thread(journaled_command, found, seq, first_event, is_last=found.last_seq >= end_seq)

    return routes
