"""The venue, its clock, calendar and fees, and its instruments, over HTTP. Public."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field

from services.data.trading_hours import TradingHours, local_day
from services.gateway.http.caller import Caller, needs
from services.gateway.problems import unknown_symbol
from services.gateway.replies.market_json import change_json
from services.gateway.schemas import PhaseName, Reply
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


SettlementSourceName = Literal["day_vwap", "closing_auction", "standing_quotes", "previous"]


class Instrument(Reply):
    """A listed instrument and the price band of the trading day."""

    symbol: str
    name_en: str
    name_zh: str
    category: str
    family: str
    unit: str = Field(description="Unit of the price: kg or t.")
    lot_size: int = Field(description="Units in one lot.")
    tick_size: str = Field(description="Smallest price step in yuan per unit.")
    reference_price: str = Field(description="The last settlement price, in yuan per unit.")
    settlement_source: SettlementSourceName | None = Field(
        description="Where that price comes from: the average price of the day before, its closing auction, the middle of the"
        " quotes that stood to its end, or the settlement price before. Null: from the listing."
    )
    lower_limit: str = Field(description="Lowest price of the trading day, in yuan per unit.")
    upper_limit: str = Field(description="Highest price of the trading day, in yuan per unit.")
    max_quantity: int = Field(description="Largest order in lots.")
    phase: PhaseName
    reference_price_source: Literal["sourced", "assumed"] = Field(
        description="Whether the reference price of the listing was taken from a source or assumed."
    )
    spec: str
    note: str
    band_rate: str = Field(description="How far from the reference price the day's limits are, as a fraction.")
    collar_rate: str | None = Field(
        description="How far beyond the last price an order may reach, as a fraction. Null: no collar."
    )
    volatility_rate: str | None = Field(
        description="A trade further from the last price than this fraction begins an auction instead. Null: never."
    )
    auction_seconds: int | None = Field(description="Duration of such an auction in seconds. Null: none is set.")


class ScheduledChange(Reply):
    """A change that the venue's timetable makes. Halts and phases that operators set are not in it."""

    time: str
    phase: PhaseName = Field(description="From then on.")
    trading_date: str = Field(description="From then on: the day roll, 17:00 in Shanghai, begins the next one.")


class VenueTime(Reply):
    """The venue's clock."""

    time: str
    seq: int = Field(description="Last journal sequence number that the gateway has applied.")


class Calendar(Reply):
    """A year's trading days, and the timetable of the present day."""

    year: int
    assumed: bool = Field(description="The year's holidays are not published: its days are assumed.")
    trading_days: list[str]
    schedule: Literal["always", "exchange"]
    date: str = Field(description="Today in Shanghai.")
    changes_today: list[ScheduledChange] = Field(description="Of the whole day, in order. Empty: no trading day.")
    next_changes: list[ScheduledChange] = Field(description="The next ones from now, in order.")


class FeeSchedule(Reply):
    """The fee rates of one account class, as fractions of a trade's value."""

    account_class: int
    maker_rate: str
    taker_rate: str


class Venue(Reply):
    """The venue, its journal and its trading day."""

    name: str
    seq: int = Field(description="Last journal sequence number that the gateway has applied.")
    incarnation: str = Field(
        description="The journal's id. Sequence numbers and ids of another incarnation belong to another history."
    )
    trading_date: str
    schedule: Literal["always", "exchange"]
    demo: bool = Field(description="True: simulated traders trade here.")
    kill_switch: bool = Field(description="True: all orders and amends are refused; cancels are accepted.")
    next_changes: list[ScheduledChange] = Field(description="The next changes of the timetable, in order.")


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
    """The next changes of the timetable: `ScheduledChange` each."""
    return [change_json(change) for change in hours.next_changes(now_ns, NEXT_CHANGES)]


def known_instrument(state: VenueState, symbol: str) -> VenueInstrument:
    """The instrument that a path names; raises a 404 problem for a symbol that is not listed."""
    instrument = state.by_symbol.get(symbol)
    if instrument is None:
        raise unknown_symbol(symbol)
    return instrument


def instrument_json(instrument: VenueInstrument) -> dict[str, Any]:
    """`Instrument` as a dict."""
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
