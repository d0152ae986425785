"""The venue and its instruments over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.decimals import rate_text
from services.gateway.http.caller import needs
from services.gateway.problems import unknown_symbol
from services.gateway.schemas import Instrument, Venue
from services.times import date_text
from services.venue_state.instruments import PHASE_NAMES, SOURCE_NAMES, VenueInstrument
from services.venue_state.state import VenueState


@dataclass(frozen=True)
class VenueFacts:
    """Facts of a venue that come from its settings, not from its journal."""

    name: str = "REX"
    schedule: Literal["always", "exchange"] = "exchange"
    demo: bool = False


def routes(state: VenueState, facts: VenueFacts) -> APIRouter:
    """/v1/venue and /v1/instruments."""
    router = APIRouter(tags=["venue"], dependencies=[needs("read")])

    @router.get("/v1/venue", response_model=Venue, summary="Read the venue's name, trading date and last seq")
    async def read_venue() -> JSONResponse:
        return JSONResponse(
            {
                "name": facts.name,
                "seq": state.last_seq,
                "incarnation": state.incarnation,
                "trading_date": date_text(state.trading_date),
                "schedule": facts.schedule,
                "demo": facts.demo,
                "kill_switch": state.kill_switch,
            }
        )

    @router.get("/v1/instruments", response_model=list[Instrument], summary="List every instrument")
    async def list_instruments() -> JSONResponse:
        return JSONResponse([instrument_json(instrument) for instrument in state.instruments])

    return router


def known_instrument(state: VenueState, symbol: str) -> VenueInstrument:
    """The instrument that a path names; raises a 404 problem for a symbol that is not listed."""
    instrument = state.by_symbol.get(symbol)
    if instrument is None:
        raise unknown_symbol(symbol)
    return instrument


def instrument_json(instrument: VenueInstrument) -> dict[str, Any]:
    """`schemas.Instrument` as a dict."""
    return {
        **instrument.facts,
        "reference_price": instrument.price_text(instrument.reference_ticks),
        "settlement_source": SOURCE_NAMES[instrument.settlement_source] if instrument.settlement_source else None,
        "lower_limit": instrument.price_text(instrument.low_ticks),
        "upper_limit": instrument.price_text(instrument.high_ticks),
        "max_quantity": instrument.max_quantity_lots,
        "phase": PHASE_NAMES[instrument.phase],
        "collar_rate": rate_text(instrument.collar_ppm) if instrument.collar_ppm else None,
        "volatility_rate": rate_text(instrument.volatility_ppm) if instrument.volatility_ppm else None,
        "auction_seconds": instrument.auction_s or None,
    }
