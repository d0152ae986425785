"""What the figure asks of the read database: one connection, one transaction, so every answer is of one position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_database.tables import daily_turnover, instruments, position, targets, trades
from services.reporting.target import DEFAULT_TARGET_FEN, DEFAULT_TARGET_NAME, Target

Values = Mapping[Any, Any]
"""One row, by column name."""


@dataclass(frozen=True)
class YearTurnover:
    """Everything a report is made of, as of one position."""

    position: Values
    target: Target
    instruments: dict[int, Values]
    daily: tuple[Values, ...]
    """The rows of `daily_turnover` in the year, by date and instrument."""


@dataclass(frozen=True)
class Sum:
    """Trades added up."""

    trades: int
    quantity_lots: int
    amount_fen: int


async def read_position(connection: AsyncConnection) -> Values | None:
    """What the read database is exact at; None before the projector has begun."""
    return (await connection.execute(select(position))).mappings().first()


async def read_year(connection: AsyncConnection, year: int) -> YearTurnover | None:
    """A year's turnover, day by day and instrument by instrument; None before the projector has begun."""
    at = await read_position(connection)
    if at is None:
        return None
    first, last = _dates(year)
    daily = (
        select(daily_turnover)
        .where(daily_turnover.c.trading_date.between(first, last))
        .order_by(daily_turnover.c.trading_date, daily_turnover.c.instrument)
    )
    listed = (await connection.execute(select(instruments).order_by(instruments.c.instrument))).mappings()
    rows = tuple((await connection.execute(daily)).mappings())
    return YearTurnover(at, await _target(connection, year), {row["instrument"]: row for row in listed}, rows)


async def sum_of_trades(connection: AsyncConnection, year: int, after_seq: int, to_seq: int) -> Sum:
    """The year's trades with after_seq < seq <= to_seq, added up from the single trades."""
    first, last = _dates(year)
    count, lots, amount = func.count(), func.sum(trades.c.quantity_lots), func.sum(trades.c.amount_fen)
    found = select(count, lots, amount).where(
        trades.c.trading_date.between(first, last), trades.c.seq > after_seq, trades.c.seq <= to_seq
    )
    return Sum(*[int(value or 0) for value in (await connection.execute(found)).one()])


async def _target(connection: AsyncConnection, year: int) -> Target:
    row = (await connection.execute(select(targets).where(targets.c.year == year))).mappings().first()
    if row is None:
        return Target(DEFAULT_TARGET_FEN, DEFAULT_TARGET_NAME, is_set=False)
    return Target(row["amount_fen"], row["name"], is_set=True)


def _dates(year: int) -> tuple[int, int]:
    return year * 10_000, year * 10_000 + 9_999
