"""The venue, its clock, calendar and fees, and its instruments, over HTTP. Public."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from services.data.trading_hours import TradingHours, local_day
from services.gateway.http.caller import Caller, needs
from services.gateway.problems import unknown_symbol
from services.gateway.replies.market_json import change_json
from services.gateway.schemas import Calendar, FeeSchedule, Instrument, Venue, VenueTime
from services.values.decimals import rate_text
from services.values.times import date_text, time_text
from services.venue_state.instruments import PHASE_NAMES, SOURCE_NAMES, VenueInstrument
from services.venue_state.state import FeeRates, VenueState


@dataclass(frozen=True)
class VenueFacts:
    """Facts of a venue that come from its settings, not from its journal."""

    hours: TradingHours
    demo: bool = False


NEXT_CHANGES = 4
"""How many changes of the timetable are told ahead."""


def routes(state: VenueState, facts: VenueFacts, clock: Callable[[], int]) -> APIRouter:
    """/v1/venue, /v1/time, /v1/calendar, /v1/fees and /v1/instruments."""
    hours = facts.hours
    router = APIRouter(tags=["venue"], dependencies=[needs("read")])

    @router.get("/v1/venue", response_model=Venue, summary="Read the venue's name, trading date and last seq")
    async def read_venue() -> JSONResponse:
        return JSONResponse(
            {
                "name": "REX",
                "seq": state.last_seq,
                "incarnation": state.incarnation,
                "trading_date": date_text(state.trading_date),
                "schedule": hours.schedule,
                "demo": facts.demo,
                "kill_switch": state.kill_switch,
                "next_changes": next_changes_json(hours, clock()),
            }
        )

    @router.get("/v1/instruments", response_model=list[Instrument], summary="List every instrument")
    async def list_instruments() -> JSONResponse:
        return JSONResponse([instrument_json(instrument) for instrument in state.instruments])

    @router.get("/v1/time", response_model=VenueTime, summary="Read the venue's clock")
    async def read_time() -> JSONResponse:
        return JSONResponse({"time": time_text(clock()), "seq": state.last_seq})

    @router.get("/v1/calendar", response_model=Calendar, summary="Read a year's trading days and today's timetable")
    async def read_calendar(
        year: Annotated[int | None, Query(ge=2000, le=2099, description="Default: that of the present day.")] = None,
    ) -> JSONResponse:
        now_ns = clock()
        today, _ = local_day(now_ns)
        year = year or today.year
        return JSONResponse(
            {
                "year": year,
                "assumed": hours.calendar.assumed(year),
                "trading_days": [day.isoformat() for day in hours.calendar.days(year)],
                "schedule": hours.schedule,
                "date": today.isoformat(),
                "changes_today": [change_json(change) for change in hours.changes_of(today)],
                "next_changes": next_changes_json(hours, now_ns),
            }
        )

    @router.get("/v1/fees", response_model=FeeSchedule, summary="Read the fee rates of the key's account class")
    async def read_fees(key: Caller) -> JSONResponse:
        account_class = state.accounts[key.account].account_class if key.account else 0
        rates = state.fees.get(account_class, FeeRates())
        return JSONResponse(
            {
                "account_class": account_class,
                "maker_rate": rate_text(rates.maker_rate_ppm),
                "taker_rate": rate_text(rates.taker_rate_ppm),
            }
        )

    return router


def next_changes_json(hours: TradingHours, now_ns: int) -> list[dict[str, Any]]:
    """The next changes of the timetable: `schemas.ScheduledChange` each."""
    return [change_json(change) for change in hours.next_changes(now_ns, NEXT_CHANGES)]


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
        "band_rate": rate_text(instrument.band_ppm),
        "collar_rate": rate_text(instrument.collar_ppm) if instrument.collar_ppm else None,
        "volatility_rate": rate_text(instrument.volatility_ppm) if instrument.volatility_ppm else None,
        "auction_seconds": instrument.auction_s or None,
    }
