"""`GET /v1/reports/index` and `GET /v1/reports/quality/{date}`; beside them the books of the past (books.py), from the same
reading of the journal. What takes processor time runs in a thread, one at a time of each. No request waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.exceptions import RequestValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.market_statistics.contracts import Day
from services.market_statistics.day_reading import DayTooLarge, TradingDays
from services.market_statistics.index_reading import read_index
from services.market_statistics.quality import day_quality
from services.messaging.follow import Readable
from services.read_database.tables import trading_days
from services.reporting.exports.reading import read_instruments
from services.reporting.in_time import connect_in_time, turn_in_time
from services.reporting.market.books import books_router
from services.reporting.market.documents import index_report, quality_report
from services.reporting.market.long_reading import ANSWER_S, LongReading
from services.reporting.market.schemas import IndexReport, QualityReport
from services.reporting.queries import Values, read_position, read_simulated_years
from services.reporting.requests import Projected, recorded, waiting_routes
from services.reporting.turns import Turns

TradingDate = Annotated[
    str,
    Path(
        pattern=r"^20\d\d-\d\d-\d\d$",
        json_schema_extra={"format": "date"},
        description="A trading day, yyyy-mm-dd.",
        examples=["2026-03-02"],
    ),
]
IndexYear = Annotated[
    int | None, Query(ge=2000, le=2099, description="Only the days of this calendar year; without it, all.")
]


def router(
    read_database: AsyncEngine, journal: Readable, projected: Projected, turns: Turns | None = None
) -> APIRouter:
    """The routes. `journal` holds at least the rows that the read database has applied. With `turns`, a request
    for which days of the journal are read takes its turn at the process that reads them."""
    routes, measuring = waiting_routes(projected), waiting_routes(projected, turns)
    days, indexing, reading = TradingDays(journal), asyncio.Semaphore(1), LongReading()

    @routes.get("/index", response_model=IndexReport, summary="The PrNd index of each trading day that has ended")
    async def index(year: IndexYear = None) -> IndexReport:
        async with connect_in_time(read_database) as connection:
            position = recorded(await read_position(connection))
            rows = await read_index(connection)
            simulated = bool(await read_simulated_years(connection))
        async with turn_in_time(indexing):
            return await asyncio.to_thread(partial(index_report, rows, position, year, simulated=simulated))

    @measuring.get(
        "/quality/{date}",
        response_model=QualityReport,
        summary="The quality of the market on a trading day, product by product",
        description="From the journal's events of the day. After a start the first request reads all rows before the day, about"
        " a second for each 200,000 commands; later requests read the day alone. "
        f"A request is answered within {ANSWER_S:g} seconds, or with 503: the reading then goes on for the next one.",
    )
    async def quality(date: TradingDate) -> QualityReport:
        number = _number_of(date)
        async with connect_in_time(read_database) as connection:
            position = recorded(await read_position(connection))
            instruments = await read_instruments(connection)
            begun = select(trading_days.c.first_seq).where(trading_days.c.trading_date == number)
            first_seq = (await connection.execute(begun)).scalar_one_or_none()
            simulated = number // 10_000 in await read_simulated_years(connection)

        async def measured() -> QualityReport:
            try:
                day = None if first_seq is None else await days.read(number, position["seq"])
            except DayTooLarge as error:
                raise HTTPException(422, f"The quality of {date} is not computed: {error}.") from error
            if day is None:
                raise HTTPException(404, f"{date} was no trading day of this venue, or has not begun.")
            return await asyncio.to_thread(_quality, day, instruments, position, simulated)

        return await reading.end_of(measured, "the quality of a day")

    together = APIRouter()
    together.include_router(routes)
    together.include_router(measuring)
    together.include_router(books_router(read_database, journal, days, reading, projected, turns))
    return together


def _quality(day: Day, instruments: Mapping[int, Values], position: Values, simulated: bool) -> QualityReport:
    return quality_report(day, day_quality(day), instruments, position, simulated=simulated)


def _number_of(text: str) -> int:
    try:
        return int(date.fromisoformat(text).strftime("%Y%m%d"))
    except ValueError as error:
        message = f"{text} is no date"
        raise RequestValidationError([{"type": "value_error", "loc": ("path", "date"), "msg": message}]) from error
