"""Market data over HTTP: trades, depth, the day's tickers and auctions. Public.

Today's last trades and all else is from memory, as of the moment of the request; trades of any day are from the read database.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field

from services.data.instruments import Symbol
from services.gateway.cursors import EndQuery, StartQuery, page_of, span_of
from services.gateway.http.caller import needs
from services.gateway.http.venue import known_instrument
from services.gateway.ids import TRADE_IDS
from services.gateway.order_entry.history import Past
from services.gateway.problems import ProblemError
from services.gateway.replies.market_json import auction_json, depth_json, past_trade, ticker_json, trade_json
from services.gateway.schemas import IdText, NextCursor, PhaseName, Reply, SideName
from services.market_data import Market
from services.read_model.past_trades import Row, read_trade, read_trades
from services.values.cursors import Cursors
from services.values.page_parameters import Cursor
from services.values.times import WrittenDate
from services.venue_state.instruments import VenueInstrument
from services.venue_state.state import VenueState

_CURSORS = Cursors("trades")

DateQuery = Annotated[
    WrittenDate | None,
    Query(description="Only trades of this trading day, as `2023-12-01`."),
]


class DepthLevel(Reply):
    """The displayed quantity and the number of orders at one price."""

    price: str = Field(description="Yuan per unit.")
    quantity: int = Field(description="Lots.")
    orders: int


class Depth(Reply):
    """Both sides of the book, best price first, as of `seq`."""

    symbol: str
    seq: int
    bids: list[DepthLevel]
    asks: list[DepthLevel]
    checksum: int = Field(description="CRC-32 over the top ten levels of each side; docs/api.md defines it.")


class PublicTrade(Reply):
    """A trade, without the identity of its parties."""

    trade_id: str
    symbol: str
    price: str = Field(description="Yuan per unit.")
    quantity: int = Field(description="Lots.")
    amount: str = Field(description="Value of the trade in yuan.")
    taker_side: SideName | None = Field(description="Null in an auction, which has no taker.")
    time: str
    seq: int
    auction: bool = Field(description="Made by the uncrossing of an auction, at its single price.")
    busted: bool = Field(description="An operator busted the trade.")


class Ticker(Reply):
    """One instrument's statistics of the trading day. Prices are in yuan per unit."""

    symbol: str
    seq: int
    trading_date: str
    last: str | None
    open: str | None
    high: str | None
    low: str | None
    best_bid: str | None
    best_ask: str | None
    volume: int = Field(description="Lots traded today, without busted trades.")
    turnover: str = Field(description="Yuan traded today, single-sided, without busted trades.")
    trades: int = Field(description="Number of trades today, without busted ones.")
    reference_price: str
    lower_limit: str
    upper_limit: str
    phase: PhaseName
    indicative_price: str | None = Field(
        description="Price at which a call auction would trade now. Null: nothing would trade."
    )
    indicative_volume: int | None = Field(
        description="Lots that would trade at that price. Null outside a call auction."
    )
    indicative_imbalance: int | None = Field(
        description="Lots left unmatched at that price: positive on the buy side, negative on the sell side."
    )
    auction_ends_at: str | None = Field(description="Expected end of a volatility auction. Null: none is running.")


class AuctionIndication(Reply):
    """What a call auction of the instrument would trade now. Outside one every figure is null."""

    symbol: str
    seq: int
    phase: PhaseName
    indicative_price: str | None = Field(description="Yuan per unit. Null: nothing would trade.")
    indicative_volume: int | None = Field(description="Lots that would trade at that price.")
    indicative_imbalance: int | None = Field(
        description="Lots left unmatched at that price: positive on the buy side, negative on the sell side."
    )
    auction_ends_at: str | None = Field(description="Expected end of a volatility auction. Null: none is running.")


class TradesPage(Reply):
    """One page of an instrument's trades."""

    trades: list[PublicTrade]
    next_cursor: NextCursor


def routes(state: VenueState, market: Market, past: Past) -> APIRouter:
    """/v1/market/…, but for candles."""
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

    @router.get("/tickers", response_model=list[Ticker], summary="Read today's tickers of every instrument")
    async def tickers() -> JSONResponse:
        return JSONResponse([ticker_json(listed, market.ticker(listed.number)) for listed in state.instruments])

    @router.get("/{symbol}/depth", response_model=Depth, summary="Read the book: both sides, best price first")
    async def depth(
        symbol: Symbol, levels: Annotated[int, Query(ge=1, le=500, description="Price levels of each side.")] = 20
    ) -> JSONResponse:
        instrument = known_instrument(state, symbol)
        bids, asks = market.depth(instrument.number, levels)
        return JSONResponse(depth_json(instrument, bids, asks, market.seq))

    @router.get("/{symbol}/ticker", response_model=Ticker, summary="Read today's ticker")
    async def ticker(symbol: Symbol) -> JSONResponse:
        instrument = known_instrument(state, symbol)
        return JSONResponse(ticker_json(instrument, market.ticker(instrument.number)))

    @router.get(
        "/{symbol}/auction", response_model=AuctionIndication, summary="Read what a call auction would trade now"
    )
    async def auction(symbol: Symbol) -> JSONResponse:
        instrument = known_instrument(state, symbol)
        return JSONResponse(auction_json(instrument, market.ticker(instrument.number)))

    return router


def _past_json(instrument: VenueInstrument, row: Row) -> dict[str, Any]:
    return trade_json(instrument, past_trade(row, is_busted=row["busted_seq"] is not None))
