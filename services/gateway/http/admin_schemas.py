"""What stands in requests and replies of /v1/admin; the rest stands in `schemas.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from services.commands.attachments import Scope
from services.gateway.schemas import DecimalText, Reply, Request

SchedulePhaseName = Literal["closed", "continuous", "call_auction", "auction_matching"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class AccountRequest(Request):
    """A new account; members of one owner group never trade with each other."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Baotou Magnet Works", "owner": 0}})

    name: Name
    owner: int = Field(default=0, ge=0, description="an account of the same owner; 0: its own group")
    account_class: int = Field(default=0, ge=0, le=255, description="whose fees it pays")


class AccountOpened(Reply):
    """The new account's number."""

    account: int
    name: str
    seq: int


class KeyRequest(Request):
    """A new API key. A key with `trade` is bound to an account."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "trading desk", "scopes": ["read", "trade"], "account": 2}}
    )

    name: Name
    scopes: list[Scope] = Field(min_length=1)
    account: int = Field(default=0, ge=0)


class KeyIssuedReply(Reply):
    """The secret is shown here once and stored nowhere."""

    key_id: str
    key: str
    account: int
    name: str
    scopes: list[Scope]
    seq: int


class CashRequest(Request):
    """Money in, or out where the amount is negative, in yuan."""

    model_config = ConfigDict(json_schema_extra={"example": {"amount": "2500000.00"}})

    amount: DecimalText


class InventoryRequest(Request):
    """Lots in, or out where the quantity is negative."""

    model_config = ConfigDict(json_schema_extra={"example": {"symbol": "PRND-OX", "quantity": 120}})

    symbol: str
    quantity: int


class Applied(Reply):
    """An administrative command was applied as `seq`."""

    seq: int


class LimitsRequest(Request):
    """All limits of an account at once; null or left out: no limit."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "max_order_quantity": 500,
                "max_order_value": "5000000.00",
                "max_open_orders": 1000,
                "max_day_turnover": "100000000.00",
            }
        }
    )

    max_order_quantity: int | None = Field(default=None, ge=1, description="lots of one order")
    max_order_value: DecimalText | None = Field(default=None, description="yuan of one order")
    max_open_orders: int | None = Field(default=None, ge=1, le=65_535)
    max_day_turnover: DecimalText | None = Field(default=None, description="yuan of a trading day, bought and sold")


class FeesRequest(Request):
    """What a trade costs each side, as fractions of its value: 0.0005 is 0.05 %."""

    model_config = ConfigDict(json_schema_extra={"example": {"maker_rate": "0.0003", "taker_rate": "0.0005"}})

    maker_rate: DecimalText
    taker_rate: DecimalText


class Fees(Reply):
    """The rates of an account class."""

    account_class: int
    maker_rate: str
    taker_rate: str


class CollarRequest(Request):
    """How far beyond the last price an order may reach, as a fraction; 0: no collar."""

    model_config = ConfigDict(json_schema_extra={"example": {"rate": "0.05"}})

    rate: DecimalText


class VolatilityBandRequest(Request):
    """A trade further from the last price than `rate` doesn't happen but begins an auction; both 0: never."""

    model_config = ConfigDict(json_schema_extra={"example": {"rate": "0.03", "auction_seconds": 120}})

    rate: DecimalText
    auction_seconds: int = Field(ge=0, le=86_400)


class PhaseRequest(Request):
    """The phase of an instrument until the schedule's next change."""

    model_config = ConfigDict(json_schema_extra={"example": {"phase": "call_auction"}})

    phase: SchedulePhaseName


class BustRequest(Request):
    """Why a trade is taken back: recorded with it."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "fat finger, agreed by both sides"}})

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class TradeBusted(Reply):
    """The trade that was taken back."""

    trade_id: str
    seq: int
