"""Models of requests and replies of /v1/admin; `schemas.py` has all others."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from matching_engine.limits import MAX_AUCTION_S
from matching_engine.records import Event
from services.data.instruments import Symbol
from services.gateway.schemas import (
    AmountText,
    NotBlank,
    Quantity,
    RateText,
    Reply,
    Request,
    SignedAmountText,
    SignedQuantity,
    WithoutControl,
    example,
)

SchedulePhaseName = Literal["closed", "continuous", "call_auction", "auction_matching"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80), WithoutControl]
PersonName = Annotated[str, StringConstraints(max_length=80), WithoutControl]
"""Of a person who acts with a key; may be empty."""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500), NotBlank, WithoutControl]
AccountNumber = Annotated[int, Field(ge=0, json_schema_extra={"maximum": 2**32 - 1})]


class AccountRequest(Request):
    """A new account."""

    model_config = example(name="Baotou Magnet Works", owner=0)

    name: Name
    owner: AccountNumber = Field(
        default=0,
        description="An account of the same owner: accounts of one owner never trade with each other. 0: no group.",
    )
    account_class: int = Field(
        default=0, ge=0, le=255, description="The account class, which determines the fee rates."
    )


class AccountOpened(Reply):
    """The new account's number."""

    account: int
    name: str
    seq: int


class CashRequest(Request):
    """A deposit, or a withdrawal where the amount is negative."""

    model_config = example(amount="2500000.00")

    amount: SignedAmountText = Field(
        description="Yuan, in whole fen (0.01). Not 0; at most 100000000000000.00 in or out."
    )


class InventoryRequest(Request):
    """A receipt of lots, or a release where the quantity is negative."""

    model_config = example(symbol="PRND-OX", quantity=120)

    symbol: Symbol = Field(description="Symbol of a listed instrument.")
    quantity: SignedQuantity = Field(description="Whole lots. Not 0.")


class Applied(Reply):
    """The administrative command has been applied."""

    seq: int = Field(description="Journal sequence number of the command.")

    @classmethod
    def by(cls, event: Event) -> Applied:
        """The answer to the command that made the event."""
        return cls(seq=event.seq)


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


class FeesRequest(Request):
    """Fee rates of an account class, as fractions of a trade's value: 0.0005 is 0.05 %. They hold from now on."""

    model_config = example(maker_rate="0.0003", taker_rate="0.0005")

    maker_rate: RateText = Field(description="From 0 to 0.999999, at most six decimals.")
    taker_rate: RateText = Field(description="From 0 to 0.999999, at most six decimals.")


class Fees(Reply):
    """Fee rates of an account class, as fractions of a trade's value."""

    account_class: int
    maker_rate: str
    taker_rate: str


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
