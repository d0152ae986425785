"""The days of the PrNd index, read from the read database of either kind. One connection is one transaction.

A member is an owner group. Busted trades, and trades that a decision excludes, do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, case, distinct, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.market_statistics.prnd_index import IndexInput
from services.read_model.tables import accounts, daily_members, daily_turnover, instruments

SYMBOLS = ("PRND-OX", "PRND-MET")
"""Oxide and metal."""

_DAY = daily_turnover.c
_MEMBER = case((accounts.c.owner == 0, accounts.c.account), else_=accounts.c.owner)


@dataclass(frozen=True)
class IndexRows:
    """What the index is made of; the tuples are in the order of the symbols."""

    days: tuple[IndexInput, ...]
    """The trading days that have ended, from the first on which both products had a settlement price."""
    sources: Mapping[int, tuple[int, ...]]
    """Where each settlement price comes from (SettlementSource), by trading date."""
    instruments: tuple[Mapping[Any, Any], ...]
    """The rows of `instruments`; empty where one of the products is not listed."""


async def read_index(connection: AsyncConnection, symbols: tuple[str, ...] = SYMBOLS) -> IndexRows:
    """All days of the index."""
    listed = select(instruments).where(instruments.c.symbol.in_(symbols))
    found = {row["symbol"]: row for row in (await connection.execute(listed)).mappings()}
    if len(found) < len(symbols):
        return IndexRows((), {}, ())
    products = tuple(found[symbol] for symbol in symbols)
    numbers = [row["instrument"] for row in products]
    settled: dict[int, dict[int, Mapping[Any, Any]]] = {}
    of_days = select(daily_turnover).where(_DAY.instrument.in_(numbers), _DAY.settlement_ticks.isnot(None))
    for row in (await connection.execute(of_days.order_by(_DAY.trading_date))).mappings():
        settled.setdefault(row["trading_date"], {})[row["instrument"]] = row
    buyers = await _members(connection, numbers, daily_members.c.bought)
    sellers = await _members(connection, numbers, daily_members.c.sold)
    whole = {date: [rows[number] for number in numbers] for date, rows in settled.items() if len(rows) == len(numbers)}
    days = tuple(
        IndexInput(
            trading_date=date,
            settlement_ticks=tuple(row["settlement_ticks"] for row in rows),
            amount_fen=tuple(row["amount_fen"] for row in rows),
            trades=sum(row["trades"] for row in rows),
            buyers=buyers.get(date, 0),
            sellers=sellers.get(date, 0),
        )
        for date, rows in whole.items()
    )
    sources = {date: tuple(row["settlement_source"] for row in rows) for date, rows in whole.items()}
    return IndexRows(days, sources, products)


async def _members(connection: AsyncConnection, numbers: list[int], traded: Column[int]) -> dict[int, int]:
    """How many members bought or sold any of the products, by trading date. `traded` counts an account's trades on the side."""
    query = (
        select(daily_members.c.trading_date, func.count(distinct(_MEMBER)))
        .join(accounts, accounts.c.account == daily_members.c.account)
        .where(daily_members.c.instrument.in_(numbers), traded > 0)
        .group_by(daily_members.c.trading_date)
    )
    return dict(iter(await connection.execute(query)))
