"""The routes of the drill, below /v1/reports.

Each answer is of one position of the read database; with `finding`, which trades the finding has is that of a moment before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date as Date
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.messaging.follow import Readable
from services.read_database.errors import ReadDatabaseSilent
from services.read_database.tables import orders, trades
from services.reporting.abnormal import read_control
from services.reporting.drill import links
from services.reporting.drill.documents import order_document, read_around, sum_document, trade_document
from services.reporting.drill.filters import (
    MAX_ID,
    Counted,
    PhaseName,
    SideName,
    TradeFilter,
    Wanted,
    decided_about,
    refused,
    resolve,
)
from services.reporting.drill.in_time import QUERIES_S, connect_in_time, turn_in_time
from services.reporting.drill.journal_row import journaled_command, read_row
from services.reporting.drill.schemas import DrilledOrder, DrilledTrade, JournaledCommand, TradePage, YearDays
from services.reporting.drill.trade_pages import read_page, read_sum
from services.reporting.drill.year_days import read_year_days
from services.reporting.queries import Values, read_position
from services.reporting.requests import Year, recorded
from services.surveillance.reading import read_screen_trades
from services.surveillance.screen import screen

TRADES_OF_ORDER = 100

Id = Annotated[int, Path(ge=1, le=MAX_ID)]


def router(read_database: AsyncEngine, journal: Readable, shown: Callable[[], int]) -> APIRouter:
    """The routes of operators: they name members. `journal` is read for its rows, up to the sequence number `shown()`: a row
    that is still being replicated is nobody's to see."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])
    _add_days(routes, read_database)
    _add_trades(routes, read_database)
    _add_order(routes, read_database)
    _add_journal(routes, journal, shown)
    return routes


def _add_days(routes: APIRouter, read_database: AsyncEngine) -> None:
    @routes.get(
        "/turnover/{year}/days", response_model=YearDays, summary="The trading days that make the year's turnover"
    )
    async def days(
        year: Year, product: Annotated[str | None, Query(description="Only this symbol.")] = None
    ) -> YearDays:
        async with connect_in_time(read_database) as connection:
            return await read_year_days(connection, year, product)


def _add_trades(routes: APIRouter, read_database: AsyncEngine) -> None:
    screening = asyncio.Semaphore(1)

    @routes.get(
        "/trades",
        response_model=TradePage,
        summary="The trades that make a figure, and their sum",
        description="All conditions must hold. `sum` adds up every trade of the filter, so that it can be compared with the "
        f"figure. Queries take at most {QUERIES_S:g} seconds: a sum of very many trades may need a narrower filter.",
    )
    async def list_trades(
        year: Annotated[int | None, Query(ge=2000, le=2099, description="Of the trading days.")] = None,
        date: Annotated[Date | None, Query(description="A trading day, `2026-03-02`.")] = None,
        product: Annotated[str | None, Query(description="A symbol.")] = None,
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
        limit: Annotated[int, Query(ge=1, le=500, description="Page size.")] = 100,
        cursor: Annotated[
            int, Query(ge=0, le=MAX_ID, description="`next_cursor` of the previous page. Absent: the first page.")
        ] = 0,
    ) -> TradePage:
        wanted = Wanted(year, date, product, member, side, phase, counted, finding, decision, order)
        ids = None if finding is None else await _trades_of_finding(read_database, screening, year, finding)
        async with connect_in_time(read_database) as connection:
            position = recorded(await read_position(connection))
            chosen = await resolve(connection, wanted, ids)
            return await _page(connection, wanted, chosen, position, after_id=cursor, limit=limit, with_sum=sum)

    @routes.get("/trades/{trade_id}", response_model=DrilledTrade, summary="A trade, and whether it counts")
    async def one_trade(trade_id: Id) -> DrilledTrade:
        async with connect_in_time(read_database) as connection:
            found = await connection.execute(select(trades).where(trades.c.trade_id == trade_id))
            row = found.mappings().first()
            if row is None:
                raise HTTPException(404, f"trade_id: there is no trade {trade_id}.")
            return trade_document(row, await read_around(connection, [row]))


async def _page(
    connection: AsyncConnection,
    wanted: Wanted,
    chosen: TradeFilter,
    position: Values,
    *,
    after_id: int,
    limit: int,
    with_sum: bool,
) -> TradePage:
    found = await read_page(connection, chosen, after_id, limit + 1)
    rows, next_cursor = found[:limit], str(found[limit - 1]["trade_id"]) if len(found) > limit else None
    around = await read_around(connection, rows)
    query = {**wanted.query(), "limit": limit}
    addresses = {"self": links.trades(**query, cursor=after_id or None)}
    if next_cursor is not None:
        addresses["next"] = links.trades(**query, sum="false", cursor=next_cursor)
    return TradePage(
        trades=tuple(trade_document(row, around) for row in rows),
        sum=sum_document(await read_sum(connection, chosen)) if with_sum else None,
        next_cursor=next_cursor,
        seq=position["seq"],
        links=addresses,
    )


async def _trades_of_finding(
    read_database: AsyncEngine, screening: asyncio.Semaphore, year: int | None, finding: str
) -> tuple[int, ...] | list[int]:
    """The ids of a finding's trades. Raises RequestValidationError where neither the screen nor a decision knows it."""
    if year is None:
        raise refused("finding", "needs `year`: the screen finds it in the trades of a year")
    async with turn_in_time(screening):
        async with connect_in_time(read_database) as connection:
            decided = await decided_about(connection, finding)
            made = await read_screen_trades(connection, year * 10_000, year * 10_000 + 9_999)
            control, _ = await read_control(connection)
        # It takes some hundred milliseconds of CPU, which the event loop needs for orders.
        found = {one.finding_id: one.trade_ids for one in await asyncio.to_thread(screen, made, control=control)}
    if finding not in found and not decided:
        raise refused("finding", f"the wash screen of {year} has no finding {finding[:40]!r}, and no decision names it")
    return found.get(finding, decided)


def _add_order(routes: APIRouter, read_database: AsyncEngine) -> None:
    @routes.get("/orders/{order_id}", response_model=DrilledOrder, summary="An order, with its trades")
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
            return order_document(row, made, around, position["seq"])


def _add_journal(routes: APIRouter, journal: Readable, shown: Callable[[], int]) -> None:
    reading = asyncio.Semaphore(1)

    @routes.get(
        "/journal/{seq}",
        response_model=JournaledCommand,
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
