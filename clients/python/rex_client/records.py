"""The main answers as records: money, prices and rates as Decimal, times as aware datetimes, trading dates as dates.

    order = Order.of(await client.place_order({...}))
    fills = [Fill.of(fill) for fill in (await client.fills())["fills"]]

Fields, units and values are those of the API (docs/api.md); an answer's fields that a record has not are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Self

import msgspec

Side = Literal["buy", "sell"]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record of an answer, or of an entry of one."""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """The record of an answer. Raises msgspec.ValidationError, a ValueError, if the answer is of something else."""
        return msgspec.convert(answer, cls)


class Order(Record, frozen=True, kw_only=True):
    """An order as it stands; quantities in lots, prices in yuan per unit."""

    order_id: str
    client_order_id: str | None
    account: int
    symbol: str
    side: Side
    order_type: Literal["limit", "market", "stop", "stop_limit"]
    time_in_force: Literal["day", "gtc", "gtd", "ioc", "fok"]
    price: Decimal | None
    quantity: int
    leaves_qty: int
    cum_qty: int
    avg_px: Decimal | None
    fees: Decimal
    state: Literal["new", "partially_filled", "filled", "canceled", "rejected", "expired"]
    reason: str | None
    trading_date: date
    created_at: datetime
    updated_at: datetime
    seq: int
    stop_price: Decimal | None
    triggered: bool | None
    protection_price: Decimal | None
    display_quantity: int | None
    expire_time: datetime | None
    post_only: bool
    self_trade_prevention: Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement"]
    reason_text: str | None

    @property
    def is_open(self) -> bool:
        """Whether it may still trade."""
        return self.state in ("new", "partially_filled")


class OrderTest(Record, frozen=True, kw_only=True):
    """What placing an order would give; money in yuan."""

    verdict: Literal["accepted", "rejected", "canceled", "repeated"]
    reason: str | None
    reason_text: str | None
    repeats: str | None
    symbol: str
    price: Decimal
    notional: Decimal
    reserve: Decimal
    reserve_quantity: int
    fee_as_maker: Decimal
    fee_as_taker: Decimal
    available_after: Decimal
    available_quantity_after: int
    seq: int


class Fill(Record, frozen=True, kw_only=True):
    """The account's side of a trade; `amount` and `fee` in yuan."""

    trade_id: str
    order_id: str
    client_order_id: str | None
    symbol: str
    side: Side
    liquidity: Literal["maker", "taker", "auction"]
    price: Decimal
    quantity: int
    amount: Decimal
    fee: Decimal
    trading_date: date
    time: datetime
    seq: int
    busted: bool


class Holding(Record, frozen=True, kw_only=True):
    """The lots of an instrument that an account has."""

    symbol: str
    quantity: int
    reserved: int
    available: int


class Balances(Record, frozen=True, kw_only=True):
    """Cash in yuan and holdings, as the channel `balances` pushes them."""

    account: int
    cash: Decimal
    reserved: Decimal
    available: Decimal
    holdings: tuple[Holding, ...]


class AccountLimits(Record, frozen=True, kw_only=True):
    """The limits of an account. None: no limit."""

    max_order_quantity: int | None
    max_order_value: Decimal | None
    max_open_orders: int | None
    max_day_turnover: Decimal | None


class Account(Balances, frozen=True, kw_only=True):
    """An account: its balances, limits and fee rates."""

    name: str
    seq: int
    owner: int
    account_class: int
    maker_rate: Decimal
    taker_rate: Decimal
    limits: AccountLimits
    open_orders: int
    day_turnover: Decimal
    kill_switch: bool


class LedgerBalance(Record, frozen=True, kw_only=True):
    """Cash in yuan, and lots of the line's instrument if it has one, after a line of the ledger."""

    cash: Decimal
    reserved: Decimal
    quantity: int | None
    reserved_quantity: int | None


class LedgerLine(Record, frozen=True, kw_only=True):
    """A change of an account's cash, reserves and goods, and the balances after it."""

    seq: int
    time: datetime
    cause: str
    symbol: str | None
    order_id: str | None
    trade_id: str | None
    cash: Decimal
    fee: Decimal
    reserved: Decimal
    quantity: int
    reserved_quantity: int
    balance: LedgerBalance


class CashMovement(Record, frozen=True, kw_only=True):
    """A deposit, or a withdrawal with a negative amount, in yuan."""

    seq: int
    time: datetime
    trading_date: date
    cause: Literal["deposit", "withdrawal"]
    amount: Decimal
