"""`GET /v1/reports/books/{symbol}`: the book of an instrument as it was after a command of the past."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException, Query
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.instruments import Symbol
from services.market_statistics.day_reading import DayTooLarge, TradingDays
from services.market_statistics.past_book import past_book
from services.messaging.follow import Readable
from services.read_database.tables import instruments
from services.reporting.in_time import connect_in_time
from services.reporting.market.documents import book_report
from services.reporting.market.long_reading import ANSWER_S, LongReading
from services.reporting.market.schemas import BookReport
from services.reporting.moment import NotReached, read_day_of, read_moment
from services.reporting.queries import Values, read_simulated_years
from services.reporting.requests import (
    NOT_REACHED,
    FirstSeq,
    Projected,
    invalid_query,
    refuse_past,
    wait_until_projected,
)
from services.reporting.turns import Turns

Levels = Annotated[int, Query(ge=1, le=500, description="Price levels of each side.")]


def books_router(
    read_database: AsyncEngine,
    journal: Readable,
    days: TradingDays,
    reading: LongReading,
    projected: Projected,
    turns: Turns | None,
) -> APIRouter:
    """The route. Without `turns` the gateway has waited, and others wait for the `reading` of `days`."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])

    async def read(symbol: str, seq: int, levels: int) -> BookReport:
        async with connect_in_time(read_database) as connection:
            found = await connection.execute(select(instruments).where(instruments.c.symbol == symbol))
            listed = found.mappings().first()
            if listed is None or listed["listed_seq"] > seq:
                raise HTTPException(404, f"symbol: {symbol} was not listed at seq {seq}.")
            today, _ = await read_day_of(connection, seq)
            simulated = today // 10_000 in await read_simulated_years(connection, seq)
        return await reading.end_of(partial(made, listed, seq, today, levels, simulated), "the book")

    async def made(listed: Values, seq: int, today: int, levels: int, simulated: bool) -> BookReport:
        try:
            day, moment = await days.read(today, seq), await read_moment(journal, seq, today, seq)
        except DayTooLarge as error:
            raise HTTPException(422, f"The book at seq {seq} is not computed: {error}.") from error
        except NotReached as error:
            raise invalid_query("seq", NOT_REACHED) from error
        assert day is not None, "the read database knows the day, so it has begun"
        return book_report(past_book(day, listed["instrument"]), listed, moment.position, levels, simulated=simulated)

    @routes.get(
        "/books/{symbol}",
        response_model=BookReport,
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

    return routes
