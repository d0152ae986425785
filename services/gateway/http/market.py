"""Market data over HTTP: depth, recent trades and the day's ticker, as of the moment of the request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from services.gateway.http.caller import needs
from services.gateway.http.venue import known_instrument
from services.gateway.replies.market_json import depth_json, ticker_json, trade_json
from services.gateway.schemas import Depth, PublicTrade, Ticker
from services.market_data import Market
from services.venue_state.state import VenueState


def routes(state: VenueState, market: Market) -> APIRouter:
    """/v1/market/{symbol}/…"""
    router = APIRouter(prefix="/v1/market", tags=["market data"], dependencies=[needs("read")])

    @router.get("/{symbol}/depth", response_model=Depth, summary="Read the book: both sides, best price first")
    async def depth(
        symbol: str, levels: Annotated[int, Query(ge=1, le=500, description="Price levels of each side.")] = 20
    ) -> JSONResponse:
        instrument = known_instrument(state, symbol)
        bids, asks = market.depth(instrument.number, levels)
        return JSONResponse(depth_json(instrument, bids, asks, market.seq))

    @router.get("/{symbol}/trades", response_model=list[PublicTrade], summary="List today's last trades, newest first")
    async def trades(
        symbol: str, limit: Annotated[int, Query(ge=1, le=200, description="Number of trades.")] = 50
    ) -> JSONResponse:
        instrument = known_instrument(state, symbol)
        return JSONResponse([trade_json(instrument, trade) for trade in market.recent_trades(instrument.number, limit)])

    @router.get("/{symbol}/ticker", response_model=Ticker, summary="Read today's ticker")
    async def ticker(symbol: str) -> JSONResponse:
        instrument = known_instrument(state, symbol)
        return JSONResponse(ticker_json(instrument, market.ticker(instrument.number)))

    return router
