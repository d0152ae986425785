"""Models of the requests and replies about targets and decisions below /v1/admin."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema

from services.commands.attachments import CATEGORY_SCOPE, PRODUCT_SCOPE, VENUE_SCOPE, Metric, TradesDecision
from services.data.instruments import SYMBOL_PATTERN, Category
from services.gateway.http.admin_schemas import Applied, Name, Reason
from services.gateway.ids import MAX_ID
from services.gateway.schemas import AmountText, IdText, Request, WithoutControl

MAX_TRADES = 10_000
"""The most trades of one decision."""

TradeIdText = Annotated[IdText, StringConstraints(max_length=19)]
_SCOPES = (VENUE_SCOPE, f"{CATEGORY_SCOPE}({'|'.join(get_args(Category))})", f"{PRODUCT_SCOPE}{SYMBOL_PATTERN}")
TargetScope = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(_SCOPES)})$"})]


class TargetRequest(Request):
    """A target of a year or a month. One target is in force for each scope, metric, year and month."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "scope": "product:PRND-OX",
                "metric": "tonnes",
                "year": 2024,
                "month": 3,
                "amount": "1200.000",
                "name": "oxide, March",
                "why": "board decision of 5 January",
            }
        }
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

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "decision": "exclude",
                "trade_ids": ["22020097"],
                "finding": "ring-2024-03-05-1",
                "reason": "the three members traded in a circle and ended where they began",
                "name": "Li Na, surveillance",
            }
        }
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
