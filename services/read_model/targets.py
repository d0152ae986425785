"""The targets of a year: their history, and which of them are in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.tables import targets
from services.values.decimals import fixed_text

Row = Mapping[Any, Any]


class TargetKey(NamedTuple):
    """What a target is about; one target of a key is in force."""

    scope: str
    metric: str
    year: int
    month: int
    """0: the whole year."""


def amount_text(metric: str, amount: int) -> str:
    """What a target of this metric counts, in fen or kilograms, as yuan or tonnes."""
    return fixed_text(amount, 3 if metric == "tonnes" else 2)


async def targets_of_year(connection: AsyncConnection, year: int) -> Sequence[Row]:
    """Every target ever set for the year or a month of it, oldest first."""
    query = select(targets).where(targets.c.year == year).order_by(targets.c.seq)
    return (await connection.execute(query)).mappings().all()


def in_force(rows: Iterable[Row]) -> dict[TargetKey, Row]:
    """The newest of each key. The rows are in the order of their seq."""
    return {TargetKey(*(row[name] for name in TargetKey._fields)): row for row in rows}
