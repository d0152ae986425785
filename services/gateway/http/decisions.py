"""Operators' decisions over HTTP: targets, trades that do not count, and figures about the world outside.

Each is a journaled command. Scope: `operate`.
"""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter
from pydantic import Field, StringConstraints, WithJsonSchema

from matching_engine.records import MAX_AMOUNT_FEN
from services.commands.attachments import (
    CATEGORY_SCOPE,
    PRODUCT_SCOPE,
    VENUE_SCOPE,
    ContextStated,
    Metric,
    TargetSet,
    TradesDecided,
    TradesDecision,
)
from services.data.instruments import SYMBOL_PATTERN, Category
from services.gateway.http.access_middleware import DECISIONS_PATH
from services.gateway.http.act_schemas import PROPOSED, Applied, Name, Reason
from services.gateway.http.caller import Caller, needs
from services.gateway.ids import MAX_ID
from services.gateway.order_entry.decisions import DecisionChecks
from services.gateway.order_entry.order_command import instrument_of
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import field_problem
from services.gateway.schemas import AmountText, IdText, Request, WithoutControl, example
from services.read_model.targets import TargetKey
from services.values.decimals import fixed_text, scaled
from services.venue_state.state import VenueState

MAX_TRADES = 10_000
"""The most trades of one decision."""

TradeIdText = Annotated[IdText, StringConstraints(max_length=19)]
_SCOPES = (VENUE_SCOPE, f"{CATEGORY_SCOPE}({'|'.join(get_args(Category))})", f"{PRODUCT_SCOPE}{SYMBOL_PATTERN}")
TargetScope = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(_SCOPES)})$"})]


class TargetRequest(Request):
    """A target of a year or a month. One target is in force for each scope, metric, year and month."""

    model_config = example(
        scope="product:PRND-OX",
        metric="tonnes",
        year=2024,
        month=3,
        amount="1200.000",
        name="oxide, March",
        why="board decision of 5 January",
    )

    scope: TargetScope = Field(
        default=VENUE_SCOPE, description="`venue`, `category:NAME` or `product:SYMBOL`, of a listed instrument."
    )
    metric: Metric = Field(
        default="net_traded",
        description="`net_traded`: net turnover; `changed_hands`: what members bought net; `delivered`: deliveries; `tonnes`: "
        "net tonnage.",
    )
    year: int = Field(ge=2000, le=2099)
    month: int = Field(default=0, ge=0, le=12, description="1 to 12; 0: the whole year.")
    amount: AmountText = Field(
        description="Above 0. Yuan, in whole fen; at most 100000000000000.00. Of `tonnes`: tonnes, in whole kilograms."
    )
    pro_rata: bool = Field(
        default=False,
        description="Whether a year in which the venue opened later owes only the share of its trading days. Not of a month.",
    )
    name: Name = Field(description="What the target is called.")
    why: Reason = Field(description="Why it is set. Recorded in the journal.")
    replaces: int | None = Field(
        default=None,
        ge=1,
        lt=MAX_ID + 1,  # FastAPI states bounds as floats, which have no 2**63 - 1
        description="The `seq` of the target in force, if there is one: a new one must replace it.",
    )


class DecisionRequest(Request):
    """A person's decision that trades do not count in the turnover, or that they count again."""

    model_config = example(
        decision="exclude",
        trade_ids=["22020097"],
        finding="ring-2024-03-05-1",
        reason="the three members traded in a circle and ended where they began",
        name="Li Na, surveillance",
    )

    decision: TradesDecision = Field(description="`exclude`: they no longer count; `include`: they count again.")
    trade_ids: list[TradeIdText] = Field(
        min_length=1, max_length=MAX_TRADES, description="Trades of any day that are not busted, each of which changes."
    )
    finding: Annotated[str, StringConstraints(max_length=100), WithoutControl] = Field(
        default="", description="The id of the finding that this answers."
    )
    reason: Reason = Field(description="Why. Recorded in the journal.")
    name: Name = Field(description="Who decides. Recorded in the journal beside the key.")


class TradesDecidedReply(Applied):
    """The decision has been applied."""

    decision: TradesDecision
    trades: int = Field(description="Number of its trades.")


class ContextRequest(Request):
    """A figure about the world outside. It is shown beside the report and counted in nothing."""

    model_config = example(
        year=2024,
        figure="output value of the city's rare-earth industry",
        value="75000000000",
        unit="yuan",
        source="the city's statistical bulletin",
        name="Li Na, statistics",
    )

    year: int = Field(ge=2000, le=2099, description="The calendar year that it is about.")
    figure: Name = Field(description="What it says. The newest value of a year and figure holds.")
    value: Annotated[str, StringConstraints(pattern=r"^(-?[0-9]{1,20}(\.[0-9]{1,6})?)?$", max_length=28)] = Field(
        description="An exact decimal. Empty: the figure is withdrawn."
    )
    unit: Annotated[str, StringConstraints(max_length=30), WithoutControl] = Field(description="`yuan`, `t`, `%` …")
    source: Reason = Field(description="Where it was published. Recorded in the journal.")
    name: Name = Field(description="Who enters it. Recorded in the journal beside the key.")


def routes(state: VenueState, order_entry: OrderEntry, checks: DecisionChecks) -> APIRouter:
    """/v1/admin/targets and /v1/admin/decisions."""
    router = APIRouter(tags=["operate"], dependencies=[needs("operate")])

    @router.post("/v1/admin/targets", status_code=201, summary="Set a target", responses=PROPOSED)
    async def set_target(key: Caller, body: TargetRequest) -> Applied:
        target = _target(state, body)
        about = TargetKey(target.scope, target.metric, target.year, target.month)
        async with checks.checked() as connection:
            if not order_entry.is_repeat():
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


def context_routes(order_entry: OrderEntry) -> APIRouter:
    """/v1/admin/context. Of its own, since /openapi.json lists it behind the measures."""
    router = APIRouter(tags=["operate"], dependencies=[needs("operate")])

    @router.post(
        "/v1/admin/context",
        status_code=201,
        summary="Enter a figure about the world outside, with its source",
        responses=PROPOSED,
    )
    async def state_context(key: Caller, body: ContextRequest) -> Applied:
        stated = ContextStated(**body.model_dump())
        return Applied.by(await order_entry.record(key, stated))

    return router


def _target(state: VenueState, body: TargetRequest) -> TargetSet:
    _check_scope(state, body.scope)
    if body.pro_rata and body.month:
        raise field_problem("validation_failed", "pro_rata", "must be false for a month: only a year is owed pro rata")
    return TargetSet(
        **body.model_dump(exclude={"amount", "replaces"}), amount=_amount(body), replaces=body.replaces or 0
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
