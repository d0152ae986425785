"""An instrument's trades over HTTP: today's last ones from memory, those of any day from the read database."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from matching_engine.records import Phase
from services.data.instruments import Symbol
from services.gateway.cursors import Cursors
from services.gateway.http.caller import needs
from services.gateway.http.history_schemas import TradesPage
from services.gateway.http.paging import Cursor, EndQuery, StartQuery, page_of, span_of
from services.gateway.http.venue import known_instrument
from services.gateway.ids import TRADE_IDS
from services.gateway.past import Past
from services.gateway.problems import ProblemError
from services.gateway.replies.market_json import trade_json
from services.gateway.schemas import IdText, PublicTrade
from services.market_data import Market, MarketTrade
from services.read_model.past_trades import Row, read_trade, read_trades
from services.values.times import WrittenDate
from services.venue_state.instruments import VenueInstrument
from services.venue_state.state import VenueState

_CURSORS = Cursors("trades")

DateQuery = Annotated[
    WrittenDate | None,
    Query(description="Only trades of this trading day, as `2023-12-01`."),
]


def routes(state: VenueState, market: Market, past: Past) -> APIRouter:
    """/v1/market/{symbol}/trades and /v1/market/trades/{trade_id}"""
    router = APIRouter(prefix="/v1/market", tags=["market data"], dependencies=[needs("read")])

    @router.get(
        "/{symbol}/trades",
        response_model=list[PublicTrade] | TradesPage,
        summary="List trades, newest first: today's last ones, or a page of the past",
        response_description="A list of today's last trades; with `date`, `start`, `end` or `cursor` a page of the past.",
    )
    async def trades(
        symbol: Symbol,
        date: DateQuery = None,
        start: StartQuery = None,
        end: EndQuery = None,
        limit: Annotated[int, Query(ge=1, le=200, description="Number of trades.")] = 50,
        cursor: Cursor = None,
    ) -> JSONResponse:
        instrument = known_instrument(state, symbol)
        if date is None and start is None and end is None and cursor is None:
            recent = market.recent_trades(instrument.number, limit)
            return JSONResponse([trade_json(instrument, trade) for trade in recent])
        day = None if date is None else date.year * 10_000 + date.month * 100 + date.day
        span, page = span_of(start, end), page_of(limit, cursor, "newest", _CURSORS)
        async with past.connection() as connection:
            found = await read_trades(connection, instrument.number, span, page, date=day)
        next_cursor = _CURSORS.text(found[-1]["trade_id"]) if len(found) == limit else None
        return JSONResponse({"trades": [_past_json(instrument, row) for row in found], "next_cursor": next_cursor})

    @router.get("/trades/{trade_id}", response_model=PublicTrade, summary="Read one trade of any day")
    async def read_one_trade(trade_id: IdText) -> JSONResponse:
        number = TRADE_IDS.number(trade_id)
        async with past.connection() as connection:
            found = await read_trade(connection, number)
        if found is None:
            raise ProblemError(404, "unknown_trade", "There is no such trade.")
        return JSONResponse(_past_json(state.instruments[found["instrument"]], found))

    return router


def _past_json(instrument: VenueInstrument, row: Row) -> dict[str, Any]:
    """`PublicTrade` of a row of the read database."""
    trade = MarketTrade(
        trade_id=row["trade_id"],
        price_ticks=row["price_ticks"],
        quantity_lots=row["quantity_lots"],
        amount_fen=row["amount_fen"],
        taker_side=row["taker_side"],
        time_ns=row["time_ns"],
        seq=row["seq"],
        is_auction=row["phase"] == Phase.CALL_AUCTION,
        is_busted=row["busted_seq"] is not None,
    )
    return trade_json(instrument, trade)
