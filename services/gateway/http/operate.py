"""Operation over HTTP: halts, phases, collars, volatility bands, kill switches, limits, busts. Each is a journaled command.

Scope: `operate`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from matching_engine.limits import MAX_AUCTION_S, MAX_DAY_AMOUNT_FEN
from matching_engine.records import ALL_INSTRUMENTS, MAX_AMOUNT_FEN, MAX_QUANTITY_LOTS, Phase
from services.commands.administrative import (
    bust_trade,
    halt,
    kill_switch,
    resume,
    set_collar,
    set_limits,
    set_phase,
    set_volatility_band,
)
from services.commands.attachments import BustText, HaltText
from services.data.instruments import Symbol
from services.gateway.http.account import known_account
from services.gateway.http.act_schemas import PROPOSED, Applied, PersonName, Reason
from services.gateway.http.caller import AccountPath, Caller, needs
from services.gateway.http.venue import known_instrument
from services.gateway.ids import TRADE_IDS
from services.gateway.order_entry.decisions import Bans
from services.gateway.order_entry.order_command import amount_fen, rate_ppm
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, field_problem
from services.gateway.schemas import AmountText, IdText, Quantity, RateText, Reply, Request, WithoutControl, example
from services.venue_state.state import VenueState

SchedulePhaseName = Literal["closed", "continuous", "call_auction", "auction_matching"]
Switch = Literal["on", "off"]


class LimitsRequest(Request):
    """All limits of an account. An absent or null field: no limit."""

    model_config = example(
        max_order_quantity=500, max_order_value="5000000.00", max_open_orders=1000, max_day_turnover="100000000.00"
    )

    max_order_quantity: Annotated[Quantity, Field(ge=1)] | None = Field(default=None, description="Lots of one order.")
    max_order_value: AmountText | None = Field(
        default=None, description="Value of one order in yuan, in whole fen. Above 0; at most 100000000000000.00."
    )
    max_open_orders: int | None = Field(default=None, ge=1, le=65_535, description="Number of open orders.")
    max_day_turnover: AmountText | None = Field(
        default=None, description="Yuan bought and sold in one trading day, in whole fen. Above 0."
    )


class CollarRequest(Request):
    """The price collar of an instrument."""

    model_config = example(rate="0.05")

    rate: RateText = Field(
        description="How far beyond the last price an order may reach, as a fraction: from 0 to 0.999999, at most six "
        "decimals. 0: no collar."
    )


class VolatilityBandRequest(Request):
    """The volatility band of an instrument: a trade beyond it begins an auction instead. Both 0: no band."""

    model_config = example(rate="0.03", auction_seconds=120)

    rate: RateText = Field(
        description="Distance from the last price as a fraction: from 0 to 0.999999, at most six decimals."
    )
    auction_seconds: int = Field(
        ge=0,
        le=MAX_AUCTION_S,
        description="Duration of the auction in seconds. Above 0 if `rate` is above 0; 0 if it is 0.",
    )


class PhaseRequest(Request):
    """The phase of an instrument until the schedule's next change."""

    model_config = example(phase="call_auction")

    phase: SchedulePhaseName


class HaltRequest(Request):
    """Why an instrument, or all, are halted. A halt needs no body."""

    model_config = example(reason="news about a producer", name="Li Na")

    reason: Annotated[str, StringConstraints(max_length=500), WithoutControl] = Field(
        default="", description="Why. Recorded in the journal."
    )
    name: PersonName = Field(
        default="", description="Who halts, where a key does. Recorded in the journal beside the key."
    )


class BustRequest(Request):
    """The bust of a trade."""

    model_config = example(reason="fat finger, agreed by both sides")

    reason: Reason = Field(description="Why the trade is busted. Recorded in the journal.")


class TradeBusted(Reply):
    """The busted trade."""

    trade_id: str
    seq: int = Field(description="Journal sequence number of the bust.")


_NO_REASON = HaltRequest()


def routes(state: VenueState, order_entry: OrderEntry, bans: Bans) -> APIRouter:
    """/v1/admin/… of operators."""
    router = APIRouter(prefix="/v1/admin", tags=["operate"], dependencies=[needs("operate")])
    _market_routes(router, state, order_entry)
    _account_routes(router, state, order_entry, bans)
    _trade_routes(router, order_entry)
    return router


def _market_routes(router: APIRouter, state: VenueState, order_entry: OrderEntry) -> None:
    @router.post("/halt", summary="Halt every instrument: it takes only cancels")
    async def halt_all(key: Caller, body: HaltRequest = _NO_REASON) -> Applied:
        return Applied.by(await order_entry.execute(key, halt, ALL_INSTRUMENTS, _halt_text(body)))

    @router.post("/resume", summary="Resume every instrument", responses=PROPOSED)
    async def resume_all(key: Caller) -> Applied:
        return Applied.by(await order_entry.execute(key, resume, ALL_INSTRUMENTS))

    @router.post("/instruments/{symbol}/halt", summary="Halt one instrument")
    async def halt_one(key: Caller, symbol: Symbol, body: HaltRequest = _NO_REASON) -> Applied:
        number = known_instrument(state, symbol).number
        return Applied.by(await order_entry.execute(key, halt, number, _halt_text(body)))

    @router.post("/instruments/{symbol}/resume", summary="Resume one instrument", responses=PROPOSED)
    async def resume_one(key: Caller, symbol: Symbol) -> Applied:
        number = known_instrument(state, symbol).number
        return Applied.by(await order_entry.execute(key, resume, number))

    @router.put(
        "/instruments/{symbol}/phase",
        summary="Set an instrument's phase until the schedule's next change",
        responses=PROPOSED,
    )
    async def change_phase(key: Caller, symbol: Symbol, body: PhaseRequest) -> Applied:
        number, phase = known_instrument(state, symbol).number, Phase[body.phase.upper()]
        return Applied.by(await order_entry.execute(key, set_phase, phase, number))

    @router.put("/instruments/{symbol}/collar", summary="Set an instrument's price collar", responses=PROPOSED)
    async def change_collar(key: Caller, symbol: Symbol, body: CollarRequest) -> Applied:
        number, ppm = known_instrument(state, symbol).number, rate_ppm(body.rate, "rate")
        return Applied.by(await order_entry.execute(key, set_collar, number, ppm))

    @router.put(
        "/instruments/{symbol}/volatility_band",
        summary="Set when a price move begins a volatility auction",
        responses=PROPOSED,
    )
    async def change_volatility_band(key: Caller, symbol: Symbol, body: VolatilityBandRequest) -> Applied:
        number, ppm = known_instrument(state, symbol).number, rate_ppm(body.rate, "rate")
        auction_s = body.auction_seconds
        if (ppm > 0) != (auction_s > 0):
            raise field_problem(
                "invalid_expiry", "auction_seconds", "must be above 0 if rate is above 0, and 0 if rate is 0"
            )
        return Applied.by(await order_entry.execute(key, set_volatility_band, number, ppm, auction_s))


def _halt_text(body: HaltRequest) -> HaltText | None:
    return HaltText(reason=body.reason, name=body.name) if body.reason or body.name else None


def _account_routes(router: APIRouter, state: VenueState, order_entry: OrderEntry, bans: Bans) -> None:
    @router.post("/kill_switch/{switch}", summary="Turn the venue's kill switch on or off", responses=PROPOSED)
    async def switch_venue(key: Caller, switch: Switch) -> Applied:
        return Applied.by(await order_entry.execute(key, kill_switch, on=switch == "on"))

    @router.post(
        "/accounts/{account}/kill_switch/{switch}",
        summary="Turn an account's kill switch on, or off unless an opening ban holds it",
        responses=PROPOSED,
    )
    async def switch_account(key: Caller, account: AccountPath, switch: Switch) -> Applied:
        number = known_account(state, account).account
        if switch == "off":
            return Applied.by(await bans.switch_off(key, number))
        return Applied.by(await order_entry.execute(key, kill_switch, number, on=True))

    @router.put("/accounts/{account}/limits", summary="Set all limits of an account", responses=PROPOSED)
    async def change_limits(key: Caller, account: AccountPath, body: LimitsRequest) -> Applied:
        number = known_account(state, account).account
        if (lots := body.max_order_quantity or 0) > MAX_QUANTITY_LOTS:
            raise field_problem("invalid_quantity", "max_order_quantity", f"must be at most {MAX_QUANTITY_LOTS} lots")
        order_fen = _limit_fen(body.max_order_value, "max_order_value", MAX_AMOUNT_FEN)
        day_fen = _limit_fen(body.max_day_turnover, "max_day_turnover", MAX_DAY_AMOUNT_FEN)
        return Applied.by(
            await order_entry.execute(
                key,
                set_limits,
                number,
                max_order_lots=lots,
                max_order_fen=order_fen,
                max_open_orders=body.max_open_orders or 0,
                max_day_fen=day_fen,
            )
        )


def _limit_fen(text: str | None, field: str, limit_fen: int) -> int:
    fen = 0 if text is None else amount_fen(text, field, limit_fen)
    if fen < 0:
        raise field_problem("invalid_amount", field, "must be above 0; omit it for no limit")
    return fen


def _trade_routes(router: APIRouter, order_entry: OrderEntry) -> None:
    @router.post("/trades/{trade_id}/bust", summary="Bust (take back) a trade of the trading day", responses=PROPOSED)
    async def bust(key: Caller, trade_id: IdText, body: BustRequest) -> TradeBusted:
        number = TRADE_IDS.number(trade_id)
        try:
            event = await order_entry.execute(key, bust_trade, number, BustText(reason=body.reason))
        except ProblemError as problem:
            raise _bust_problem(problem) from None
        return TradeBusted(trade_id=str(number), seq=event.seq)


def _bust_problem(problem: ProblemError) -> ProblemError:
    """The problem of a declined bust, with the side that cannot give back (rulebook 7.2)."""
    match problem.code:
        case "unknown_trade":
            return TRADE_IDS.unknown()
        case "insufficient_inventory":
            return ProblemError(409, problem.code, "The buyer has too few lots available to give back.")
        case "insufficient_funds":
            detail = "The seller has too little cash available to give back, or the venue too little for the fees."
            return ProblemError(409, problem.code, detail)
        case _:
            return problem
