"""Market data over HTTP: depth, recent trades and the day's numbers, as of the moment they are asked for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from services.gateway.http.caller import Caller
from services.gateway.problems import unknown_symbol
from services.gateway.replies.market_json import depth_json, ticker_json, trade_json
from services.gateway.schemas import Depth, PublicTrade, Ticker
from services.market_data import Market
from services.venue_state.instruments import Instrument
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState


def routes(state: VenueState, market: Market) -> APIRouter:
    """/v1/market/{symbol}/…"""
    router = APIRouter(prefix="/v1/market", tags=["market data"])

    def asked_for(key: ApiKey, symbol: str) -> Instrument:
        key.require("read")
        instrument = state.by_symbol.get(symbol)
        if instrument is None:
            raise unknown_symbol(symbol)
        return instrument

    @router.get("/{symbol}/depth", response_model=Depth, summary="Both sides of the book, best first")
    async def depth(
        key: Caller, symbol: str, levels: Annotated[int, Query(ge=1, le=500, description="of each side")] = 20
    ) -> JSONResponse:
        instrument = asked_for(key, symbol)
        bids, asks = market.depth(instrument.number, levels)
        return JSONResponse(depth_json(instrument, bids, asks, market.seq))

    @router.get("/{symbol}/trades", response_model=list[PublicTrade], summary="Today's last trades, newest first")
    async def trades(key: Caller, symbol: str, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> JSONResponse:
        instrument = asked_for(key, symbol)
        return JSONResponse([trade_json(instrument, trade) for trade in market.recent_trades(instrument.number, limit)])

    @router.get("/{symbol}/ticker", response_model=Ticker, summary="Today's numbers")
    async def ticker(key: Caller, symbol: str) -> JSONResponse:
        instrument = asked_for(key, symbol)
        return JSONResponse(ticker_json(instrument, market.ticker(instrument.number)))

    return router
