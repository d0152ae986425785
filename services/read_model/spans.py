"""A span of time, and what it says about the numbers and trading dates by which tables are ordered.

The venue's clock never goes back, so the trading days bound both: a bound may be wider than the span, never narrower.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.tables import trading_days

_DAY = trading_days.c


class Span(NamedTuple):
    """From `start_ns` on, before `end_ns`; None: no bound."""

    start_ns: int | None = None
    end_ns: int | None = None

    def conditions(self, time_ns: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """The same of a column of times."""
        found = [] if self.start_ns is None else [time_ns >= self.start_ns]
        return found if self.end_ns is None else [*found, time_ns < self.end_ns]


ALWAYS = Span()


async def seqs_of(connection: AsyncConnection, span: Span) -> tuple[int | None, int | None]:
    """The commands of a span are from the first seq on and before the second; None: no bound."""
    first_seq = end_seq = None
    if span.start_ns is not None:
        first_seq = await connection.scalar(select(func.max(_DAY.first_seq)).where(_DAY.began_ns < span.start_ns))
    if span.end_ns is not None:
        end_seq = await connection.scalar(select(func.min(_DAY.first_seq)).where(_DAY.began_ns >= span.end_ns))
    return first_seq, end_seq


async def seq_conditions(
    connection: AsyncConnection, span: Span, column: ColumnElement[int], shift: int = 0
) -> list[ColumnElement[bool]]:
    """What `seqs_of` says of a column of seqs, or of ids that are seqs shifted by so many bits, plus a number."""
    first_seq, end_seq = await seqs_of(connection, span)
    found = [] if first_seq is None else [column >= first_seq << shift]
    return found if end_seq is None else [*found, column < end_seq << shift]


async def dates_of(connection: AsyncConnection, span: Span) -> tuple[int | None, int | None]:
    """The commands of a span are of the first date, the last, or one between; None: no bound. Date 0 is before all days."""
    first = last = None
    if span.start_ns is not None:
        first = await connection.scalar(select(func.max(_DAY.trading_date)).where(_DAY.began_ns < span.start_ns)) or 0
    if span.end_ns is not None:
        last = await connection.scalar(select(func.max(_DAY.trading_date)).where(_DAY.began_ns < span.end_ns)) or 0
    return first, last
