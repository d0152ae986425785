"""Candles of any interval, added up by the database from the minutes of `candles`: by the clock, days by trading date.

A page reads a bounded number of minutes: no more than its candles can have.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.spans import Span, dates_of
from services.read_model.tables import candles, daily_turnover, total

DAY = "1d"
INTERVALS_S = {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600}
"""Intervals of the clock, in seconds. A DAY is a trading day, of any length."""

_SPLIT_MINUTES = 1_000
"""More minutes than clock and candles have, because a day roll within a minute makes two of it."""
_S = 10**9
_DATE: ColumnElement[int] = literal_column(str(10**11))
"""A trading date times this plus a time in seconds is in the order of both."""


class StoredCandle(NamedTuple):
    """One interval of one instrument. `place` is its first second since 1970 UTC, or its trading date."""

    place: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    quantity_lots: int
    amount_fen: int
    trades: int

    def flat(self, place: int) -> StoredCandle:
        """An interval without a trade after this one, at its close."""
        return StoredCandle(place, *(self.close_ticks,) * 4, 0, 0, 0)


class Places(NamedTuple):
    """Which candles: places from `since` on, before `before`; None: no bound. Times are multiples of the interval."""

    since: int | None = None
    before: int | None = None

    def conditions(self, column: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """The same of a column."""
        found = [] if self.since is None else [column >= self.since]
        return found if self.before is None else [*found, column < self.before]


class CandlePage(NamedTuple):
    """Candles, oldest first."""

    candles: list[StoredCandle]
    is_last: bool
    """Whether the span has no further ones, in the direction in which they were read."""


async def read_candles(
    connection: AsyncConnection, instrument: int, interval: str, places: Places, limit: int, *, forward: bool
) -> CandlePage:
    """Up to `limit` candles with trades: the first of these places, or without `forward` the last."""
    if interval == DAY:
        return await _days(connection, instrument, places, limit, forward)
    seconds = INTERVALS_S[interval]
    rows = (limit + 1) * seconds // 60 + _SPLIT_MINUTES
    query = select(candles, (candles.c.start_s - candles.c.start_s % seconds).label("place"))
    query = query.where(candles.c.instrument == instrument, *await _dates(connection, places))
    query = query.where(*places.conditions(candles.c.start_s))
    order = (candles.c.trading_date, candles.c.start_s)
    query = query.order_by(*(order if forward else (column.desc() for column in order))).limit(rows)
    found, minutes = await _added_up(connection, query, instrument)
    if minutes == rows:
        found.pop(-1 if forward else 0)  # more minutes of it may follow
    page = found[:limit] if forward else found[-limit:]
    return CandlePage(page, minutes < rows and len(found) <= limit)


async def _days(connection: AsyncConnection, instrument: int, places: Places, limit: int, forward: bool) -> CandlePage:
    day = daily_turnover.c
    order = day.trading_date if forward else day.trading_date.desc()
    traded = select(day.trading_date).where(day.instrument == instrument, day.trades + day.excluded > 0)
    traded = traded.where(*places.conditions(day.trading_date)).order_by(order).limit(limit + 1)
    dates = list(await connection.scalars(traded))
    query = select(candles, candles.c.trading_date.label("place"))
    query = query.where(candles.c.instrument == instrument, candles.c.trading_date.in_(dates[:limit]))
    found, _ = await _added_up(connection, query, instrument)
    return CandlePage(found, len(dates) <= limit)


async def _dates(connection: AsyncConnection, places: Places) -> list[ColumnElement[bool]]:
    """What the times of places say about trading dates, by which the table is ordered."""
    first, last = await dates_of(connection, Span(*(place and place * _S for place in places)))
    conditions = [] if first is None else [candles.c.trading_date >= first]
    return conditions if last is None else [*conditions, candles.c.trading_date <= last]


async def _added_up(connection: AsyncConnection, query: Select[Any], instrument: int) -> tuple[list[StoredCandle], int]:
    """The candles of these minutes, oldest first, and the number of minutes."""
    minute = query.subquery()
    at = minute.c.trading_date * _DATE + minute.c.start_s
    sums = (
        select(
            minute.c.place,
            func.min(at).label("first"),
            func.max(at).label("last"),
            func.max(minute.c.high_ticks).label("high_ticks"),
            func.min(minute.c.low_ticks).label("low_ticks"),
            *(total(minute.c[name]).label(name) for name in ("quantity_lots", "amount_fen", "trades")),
            func.count().label("minutes"),
        )
        .group_by(minute.c.place)
        .subquery()
    )
    first, last = candles.alias("first"), candles.alias("last")
    joined = sums
    for end, key in ((first, sums.c.first), (last, sums.c.last)):
        same = (end.c.instrument == instrument) & (end.c.trading_date == key // _DATE) & (end.c.start_s == key % _DATE)
        joined = joined.join(end, same)  # type: ignore[assignment]
    columns = (
        sums.c.place, first.c.open_ticks, sums.c.high_ticks, sums.c.low_ticks, last.c.close_ticks,
        sums.c.quantity_lots, sums.c.amount_fen, sums.c.trades,
    )  # fmt: skip
    rows = (await connection.execute(select(*columns, sums.c.minutes).select_from(joined).order_by(sums.c.place))).all()
    return [StoredCandle(*row[:-1]) for row in rows], sum(row[-1] for row in rows)
