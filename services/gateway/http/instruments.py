"""The instruments of a running venue over HTTP: listed, changed, delisted. Each is a journaled command that says who and why.

Scope: `operate`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from matching_engine.limits import MAX_INSTRUMENTS, MAX_TICK_VALUE_FEN
from matching_engine.records import MAX_QUANTITY_LOTS, Command, Phase
from services.commands.administrative import change_instrument, delist_instrument, list_instrument
from services.commands.attachments import ChangeText, DelistText, ListingText
from services.data.instruments import SYMBOL_PATTERN, Category, PriceSource, Symbol, Unit
from services.gateway.http.act_schemas import PROPOSED, Applied, Name, PersonName, Reason
from services.gateway.http.caller import Caller, needs
from services.gateway.http.venue import known_instrument
from services.gateway.order_entry.order_command import rate_ppm
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, field_problem
from services.gateway.schemas import (
    PositiveRateText,
    PriceText,
    Quantity,
    RateText,
    Reply,
    Request,
    WithoutControl,
    example,
)
from services.messaging import Submission
from services.values.decimals import scaled, yuan_text
from services.venue_state.instruments import VenueInstrument
from services.venue_state.state import VenueState

NewSymbol = Annotated[Symbol, StringConstraints(pattern=f"^{SYMBOL_PATTERN}$")]
LongText = Annotated[str, StringConstraints(max_length=500), WithoutControl]


class WithReason(Request):
    """Who changes what the venue trades, and why."""

    model_config = example(reason="board decision of 3 March", name="Li Na")

    reason: Reason = Field(description="Why. Recorded in the journal.")
    name: PersonName = Field(
        default="", description="Who does it, where a key does. Recorded in the journal beside the key."
    )


class ListingRequest(WithReason):
    """A new instrument. `symbol`, `category`, `unit`, `lot_size` and `tick_size` never change."""

    model_config = example(
        symbol="SC-OX",
        name_en="Scandium oxide",
        name_zh="氧化钪",
        category="deep_processed",
        family="separated_oxide",
        unit="kg",
        lot_size=10,
        tick_size="1.00",
        reference_price="6000.00",
        band_rate="0.06",
        max_quantity=1000,
        reason="board decision of 3 March",
        name="Li Na",
    )

    symbol: NewSymbol = Field(description="1 to 16 characters of A-Z, 0-9 and -. No instrument ever had it.")
    name_en: Name
    name_zh: Name
    category: Category
    family: Name = Field(description="The family of products, such as `separated_oxide`.")
    unit: Unit = Field(description="Unit of the price.")
    lot_size: int = Field(ge=1, le=1_000_000, description="Units in one lot.")
    tick_size: PriceText = Field(
        description="Smallest price step in yuan per unit, above 0. On one lot it is worth whole fen, at most 46566.12 yuan."
    )
    reference_price: PriceText = Field(
        description="Yuan per unit, a multiple of the tick: the middle of the first trading day's price limits."
    )
    reference_price_source: PriceSource = Field(
        default="assumed", description="Whether the reference price was taken from a source."
    )
    band_rate: PositiveRateText = Field(
        description="How far from the reference price a day's prices may be, as a fraction: above 0, at most 0.999999."
    )
    max_quantity: Quantity = Field(description="Largest order in lots. The smallest is one lot.")
    spec: LongText = Field(default="", description="What is delivered.")
    note: LongText = Field(default="", description="Shown beside the instrument.")


class ChangeRequest(WithReason):
    """Other terms and texts of an instrument, from now on. A field that is absent or null stays as it is."""

    model_config = example(
        band_rate="0.08", collar_rate="0.03", max_quantity=500, reason="board decision of 3 March", name="Li Na"
    )

    band_rate: PositiveRateText | None = Field(
        default=None,
        description="How far from the reference price a day's prices may be, as a fraction: above 0, at most 0.999999. Open "
        "orders outside the new limits are canceled.",
    )
    collar_rate: RateText | None = Field(
        default=None, description='How far beyond the last price an order may reach, as a fraction. "0": no collar.'
    )
    max_quantity: Quantity | None = Field(default=None, description="Largest order in lots.")
    name_en: Name | None = None
    name_zh: Name | None = None
    spec: LongText | None = Field(default=None, description="What is delivered.")
    note: LongText | None = Field(default=None, description="Shown beside the instrument.")


class Listed(Reply):
    """The instrument is listed."""

    symbol: str
    seq: int = Field(description="Journal sequence number of the listing.")


_TICK_DECIMALS = 8
_TICK_UNITS_OF_A_FEN = 1_000_000


def routes(state: VenueState, order_entry: OrderEntry) -> APIRouter:
    """/v1/admin/instruments: what the venue trades."""
    router = APIRouter(prefix="/v1/admin", tags=["operate"], dependencies=[needs("operate")])

    @router.post("/instruments", status_code=201, summary="List an instrument", responses=PROPOSED)
    async def list_one(key: Caller, body: ListingRequest) -> Listed:
        listed = _as_listed(len(state.instruments), body)
        if body.symbol in state.by_symbol and not order_entry.is_repeat():
            raise ProblemError(
                409, "symbol_taken", f"An instrument has the symbol {body.symbol}, and keeps it for good."
            )
        text = ListingText(**listed.facts, reason=body.reason, name=body.name)

        try:
            event = await order_entry.execute(
                key,
                list_instrument,
                listed.number,
                tick_value_fen=listed.tick_value_fen,
                reference_ticks=listed.reference_ticks,
                band_ppm=listed.band_ppm,
                max_quantity_lots=listed.max_quantity_lots,
                text=text,
            )
        except ProblemError as problem:
            raise _listing_problem(problem) from None
        return Listed(symbol=body.symbol, seq=event.seq)

    _change_routes(router, state, order_entry)
    return router


def _change_routes(router: APIRouter, state: VenueState, order_entry: OrderEntry) -> None:
    @router.patch(
        "/instruments/{symbol}",
        summary="Change price limits, collar, largest order or texts of an instrument",
        responses=PROPOSED,
    )
    async def change(key: Caller, symbol: Symbol, body: ChangeRequest) -> Applied:
        number = known_instrument(state, symbol).number
        if not body.model_dump(exclude={"reason", "name"}, exclude_none=True):
            raise field_problem("invalid_option", "body", "must name a term or a text that changes")
        changed = _as_changed(number, body)
        return Applied.by(await order_entry.execute(key, changed))

    @router.post(
        "/instruments/{symbol}/delist", summary="Delist an instrument for good: its open orders end", responses=PROPOSED
    )
    async def delist(key: Caller, symbol: Symbol, body: WithReason) -> Applied:
        number, text = known_instrument(state, symbol).number, DelistText(reason=body.reason, name=body.name)
        return Applied.by(await order_entry.execute(key, delist_instrument, number, text))


def _as_changed(number: int, body: ChangeRequest) -> Callable[[Command], Submission]:
    """Builds the command of the terms and texts that the body has. It never names another: what this gateway knows of it may
    be changed by a command on its way. Raises a 422 problem that names the field."""
    band_ppm = None if body.band_rate is None else _band_ppm(body.band_rate)
    collar_ppm = None if body.collar_rate is None else rate_ppm(body.collar_rate, "collar_rate")
    most_lots = None if body.max_quantity is None else _most_lots(body.max_quantity)
    text = ChangeText(**body.model_dump(include=set(ChangeText.model_fields)))
    return lambda sender: change_instrument(
        sender, number, band_ppm=band_ppm, collar_ppm=collar_ppm, max_quantity_lots=most_lots, text=text
    )


def _listing_problem(problem: ProblemError) -> ProblemError:
    """The problem of a declined listing: there is no room, or another one has got the number, which the engine gives in
    order."""
    match problem.code:
        case "too_many":
            detail = (
                f"The venue has {MAX_INSTRUMENTS:,} instruments, as many as it may, and a number is never used again."
            )
            return ProblemError(409, problem.code, detail)
        case "unknown_instrument":
            detail = "Another instrument was listed at the same moment: nothing was done, send the request again."
            return ProblemError(409, "symbol_taken", detail)
        case _:
            return problem


def _as_listed(number: int, body: ListingRequest) -> VenueInstrument:
    """The instrument as it will stand; raises a 422 problem that names the field."""
    tick_size = f"{Decimal(body.tick_size):f}"
    fields = body.model_dump(include=set(ListingText.model_fields) - {"reason", "name"})
    listed = VenueInstrument(
        number,
        tick_value_fen=_tick_value_fen(tick_size, body.lot_size),
        band_ppm=_band_ppm(body.band_rate),
        max_quantity_lots=_most_lots(body.max_quantity),
        reference_ticks=1,
        phase=Phase.CLOSED,
        facts=fields | {"tick_size": tick_size},
    )
    listed.set_reference(listed.price_ticks(body.reference_price, "reference_price"), None)
    return listed


def _band_ppm(rate: str) -> int:
    ppm = rate_ppm(rate, "band_rate")
    if not ppm:
        raise field_problem("invalid_rate", "band_rate", "must be above 0")
    return ppm


def _most_lots(quantity: int) -> int:
    if not 0 < quantity <= MAX_QUANTITY_LOTS:
        raise field_problem("invalid_quantity", "max_quantity", f"must be from 1 to {MAX_QUANTITY_LOTS} lots")
    return quantity


def _tick_value_fen(tick_size: str, lot_size: int) -> int:
    """The value of one tick on one lot, in whole fen."""
    value, rest = divmod((scaled(tick_size, _TICK_DECIMALS) or 0) * lot_size, _TICK_UNITS_OF_A_FEN)
    if rest or not 0 < value <= MAX_TICK_VALUE_FEN:
        most = yuan_text(MAX_TICK_VALUE_FEN)
        message = f"on one lot it must be worth a whole number of fen (0.01 yuan), above 0 and at most {most} yuan"
        raise field_problem("invalid_price", "tick_size", message)
    return value
