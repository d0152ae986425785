"""The documents of the drill. Amounts are decimal strings in yuan, exact to the fen; quantities are lots; ids are strings.

`links` are addresses relative to the host: the next step down, and the journal row that proves it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Amounts(_Part):
    """A sum of trades, each counted once: net = gross − busted − excluded."""

    net: str
    gross: str
    busted: str
    excluded: str
    trades: int = Field(description="Number of trades that count.")
    busted_trades: int
    excluded_trades: int


class TradingDay(Amounts):
    """The turnover of a trading day."""

    date: str
    links: dict[str, str] = Field(description="`trades`, `bulletin`")


class YearDays(Amounts):
    """The turnover of a year, or of one product in it, by trading day."""

    year: int
    product: str | None
    days: tuple[TradingDay, ...] = Field(description="The days with trades, or with prevented self-trades, by date.")
    seq: int = Field(description="Sequence number that the read database had reached.")
    links: dict[str, str] = Field(description="`report`, `trades`")


class TradeSide(_Part):
    """The buyer or the seller of a trade."""

    account: int
    name: str
    order_id: str
    fee: str


class Bust(_Part):
    """How an operator took a trade back."""

    seq: int
    time: str
    key_id: str
    reason: str


class Exclusion(_Part):
    """The decision by which a trade does not count."""

    seq: int
    time: str
    key_id: str
    name: str = Field(description="The person who decided.")
    reason: str
    finding: str


class DrilledTrade(_Part):
    """A trade: what it adds to the turnover, and where it comes from."""

    trade_id: str
    seq: int
    time: str
    trading_date: str
    product: str
    price: str
    quantity: int
    amount: str
    phase: str
    aggressor: Literal["buy", "sell"] | None = Field(
        description="The side whose order came second; null in an auction."
    )
    buyer: TradeSide
    seller: TradeSide
    counts: bool = Field(description="Whether it is part of the net turnover.")
    why_not: Literal["busted", "excluded"] | None
    bust: Bust | None
    exclusion: Exclusion | None
    links: dict[str, str] = Field(
        description="`self`, `buy_order`, `sell_order`, `journal`; `bust` or `decision` where it does not count"
    )


class TradePage(_Part):
    """Trades by rising id, with the sum of all trades of the filter."""

    trades: tuple[DrilledTrade, ...]
    sum: Amounts | None = Field(description="Of all trades of the filter, not of this page; null where `sum=false`.")
    next_cursor: str | None
    seq: int = Field(description="Sequence number that the read database had reached.")
    links: dict[str, str] = Field(description="`self`, and `next` where there are more trades")


class DrilledOrder(_Part):
    """An order with its trades."""

    order_id: str
    client_order_id: str | None
    account: int
    name: str
    key_id: str
    product: str
    side: Literal["buy", "sell"]
    order_type: str
    time_in_force: str
    price: str | None = Field(description="The limit price, or the protection price of a `market` or `stop` order.")
    stop_price: str | None
    quantity: int
    display_quantity: int | None
    leaves_qty: int
    cum_qty: int
    filled: str = Field(description="Amount of its trades in yuan, those too that do not count.")
    avg_px: str | None
    fees: str
    state: str
    reason: str | None
    trading_date: str
    created_at: str
    updated_at: str
    trades: tuple[DrilledTrade, ...] = Field(description="The first ones, at most 100; `links.trades` leads to all.")
    seq: int = Field(description="Sequence number that the read database had reached.")
    links: dict[str, str] = Field(description="`self`, `trades`, `journal` (it was entered), `last_change`")


class JournalRow(_Part):
    """A row of the journal: a batch of commands with their events, sealed by one hash."""

    first_seq: int
    last_seq: int
    epoch: int
    engine_version: int
    journal_id: str
    previous_hash: str
    hash: str
    commands: int
    events: int


class JournaledCommand(_Part):
    """A command of the journal with its events, and the row that holds them."""

    row: JournalRow
    time: str
    command: dict[str, Any] = Field(description="Its fields by name, as `rex journal export` has them.")
    text: Any = Field(
        description="What was written with the command: names, reasons, decisions. Null where nothing was."
    )
    withheld: tuple[str, ...] = Field(
        description="Fields of the text that are not shown: hashes of keys and passwords."
    )
    events: tuple[dict[str, Any], ...] = Field(
        description="What the engine answered, in order. A trade, and an order, has `links`."
    )
    events_total: int
    links: dict[str, str] = Field(
        description="`self`; `order`, `trade`, `trades` of the command; `next_events`; `previous_row`, `next_row`"
    )
