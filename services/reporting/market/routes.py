"""`GET /v1/reports/index`, `/v1/reports/quality/{date}` and `/v1/reports/books/{symbol}`.

Quality and books follow from days of the journal, which are read one at a time; what takes processor time runs in a thread. No
request waits for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import date
from functools import partial
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.exceptions import RequestValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.instruments import Symbol
from services.market_statistics.contracts import MarketDay
from services.market_statistics.day_reading import DayTooLarge, TradingDays
from services.market_statistics.index_reading import read_index
from services.market_statistics.past_book import past_book
from services.market_statistics.quality import day_quality
from services.messaging.tail import Readable
from services.read_model.errors import ReadDatabaseSilent
from services.read_model.tables import instruments, trading_days
from services.reporting.as_of import NotReached, read_as_of, read_day_of
from services.reporting.exports.reading import read_instruments
from services.reporting.in_time import connect_in_time, turn_in_time
from services.reporting.market.books import BookReport, book_report
from services.reporting.market.index import IndexReport, index_report
from services.reporting.market.quality import QualityReport, quality_report
from services.reporting.queries import read_position, read_simulated_years
from services.reporting.requests import (
    NOT_REACHED,
    FirstSeq,
    Projected,
    invalid_query,
    recorded,
    refuse_past,
    wait_until_projected,
    waiting_routes,
)
from services.reporting.turns import ReportTurns
from services.venue_state.instruments import VenueInstrument

ANSWER_S = 30.0
"""How long a request waits for a reading of the journal."""

TradingDate = Annotated[
    str,
    Path(
        pattern=r"^20\d\d-\d\d-\d\d$",
        json_schema_extra={"format": "date"},
        description="A trading day, yyyy-mm-dd.",
        examples=["2026-03-02"],
    ),
]
OfYear = Annotated[
    int | None,
    Query(
        ge=2000, le=2099, description="The days of this calendar year; without it, of the present trading day's year."
    ),
]
Levels = Annotated[int, Query(ge=1, le=500, description="Price levels of each side.")]

Made = TypeVar("Made")


class LongReading:
    """Reads days of the journal, which may take longer than a request waits: one at a time, and what was read is kept for the
    next."""

    def __init__(self, journal: Readable) -> None:
        self._days = TradingDays(journal)
        self._turns = asyncio.Semaphore(1)
        self._begun: set[asyncio.Task[Any]] = set()
        """A loop holds its tasks weakly only."""

    async def day(self, date: int, seq: int, what: str) -> MarketDay | None:
        """The day up to the command seq; None where it has not begun. Raises a 422 problem where it is too large for `what`."""
        try:
            return await self._days.read(date, seq)
        except DayTooLarge as error:
            raise HTTPException(422, f"{what} is not computed: {error}.") from error

    async def end_of(self, work: Callable[[], Coroutine[Any, Any, Made]], what: str) -> Made:
        """What the work makes when it has its turn. Raises ReadDatabaseSilent after ANSWER_S; work that has begun then goes on
        and keeps its turn, since a thread cannot be stopped and what it has read is remembered."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._turns.acquire()
                task = asyncio.create_task(work())
                self._begun.add(task)
                task.add_done_callback(self._end_turn)
                return await asyncio.shield(task)
        except TimeoutError as error:
            raise ReadDatabaseSilent(f"{what} was not computed within {ANSWER_S:g} s", ANSWER_S) from error

    def _end_turn(self, task: asyncio.Task[Any]) -> None:
        self._turns.release()
        self._begun.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more: then it is not reported as lost


def router(
    read_database: AsyncEngine, journal: Readable, projected: Projected, turns: ReportTurns | None = None
) -> APIRouter:
    """The routes. `journal` holds at least the rows that the read database has applied. With `turns`, a request
    for which days of the journal are read takes its turn at the process that reads them."""
    indexed, measured = waiting_routes(projected), waiting_routes(projected, turns)
    of_past, reading = APIRouter(prefix="/v1/reports", tags=["reports"]), LongReading(journal)
    _add_index(indexed, read_database)
    _add_quality(measured, read_database, reading)
    _add_books(of_past, partial(_read_book, read_database, journal, reading), projected, turns)
    together = APIRouter()
    for routes in (indexed, measured, of_past):
        together.include_router(routes)
    return together


def _add_index(routes: APIRouter, read_database: AsyncEngine) -> None:
    indexing = asyncio.Semaphore(1)

    @routes.get("/index", summary="The PrNd index of each trading day of a year that has ended")
    async def index(year: OfYear = None) -> IndexReport:
        async with connect_in_time(read_database) as connection:
            position = recorded(await read_position(connection))
            rows = await read_index(connection)
            simulated = bool(await read_simulated_years(connection))
        async with turn_in_time(indexing):
            return await asyncio.to_thread(partial(index_report, rows, position, year, simulated=simulated))


def _add_quality(routes: APIRouter, read_database: AsyncEngine, reading: LongReading) -> None:
    @routes.get(
        "/quality/{date}",
        summary="The quality of the market on a trading day, product by product",
        description="From the journal's events of the day. After a start the first request reads all rows before the day, about"
        " a second for each 200,000 commands; later requests read the day alone. "
        f"A request is answered within {ANSWER_S:g} seconds, or with 503: the reading then goes on for the next one.",
    )
    async def quality(date: TradingDate) -> QualityReport:
        number = _number_of(date)
        async with connect_in_time(read_database) as connection:
            position = recorded(await read_position(connection))
            listed = await read_instruments(connection)
            begun = select(trading_days.c.first_seq).where(trading_days.c.trading_date == number)
            first_seq = (await connection.execute(begun)).scalar_one_or_none()
            simulated = number // 10_000 in await read_simulated_years(connection)

        def measure(day: MarketDay) -> QualityReport:
            return quality_report(day, day_quality(day), listed, position, simulated=simulated)

        async def measured() -> QualityReport:
            day = None
            if first_seq is not None:
                day = await reading.day(number, position["seq"], f"The quality of {date}")
            if day is None:
                raise HTTPException(404, f"{date} was no trading day of this venue, or has not begun.")
            return await asyncio.to_thread(measure, day)

        return await reading.end_of(measured, "the quality of a day")


def _number_of(text: str) -> int:
    try:
        return int(date.fromisoformat(text).strftime("%Y%m%d"))
    except ValueError as error:
        message = f"{text} is no date"
        raise RequestValidationError([{"type": "value_error", "loc": ("path", "date"), "msg": message}]) from error


def _add_books(
    routes: APIRouter,
    read: Callable[[str, int, int], Coroutine[Any, Any, BookReport]],
    projected: Projected,
    turns: ReportTurns | None,
) -> None:
    """Without `turns` the gateway has waited, and others wait for the same reading."""

    @routes.get(
        "/books/{symbol}",
        summary="The book of an instrument as it was after a command of the past",
        description="From the journal: what stood when the trading day began, and each change of a price level since. After a"
        " start the first request reads all rows before the day, about a second for each 200,000 commands; later requests read"
        f" the day up to `seq`. A request is answered within {ANSWER_S:g} seconds, or with 503: the reading then goes on for"
        " the next one.",
    )
    async def book(
        symbol: Symbol,
        seq: Annotated[FirstSeq, Query(description="The book after this command.")],
        levels: Levels = 20,
    ) -> BookReport:
        refuse_past(seq, 0)
        await wait_until_projected(projected, "seq", seq)
        make = partial(read, symbol, seq, levels)
        if turns is None:
            return await make()
        address = f"{routes.prefix}/books/{quote(symbol, safe='')}?{urlencode({'seq': seq, 'levels': levels})}"
        answer: BookReport = await turns.take(address, make, seq)
        return answer


async def _read_book(
    read_database: AsyncEngine, journal: Readable, reading: LongReading, symbol: str, seq: int, levels: int
) -> BookReport:
    async with connect_in_time(read_database) as connection:
        found = await connection.execute(select(instruments).where(instruments.c.symbol == symbol))
        listed = found.mappings().first()
        if listed is None or listed["listed_seq"] > seq:
            raise HTTPException(404, f"symbol: {symbol} was not listed at seq {seq}.")
        today, _ = await read_day_of(connection, seq)
        simulated = today // 10_000 in await read_simulated_years(connection, seq)

    async def made() -> BookReport:
        day = await reading.day(today, seq, f"The book at seq {seq}")
        try:
            position = (await read_as_of(journal, seq, today, seq)).position
        except NotReached as error:
            raise invalid_query("seq", NOT_REACHED) from error
        assert day is not None, "the read database knows the day, so it has begun"
        book = past_book(day, listed["instrument"])
        return book_report(book, VenueInstrument.from_columns(listed), position, levels, simulated=simulated)

    return await reading.end_of(made, "the book")
