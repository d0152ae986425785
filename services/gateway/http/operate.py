"""What operators do, over HTTP: halts, phases, collars and bands, kill switches, limits, busts. Each is a journaled command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter

from matching_engine.limits import MAX_DAY_AMOUNT_FEN
from matching_engine.records import ALL_INSTRUMENTS, MAX_AMOUNT_FEN, MAX_QUANTITY_LOTS, Command, Phase
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
from services.commands.attachments import BustText
from services.gateway.http.account import known_account
from services.gateway.http.admin_schemas import (
    Applied,
    BustRequest,
    CollarRequest,
    LimitsRequest,
    PhaseRequest,
    TradeBusted,
    VolatilityBandRequest,
)
from services.gateway.http.caller import Caller
from services.gateway.order_entry.amounts import amount_fen, rate_ppm
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, field_problem, unknown_symbol
from services.messaging import Submission
from services.venue_state.instruments import Instrument
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

Switch = Literal["on", "off"]


class Operators:
    """Carries out what an operator asks for, if the key may."""

    def __init__(self, order_entry: OrderEntry) -> None:
        self._order_entry = order_entry

    async def apply(self, key: ApiKey, build: Callable[[Command], Submission]) -> Applied:
        """The command's reply; raises a problem where the key lacks `operate` or the engine declines."""
        key.require("operate")
        return Applied(seq=(await self._order_entry.execute(key, build)).seq)


def routes(state: VenueState, order_entry: OrderEntry) -> APIRouter:
    """/v1/admin/… of operators"""
    router, operators = APIRouter(prefix="/v1/admin", tags=["operate"]), Operators(order_entry)
    _market_routes(router, state, operators)
    _account_routes(router, state, operators)
    _trade_routes(router, operators)
    return router


def _market_routes(router: APIRouter, state: VenueState, operators: Operators) -> None:
    def listed(symbol: str) -> Instrument:
        instrument = state.by_symbol.get(symbol)
        if instrument is None:
            raise unknown_symbol(symbol)
        return instrument

    @router.post("/halt", response_model=Applied, summary="Halt every instrument: cancels only")
    async def halt_all(key: Caller) -> Applied:
        return await operators.apply(key, lambda sender: halt(sender, ALL_INSTRUMENTS))

    @router.post("/resume", response_model=Applied, summary="Resume every instrument")
    async def resume_all(key: Caller) -> Applied:
        return await operators.apply(key, lambda sender: resume(sender, ALL_INSTRUMENTS))

    @router.post("/instruments/{symbol}/halt", response_model=Applied, summary="Halt one instrument")
    async def halt_one(key: Caller, symbol: str) -> Applied:
        key.require("operate")
        number = listed(symbol).number
        return await operators.apply(key, lambda sender: halt(sender, number))

    @router.post("/instruments/{symbol}/resume", response_model=Applied, summary="Resume one instrument")
    async def resume_one(key: Caller, symbol: str) -> Applied:
        key.require("operate")
        number = listed(symbol).number
        return await operators.apply(key, lambda sender: resume(sender, number))

    @router.put(
        "/instruments/{symbol}/phase", response_model=Applied, summary="Its phase until the schedule's next change"
    )
    async def change_phase(key: Caller, symbol: str, body: PhaseRequest) -> Applied:
        key.require("operate")
        number, phase = listed(symbol).number, Phase[body.phase.upper()]
        return await operators.apply(key, lambda sender: set_phase(sender, phase, number))

    @router.put(
        "/instruments/{symbol}/collar", response_model=Applied, summary="How far beyond the last price orders reach"
    )
    async def change_collar(key: Caller, symbol: str, body: CollarRequest) -> Applied:
        key.require("operate")
        number, ppm = listed(symbol).number, rate_ppm(body.rate, "rate")
        return await operators.apply(key, lambda sender: set_collar(sender, number, ppm))

    @router.put("/instruments/{symbol}/volatility_band", response_model=Applied, summary="When an auction takes over")
    async def change_volatility_band(key: Caller, symbol: str, body: VolatilityBandRequest) -> Applied:
        key.require("operate")
        number, ppm, auction_s = listed(symbol).number, rate_ppm(body.rate, "rate"), body.auction_seconds
        if (ppm > 0) != (auction_s > 0):
            raise field_problem("invalid_expiry", "auction_seconds", "must be above 0 with a rate, and 0 without one")
        return await operators.apply(key, lambda sender: set_volatility_band(sender, number, ppm, auction_s))


def _account_routes(router: APIRouter, state: VenueState, operators: Operators) -> None:
    @router.post(
        "/kill_switch/{switch}", response_model=Applied, summary="Refuse everybody's orders and amends, or not"
    )
    async def switch_venue(key: Caller, switch: Switch) -> Applied:
        return await operators.apply(key, lambda sender: kill_switch(sender, on=switch == "on"))

    @router.post("/accounts/{account}/kill_switch/{switch}", response_model=Applied, summary="The same of one account")
    async def switch_account(key: Caller, account: int, switch: Switch) -> Applied:
        key.require("operate")
        number = known_account(state, account).account
        return await operators.apply(key, lambda sender: kill_switch(sender, number, on=switch == "on"))

    @router.put("/accounts/{account}/limits", response_model=Applied, summary="What an account may do at most")
    async def change_limits(key: Caller, account: int, body: LimitsRequest) -> Applied:
        key.require("operate")
        number = known_account(state, account).account
        if (lots := body.max_order_quantity or 0) > MAX_QUANTITY_LOTS:
            raise field_problem("invalid_quantity", "max_order_quantity", f"must be at most {MAX_QUANTITY_LOTS} lots")
        order_fen = _limit_fen(body.max_order_value, "max_order_value", MAX_AMOUNT_FEN)
        day_fen = _limit_fen(body.max_day_turnover, "max_day_turnover", MAX_DAY_AMOUNT_FEN)
        return await operators.apply(
            key,
            lambda sender: set_limits(
                sender,
                number,
                max_order_lots=lots,
                max_order_fen=order_fen,
                max_open_orders=body.max_open_orders or 0,
                max_day_fen=day_fen,
            ),
        )


def _limit_fen(text: str | None, field: str, limit_fen: int) -> int:
    fen = 0 if text is None else amount_fen(text, field, limit_fen)
    if fen < 0:
        raise field_problem("invalid_amount", field, "must be above 0; leave it out for no limit")
    return fen


def _trade_routes(router: APIRouter, operators: Operators) -> None:
    @router.post("/trades/{trade_id}/bust", response_model=TradeBusted, summary="Take back a trade of the trading day")
    async def bust(key: Caller, trade_id: str, body: BustRequest) -> TradeBusted:
        key.require("operate")
        number = int(trade_id) if trade_id.isascii() and trade_id.isdigit() and len(trade_id) < 20 else 0
        if not 0 < number < 2**63:
            raise _unknown_trade()
        try:
            applied = await operators.apply(
                key, lambda sender: bust_trade(sender, number, BustText(reason=body.reason))
            )
        except ProblemError as problem:
            raise _bust_problem(problem) from None
        return TradeBusted(trade_id=str(number), seq=applied.seq)


def _unknown_trade() -> ProblemError:
    return ProblemError(404, "unknown_trade", "No trade of this trading day has this id, or it was busted before.")


def _bust_problem(problem: ProblemError) -> ProblemError:
    """What a bust was declined for, saying whose money or goods it is about (rulebook 7.2)."""
    match problem.code:
        case "unknown_trade":
            return _unknown_trade()
        case "insufficient_inventory":
            return ProblemError(409, problem.code, "The buyer has too few lots available to give back.")
        case "insufficient_funds":
            detail = "The seller has too little cash available to give back, or the venue too little for the fees."
            return ProblemError(409, problem.code, detail)
        case _:
            return problem
