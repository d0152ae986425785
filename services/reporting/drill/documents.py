"""Days, trades and orders of the read database as documents, with the names and reasons that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import Phase, Reason, Side
from services.read_database.tables import accounts, busts, decisions, instruments
from services.reporting.drill import links
from services.reporting.drill.schemas import (
    Amounts,
    Bust,
    DrilledOrder,
    DrilledTrade,
    Exclusion,
    TradeSide,
)
from services.reporting.drill.trade_pages import TradeSum
from services.reporting.queries import Values
from services.values.decimals import yuan_text
from services.values.times import date_text, time_text
from services.venue_state.instruments import PHASE_NAMES, VenueInstrument
from services.venue_state.orders import ORDER_TYPE_NAMES, TIME_IN_FORCE_NAMES


@dataclass(frozen=True)
class Around:
    """The rows that trades and orders refer to, by their keys."""

    instruments: Mapping[int, VenueInstrument]
    names: Mapping[int, str]
    busts: Mapping[int, Values]
    decisions: Mapping[int, Values]


async def read_around(connection: AsyncConnection, rows: Sequence[Values], *account_numbers: int) -> Around:
    """What these rows of `trades`, and these accounts, refer to: by primary keys, some hundred at most."""
    numbers = {row[name] for row in rows for name in ("taker_account", "maker_account")} | set(account_numbers)
    named = await _by_key(connection, accounts, sorted(numbers))
    listed = (await connection.execute(select(instruments))).mappings()
    return Around(
        instruments={row["instrument"]: VenueInstrument.from_columns(row) for row in listed},
        names={number: row["name"] for number, row in named.items()},
        busts=await _by_key(connection, busts, [row["trade_id"] for row in rows if row["busted_seq"]]),
        decisions=await _by_key(connection, decisions, [row["excluded_seq"] for row in rows if row["excluded_seq"]]),
    )


async def _by_key(connection: AsyncConnection, table: Table, keys: Sequence[int]) -> dict[int, Values]:
    (key,) = table.primary_key.columns
    found = await connection.execute(select(table).where(key.in_(set(keys)))) if keys else None
    return {} if found is None else {row[key.name]: row for row in found.mappings()}


def amounts(found: TradeSum) -> dict[str, Any]:
    """The fields of Amounts."""
    return {
        "net": yuan_text(found.gross_fen - found.busted_fen - found.excluded_fen),
        "gross": yuan_text(found.gross_fen),
        "busted": yuan_text(found.busted_fen),
        "excluded": yuan_text(found.excluded_fen),
        "trades": found.trades - found.busted_trades - found.excluded_trades,
        "busted_trades": found.busted_trades,
        "excluded_trades": found.excluded_trades,
    }


def sum_document(found: TradeSum) -> Amounts:
    """The sum as a document."""
    return Amounts(**amounts(found))


def trade_document(row: Values, around: Around) -> DrilledTrade:
    """A row of `trades`."""
    instrument = around.instruments[row["instrument"]]
    why_not: Literal["busted", "excluded"] | None = "busted" if row["busted_seq"] else None
    if why_not is None and row["excluded_seq"]:
        why_not = "excluded"
    sides = {side: _side(row, side, around) for side in (Side.BUY, Side.SELL)}
    return DrilledTrade(
        trade_id=str(row["trade_id"]),
        seq=row["seq"],
        time=time_text(row["time_ns"]),
        trading_date=date_text(row["trading_date"]),
        product=instrument.symbol,
        price=instrument.price_text(row["price_ticks"]),
        quantity=row["quantity_lots"],
        amount=yuan_text(row["amount_fen"]),
        phase=PHASE_NAMES[row["phase"]],
        aggressor=None if row["phase"] == Phase.CALL_AUCTION else _side_name(row["taker_side"]),
        buyer=sides[Side.BUY],
        seller=sides[Side.SELL],
        counts=why_not is None,
        why_not=why_not,
        bust=_bust(around.busts[row["trade_id"]]) if why_not == "busted" else None,
        exclusion=_exclusion(around.decisions[row["excluded_seq"]]) if why_not == "excluded" else None,
        links=_trade_links(row, sides),
    )


def _side(row: Values, side: Side, around: Around) -> TradeSide:
    role = "taker" if row["taker_side"] == side else "maker"
    account = row[f"{role}_account"]
    return TradeSide(
        account=account,
        name=around.names[account],
        order_id=str(row[f"{role}_order_id"]),
        fee=yuan_text(row[f"{role}_fee_fen"]),
    )


def _side_name(side: int) -> Literal["buy", "sell"]:
    return "buy" if side == Side.BUY else "sell"


def _trade_links(row: Values, sides: Mapping[Side, TradeSide]) -> dict[str, str]:
    found = {
        "self": links.trade(row["trade_id"]),
        "buy_order": links.order(int(sides[Side.BUY].order_id)),
        "sell_order": links.order(int(sides[Side.SELL].order_id)),
        "journal": links.journal(row["seq"]),
    }
    if row["busted_seq"]:
        found["bust"] = links.journal(row["busted_seq"])
    elif row["excluded_seq"]:
        found["decision"] = links.journal(row["excluded_seq"])
    return found


def _bust(row: Values) -> Bust:
    return Bust(seq=row["seq"], time=time_text(row["time_ns"]), key_id=str(row["actor"]), reason=row["reason"])


def _exclusion(row: Values) -> Exclusion:
    told = {name: row[name] for name in ("seq", "name", "reason", "finding")}
    return Exclusion(**told, time=time_text(row["time_ns"]), key_id=str(row["actor"]))


def order_document(row: Values, found: Sequence[Values], around: Around, seq: int) -> DrilledOrder:
    """A row of `orders` with its first trades."""
    instrument, order_id, filled = around.instruments[row["instrument"]], row["order_id"], row["filled_lots"]
    return DrilledOrder(
        order_id=str(order_id),
        client_order_id=row["client_order_id"] or None,
        account=row["account"],
        name=around.names.get(row["account"], ""),
        key_id=str(row["actor"]),
        product=instrument.symbol,
        side=_side_name(row["side"]),
        order_type=ORDER_TYPE_NAMES[row["order_type"]],
        time_in_force=TIME_IN_FORCE_NAMES[row["time_in_force"]],
        price=instrument.price_text(row["price_ticks"]) if row["price_ticks"] else None,
        stop_price=instrument.price_text(row["trigger_ticks"]) if row["trigger_ticks"] else None,
        quantity=row["quantity_lots"],
        display_quantity=row["display_lots"] or None,
        leaves_qty=row["leaves_lots"],
        cum_qty=filled,
        filled=yuan_text(row["filled_fen"]),
        avg_px=instrument.average_text(row["filled_fen"], filled) if filled else None,
        fees=yuan_text(row["fees_fen"]),
        state=row["state"],
        reason=Reason(row["reason"]).name.lower() if row["reason"] else None,
        trading_date=date_text(row["trading_date"]),
        created_at=time_text(row["created_ns"]),
        updated_at=time_text(row["updated_ns"]),
        trades=tuple(trade_document(one, around) for one in found),
        seq=seq,
        links={
            "self": links.order(order_id),
            "trades": links.trades(order=order_id),
            "journal": links.journal(order_id),
            "last_change": links.journal(row["updated_seq"]),
        },
    )
