"""Operators' decisions over HTTP: targets, and trades that do not count. Each is a journaled command. Scope: `operate`."""

from __future__ import annotations

from fastapi import APIRouter

from matching_engine.records import MAX_AMOUNT_FEN
from services.commands.attachments import (
    CATEGORY_SCOPE,
    PRODUCT_SCOPE,
    VENUE_SCOPE,
    TargetSet,
    TradesDecided,
)
from services.gateway.http.access_middleware import DECISIONS_PATH
from services.gateway.http.admin_schemas import Applied
from services.gateway.http.caller import Caller, needs
from services.gateway.http.decision_schemas import DecisionRequest, TargetRequest, TradesDecidedReply
from services.gateway.http.proposal_schemas import PROPOSED
from services.gateway.order_entry.decisions import DecisionChecks
from services.gateway.order_entry.order_command import instrument_of
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import field_problem
from services.read_model.targets import TargetKey
from services.values.decimals import fixed_text, scaled
from services.venue_state.state import VenueState


def routes(state: VenueState, order_entry: OrderEntry, checks: DecisionChecks) -> APIRouter:
    """/v1/admin/targets and /v1/admin/decisions."""
    router = APIRouter(tags=["operate"], dependencies=[needs("operate")])

    @router.post("/v1/admin/targets", status_code=201, summary="Set a target", responses=PROPOSED)
    async def set_target(key: Caller, body: TargetRequest) -> Applied:
        target = _target(state, body)
        about = TargetKey(target.scope, target.metric, target.year, target.month)
        async with checks.checked() as connection:
            await checks.target(connection, about, body.replaces)
            return Applied.by(await order_entry.record(key, target))

    @router.post(
        DECISIONS_PATH,
        status_code=201,
        summary="Decide that trades do not count in the turnover, or that they count again",
        responses=PROPOSED,
    )
    async def decide(key: Caller, body: DecisionRequest) -> TradesDecidedReply:
        async with checks.checked() as connection:
            trade_ids = await checks.trades(connection, body.decision, body.trade_ids)
            decided = TradesDecided(
                decision=body.decision, trade_ids=trade_ids, finding=body.finding, reason=body.reason, name=body.name
            )
            event = await order_entry.record(key, decided)
        return TradesDecidedReply(seq=event.seq, decision=body.decision, trades=len(trade_ids))

    return router


def _target(state: VenueState, body: TargetRequest) -> TargetSet:
    _check_scope(state, body.scope)
    if body.pro_rata and body.month:
        raise field_problem("validation_failed", "pro_rata", "must be false for a month: only a year is owed pro rata")
    return TargetSet(
        scope=body.scope,
        metric=body.metric,
        year=body.year,
        month=body.month,
        amount=_amount(body),
        pro_rata=body.pro_rata,
        name=body.name,
        why=body.why,
        replaces=body.replaces or 0,
    )


def _check_scope(state: VenueState, scope: str) -> None:
    if scope.startswith(PRODUCT_SCOPE):
        instrument_of(state, scope.removeprefix(PRODUCT_SCOPE), "scope")
    elif scope.startswith(CATEGORY_SCOPE):
        categories = sorted({str(instrument.facts["category"]) for instrument in state.instruments})
        if scope.removeprefix(CATEGORY_SCOPE) not in categories:
            raise field_problem("validation_failed", "scope", f"the categories are {', '.join(categories)}")
    elif scope != VENUE_SCOPE:
        raise field_problem("validation_failed", "scope", "must be `venue`, `category:NAME` or `product:SYMBOL`")


def _amount(body: TargetRequest) -> int:
    """Fen, or kilograms; raises a 422 problem."""
    decimals, unit = (3, "kilograms (0.001 t)") if body.metric == "tonnes" else (2, "fen (0.01 yuan)")
    amount = scaled(body.amount, decimals)
    if amount is None:
        raise field_problem("invalid_amount", "amount", f"{body.amount} is not a whole number of {unit}")
    if not 0 < amount <= MAX_AMOUNT_FEN:
        raise field_problem(
            "invalid_amount", "amount", f"must be above 0, and at most {fixed_text(MAX_AMOUNT_FEN, decimals)}"
        )
    return amount
