"""Trades and orders of the read database as documents, with the names and reasons that belong to them.

Quantities are lots; ids are text, as JSON's numbers are not exact above 2**53. `links` are addresses relative to the host: the
next step down, and the journal row that proves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import Phase, Reason, Side
from services.read_model.tables import accounts, busts, decisions, instruments
from services.reporting.documents import Date, Document, Time, Yuan
from services.reporting.drill import links
from services.reporting.drill.days import Amounts
from services.reporting.drill.filters import SideName
from services.reporting.queries import Values
from services.venue_state.instruments import PHASE_NAMES, VenueInstrument
from services.venue_state.orders import ORDER_TYPE_NAMES, TIME_IN_FORCE_NAMES


def named(names: Mapping[int, str]) -> PlainSerializer:
    """Writes a number as its name."""
    return PlainSerializer(names.__getitem__, return_type=str)


def side_name(side: int) -> SideName:
    """The side as text."""
    return "buy" if side == Side.BUY else "sell"


Id = Annotated[int, PlainSerializer(str, return_type=str)]
WhyNot = Literal["busted", "excluded"]
OneSide = Annotated[int, PlainSerializer(side_name, return_type=SideName)]


class TradeSide(Document):
    """The buyer or the seller of a trade."""

    account: int
    name: str
    order_id: Id
    fee_fen: Yuan


class Bust(Document):
    """How an operator took a trade back."""

    seq: int
    time_ns: Time
    actor: Id = Field(serialization_alias="key_id")
    reason: str


class Exclusion(Document):
    """The decision by which a trade does not count."""

    seq: int
    time_ns: Time
    actor: Id = Field(serialization_alias="key_id")
    name: str = Field(description="The person who decided.")
    reason: str
    finding: str


class DrilledTrade(Document):
    """A trade: what it adds to the turnover, and where it comes from."""

    trade_id: Id
    seq: int
    time_ns: Time
    trading_date: Date
    product: str
    price: str
    quantity_lots: int = Field(serialization_alias="quantity")
    amount_fen: Yuan
    phase: Annotated[int, named(PHASE_NAMES)]
    aggressor: OneSide | None = Field(description="The side whose order came second; null in an auction.")
    buyer: TradeSide
    seller: TradeSide
    counts: bool = Field(description="Whether it is part of the net turnover.")
    why_not: WhyNot | None
    bust: Bust | None
    exclusion: Exclusion | None
    links: dict[str, str] = Field(
        description="`self`, `buy_order`, `sell_order`, `journal`; `bust` or `decision` where it does not count"
    )


class TradePage(Document):
    """Trades by rising id, with the sum of all trades of the filter."""

    trades: tuple[DrilledTrade, ...]
    sum: Amounts | None = Field(description="Of all trades of the filter, not of this page; null where `sum=false`.")
    next_cursor: str | None
    seq: int = Field(description="Sequence number that the read database had reached.")
    links: dict[str, str] = Field(description="`self`, and `next` where there are more trades")


class DrilledOrder(Document):
    """An order with its trades."""

    order_id: Id
    client_order_id: str | None
    account: int
    name: str
    actor: Id = Field(serialization_alias="key_id")
    product: str
    side: OneSide
    order_type: Annotated[int, named(ORDER_TYPE_NAMES)]
    time_in_force: Annotated[int, named(TIME_IN_FORCE_NAMES)]
    price: str | None = Field(description="The limit price, or the protection price of a `market` or `stop` order.")
    stop_price: str | None
    quantity_lots: int = Field(serialization_alias="quantity")
    display_lots: int | None = Field(serialization_alias="display_quantity")
    leaves_lots: int = Field(serialization_alias="leaves_qty")
    filled_lots: int = Field(serialization_alias="cum_qty")
    filled_fen: Yuan = Field(description="Amount of its trades in yuan, those too that do not count.")
    avg_px: str | None
    fees_fen: Yuan
    state: str
    reason: str | None
    trading_date: Date
    created_ns: Time = Field(serialization_alias="created_at")
    updated_ns: Time = Field(serialization_alias="updated_at")
    trades: tuple[DrilledTrade, ...] = Field(description="The first ones, at most 100; `links.trades` leads to all.")
    seq: int = Field(description="Sequence number that the read database had reached.")
    links: dict[str, str] = Field(description="`self`, `trades`, `journal` (it was entered), `last_change`")


@dataclass(frozen=True)
class OrdersAround:
    """The rows that trades and orders refer to, by their keys."""

    instruments: Mapping[int, VenueInstrument]
    names: Mapping[int, str]
    busts: Mapping[int, Values]
    decisions: Mapping[int, Values]


async def read_around(connection: AsyncConnection, rows: Sequence[Values], *account_numbers: int) -> OrdersAround:
    """What these rows of `trades`, and these accounts, refer to: by primary keys, some hundred at most."""
    numbers = {row[name] for row in rows for name in ("taker_account", "maker_account")} | set(account_numbers)
    accounts_by_number = await _by_key(connection, accounts, sorted(numbers))
    listed = (await connection.execute(select(instruments))).mappings()
    return OrdersAround(
        instruments={row["instrument"]: VenueInstrument.from_columns(row) for row in listed},
        names={number: row["name"] for number, row in accounts_by_number.items()},
        busts=await _by_key(connection, busts, [row["trade_id"] for row in rows if row["busted_seq"]]),
        decisions=await _by_key(connection, decisions, [row["excluded_seq"] for row in rows if row["excluded_seq"]]),
    )


async def _by_key(connection: AsyncConnection, table: Table, keys: Sequence[int]) -> dict[int, Values]:
    (key,) = table.primary_key.columns
    found = await connection.execute(select(table).where(key.in_(set(keys)))) if keys else None
    return {} if found is None else {row[key.name]: row for row in found.mappings()}


def drilled_trade(row: Values, around: OrdersAround) -> DrilledTrade:
    """A row of `trades`."""
    instrument, (buyer, seller) = around.instruments[row["instrument"]], _sides(row, around)
    why_not: WhyNot | None = "busted" if row["busted_seq"] else "excluded" if row["excluded_seq"] else None
    return DrilledTrade(
        **row,
        product=instrument.symbol,
        price=instrument.price_text(row["price_ticks"]),
        aggressor=None if row["phase"] == Phase.CALL_AUCTION else row["taker_side"],
        buyer=buyer,
        seller=seller,
        counts=why_not is None,
        why_not=why_not,
        bust=Bust(**around.busts[row["trade_id"]]) if why_not == "busted" else None,
        exclusion=Exclusion(**around.decisions[row["excluded_seq"]]) if why_not == "excluded" else None,
        links=_trade_links(row, buyer, seller),
    )


def _sides(row: Values, around: OrdersAround) -> tuple[TradeSide, ...]:
    """The buyer and the seller."""
    roles = ("taker", "maker") if row["taker_side"] == Side.BUY else ("maker", "taker")
    return tuple(
        TradeSide(
            account=row[f"{role}_account"],
            name=around.names[row[f"{role}_account"]],
            order_id=row[f"{role}_order_id"],
            fee_fen=row[f"{role}_fee_fen"],
        )
        for role in roles
    )


def _trade_links(row: Values, buyer: TradeSide, seller: TradeSide) -> dict[str, str]:
    found = {
        "self": links.trade(row["trade_id"]),
        "buy_order": links.order(buyer.order_id),
        "sell_order": links.order(seller.order_id),
        "journal": links.journal(row["seq"]),
    }
    if row["busted_seq"]:
        found["bust"] = links.journal(row["busted_seq"])
    elif row["excluded_seq"]:
        found["decision"] = links.journal(row["excluded_seq"])
    return found


def drilled_order(row: Values, found: Sequence[Values], around: OrdersAround, seq: int) -> DrilledOrder:
    """A row of `orders` with its first trades."""
    instrument, order_id, filled = around.instruments[row["instrument"]], row["order_id"], row["filled_lots"]
    or_none = {name: row[name] or None for name in ("client_order_id", "display_lots")}
    return DrilledOrder(
        **{**row, **or_none, "reason": Reason(row["reason"]).name.lower() if row["reason"] else None},
        name=around.names.get(row["account"], ""),
        product=instrument.symbol,
        price=instrument.price_text(row["price_ticks"]) if row["price_ticks"] else None,
        stop_price=instrument.price_text(row["trigger_ticks"]) if row["trigger_ticks"] else None,
        avg_px=instrument.average_text(row["filled_fen"], filled) if filled else None,
        trades=tuple(drilled_trade(one, around) for one in found),
        seq=seq,
        links={
            "self": links.order(order_id),
            "trades": links.trades(order=order_id),
            "journal": links.journal(order_id),
            "last_change": links.journal(row["updated_seq"]),
        },
    )
