"""Models of the past: candles, trades of any day, an account's ledger, deposits and withdrawals."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from services.gateway.schemas import PublicTrade, Reply

_NEXT = Field(description="Opaque; pass it as `cursor` for the next page. Null: this is the last.")

IntervalName = Literal["1m", "5m", "15m", "1h", "1d"]
CauseName = Literal[
    "reserve", "amend", "release", "trade", "fee", "bust", "deposit", "withdrawal", "receipt", "goods_out"
]


class Candle(Reply):
    """The trades of an interval, without busted ones. Prices are in yuan per unit."""

    start: str = Field(description="Beginning of the interval. Of `1d`: when the trading day began.")
    trading_date: str | None = Field(description="Of `1d`: the trading day (Asia/Shanghai). Null for other intervals.")
    open: str
    high: str
    low: str
    close: str
    quantity: int = Field(description="Lots traded. 0: a flat candle, at the close of the one before.")
    amount: str = Field(description="Yuan traded, single-sided.")
    trades: int
    closed: bool = Field(description="Whether the interval has ended. A bust may change a candle of the day even then.")


class CandlesPage(Reply):
    """Candles of one instrument, oldest first."""

    symbol: str
    interval: IntervalName
    seq: int = Field(description="The candles are exact as of this journal sequence number.")
    candles: list[Candle]
    next_cursor: str | None = Field(
        description="Opaque; pass it as `cursor`, and all else as before, for the next page: later candles with `start`, "
        "earlier ones without. Null: this is the last."
    )


class TradesPage(Reply):
    """One page of an instrument's trades."""

    trades: list[PublicTrade]
    next_cursor: str | None = _NEXT


class LedgerBalance(Reply):
    """What the account has after a change: its cash, and the goods of the change's instrument."""

    cash: str = Field(description="Yuan.")
    reserved: str = Field(description="Yuan of the cash that are reserved.")
    quantity: int | None = Field(description="Lots. Null for a change of cash alone.")
    reserved_quantity: int | None = Field(
        description="Lots of these that are reserved. Null for a change of cash alone."
    )


class LedgerLine(Reply):
    """One change of an account's cash, reserves and goods. Amounts are changes: negative ones go out."""

    seq: int
    time: str
    cause: CauseName = Field(
        description="`reserve`: an order's entry. `amend`: its reserve changed. `release`: a canceled, expired or prevented "
        "quantity gave its reserve back. `fee`: earned by the venue's own account. `bust`: a trade's amounts came back."
    )
    symbol: str | None = Field(description="Null for a change of cash alone.")
    order_id: str | None
    trade_id: str | None
    cash: str = Field(description="Change in yuan, the fee included.")
    fee: str = Field(description="The fee in it, in yuan; negative where it came back.")
    reserved: str = Field(description="Change of the reserved cash in yuan.")
    quantity: int = Field(description="Change in lots.")
    reserved_quantity: int = Field(description="Change of the reserved lots.")
    balance: LedgerBalance


class LedgerPage(Reply):
    """One page of an account's ledger."""

    account: int
    lines: list[LedgerLine]
    next_cursor: str | None = _NEXT


class CashMovement(Reply):
    """A deposit or a withdrawal."""

    seq: int
    time: str
    trading_date: str = Field(description="Empty before the venue's first trading day.")
    cause: Literal["deposit", "withdrawal"]
    amount: str = Field(description="Yuan; negative: a withdrawal.")


class CashMovementsPage(Reply):
    """One page of an account's deposits and withdrawals."""

    account: int
    cash_movements: list[CashMovement]
    next_cursor: str | None = _NEXT
