"""Candles without gaps: an interval without a trade is flat, at the close of the one before.

Intervals before an instrument's first trade have no price and are left out. The last interval is the present one. Days are the
venue's trading days.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.candle_reading import DAY, INTERVALS_S, CandlePage, Places, StoredCandle, read_candles
from services.read_model.tables import position, trading_days

_NS = 10**9


async def read_flat_candles(
    connection: AsyncConnection, instrument: int, interval: str, places: Places, limit: int, *, forward: bool
) -> CandlePage:
    """Like `read_candles`, without gaps. Forward, the places have a first one."""
    previous = None
    if forward:
        previous = await _last_before(connection, instrument, interval, places.since)
        if previous is None:
            first = await read_candles(connection, instrument, interval, places, 1, forward=True)
            if not first.candles:
                return CandlePage([], True)
            places = places._replace(since=first.candles[0].place)
    slots, more = await _slots(connection, interval, places, limit, forward)
    if not slots:
        return CandlePage([], True)
    if not forward:
        previous = await _last_before(connection, instrument, interval, slots[0])
        more = more and previous is not None
    within = Places(slots[0], slots[-1] + 1 if interval == DAY else slots[-1] + INTERVALS_S[interval])
    found = await read_candles(connection, instrument, interval, within, len(slots), forward=True)
    return CandlePage(_filled(slots, found.candles, previous), not more)


async def _last_before(
    connection: AsyncConnection, instrument: int, interval: str, place: int | None
) -> StoredCandle | None:
    found = await read_candles(connection, instrument, interval, Places(before=place), 1, forward=False)
    return found.candles[0] if found.candles else None


async def _slots(
    connection: AsyncConnection, interval: str, places: Places, limit: int, forward: bool
) -> tuple[list[int], bool]:
    """Up to `limit` intervals in order, with trades or without, and whether there are more in the direction of reading."""
    if interval == DAY:
        date = trading_days.c.trading_date
        query = select(date).where(*places.conditions(date)).order_by(date if forward else date.desc())
        dates = list(await connection.scalars(query.limit(limit + 1)))
        return sorted(dates[:limit]), len(dates) > limit
    seconds = INTERVALS_S[interval]
    now_s = (await connection.scalar(select(position.c.time_ns)) or 0) // _NS
    end = now_s // seconds * seconds + seconds
    end = end if places.before is None else min(end, places.before)
    if forward:
        start = places.since or 0
        return list(range(start, min(end, start + limit * seconds), seconds)), start + limit * seconds < end
    return list(range(max(end - limit * seconds, 0), end, seconds)), True


def _filled(slots: Sequence[int], candles: Sequence[StoredCandle], previous: StoredCandle | None) -> list[StoredCandle]:
    at = {candle.place: candle for candle in candles}
    filled = []
    for slot in slots:
        candle = at.get(slot) or (previous and previous.flat(slot))
        if candle is not None:
            filled.append(candle)
        previous = candle
    return filled
