"""Market data over HTTP: depth, the day's tickers and auctions, as of the moment of the request. Public."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from services.data.instruments import Symbol
from services.gateway.http.caller import needs
from services.gateway.http.venue import known_instrument
from services.gateway.replies.market_json import auction_json, depth_json, ticker_json
from services.gateway.schemas import AuctionIndication, Depth, Ticker
from services.market_data import Market
from services.venue_state.state import VenueState


def routes(state: VenueState, market: Market) -> APIRouter:
    """/v1/market/…"""
    router = APIRouter(prefix="/v1/market", tags=["market data"], dependencies=[needs("read")])

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
