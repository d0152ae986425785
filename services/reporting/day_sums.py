"""Whether the sums of days, which a report adds up, are the sums over the single trades of the read database.

Who changes a row of `daily_turnover` changes the figure, and no trade. Comparing finds that without the journal. Which of the
two is wrong, only a proof can say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.read_model.errors import ReadDatabaseSilent
from services.read_model.tables import daily_turnover, total, trades
from services.reporting.in_time import connect_in_time
from services.reporting.queries import DayDiffers, YearTurnover, dates_of, read_position, read_year
from services.reporting.schemas import Discrepancy
from services.values.decimals import counted
from services.values.times import date_text

log = structlog.get_logger("rex.reports")

_COUNTED = ("trades", "quantity_lots", "amount_fen")
_BUSTED = ("busted", "busted_lots", "busted_fen")
_EXCLUDED = ("excluded", "excluded_lots", "excluded_fen")

_Sums = tuple[int, ...]
_ByDate = Mapping[int, _Sums]
_NOTHING = (0, 0, 0)


class _Made(NamedTuple):
    """All trades of a year up to a command, busted and excluded ones included. Later commands make later trades only."""

    seq: int
    sums: _Sums


class _Year(NamedTuple):
    """Four sums of all trades of the year, of busted and of excluded ones: number, lots, amount, and amount × day. The last one
    changes, too, where somebody moves an amount from one day to another."""

    made: _Sums
    busted: _Sums
    excluded: _Sums


class TradeSums:
    """What the trades of each year add up to, compared with the sums of its days.

    The first comparison of a year reads every trade: 0.12 s for a million of them in SQLite. It is remembered, so the next one
    reads what was traded since, and what is busted or excluded.
    """

    def __init__(self) -> None:
        self._made: dict[int, _Made] = {}

    async def differing_days(self, connection: AsyncConnection, year: int) -> tuple[DayDiffers, ...]:
        """The trading days of the year on which the two differ, at the position of the connection's transaction."""
        position = await read_position(connection)
        if position is None:
            return ()
        of_days = await _sums_of_days(connection, year)
        marks = (trades.c.busted_seq.isnot(None), trades.c.excluded_seq.isnot(None))
        busted, excluded = [await _sums_of_trades(connection, year, mark) for mark in marks]
        known = self._made.get(year)
        if known is not None and known.seq <= position["seq"]:
            later = await _sums_of_trades(connection, year, trades.c.seq > known.seq)
            made = tuple(map(sum, zip(known.sums, later, strict=True)))
            if of_days == _Year(made, busted, excluded):
                self._made[year] = _Made(position["seq"], made)
                return ()
        # What is remembered may hold trades that a failover took back: only a sum over all trades is evidence.
        made = await _sums_of_trades(connection, year)
        self._made[year] = _Made(position["seq"], made)
        return () if of_days == _Year(made, busted, excluded) else await _read_differing_days(connection, year)


def discrepancies_of(differing: Sequence[DayDiffers]) -> tuple[Discrepancy, ...]:
    """What a report says of the days that differ; nothing where there are none."""
    if not differing:
        return ()
    first, number = differing[0], len(differing)
    day, days = date_text(first.date), counted(number, "trading day")
    english = ", ".join(f"{name} {by_day:,} by the day, {own:,} by its trades" for name, by_day, own in first.columns)
    chinese = "，".join(f"{name}按日为{by_day:,}、按成交为{own:,}" for name, by_day, own in first.columns)
    sentence = (
        f"The figure may be false: in the read database the sums of {days} are not those of the single trades, first on {day}: "
        f"{english}. A proof says which is wrong."
    )
    sentence_zh = f"数字可能有误：读库中有{number}个交易日的按日汇总与逐笔成交不一致，最早为{day}：{chinese}。"
    sentence_zh += "何者有误须经核验确定。"
    return (Discrepancy(code="day_sums_differ", sentence=sentence, sentence_zh=sentence_zh),)


async def compared(read_database: AsyncEngine, found: YearTurnover, year: int, sums: TradeSums) -> YearTurnover:
    """`found` with the days that differ; without them where the comparison takes longer than a request may: the log says so.
    The alerts, which compare the current year, and `rex report` take their time."""
    try:
        async with connect_in_time(read_database) as connection:
            return replace(found, differing_days=await sums.differing_days(connection, year))
    except ReadDatabaseSilent as late:
        log.warning("the sums of days were not compared with the trades", year=year, reason=str(late))
        return found


async def read_compared_year(connection: AsyncConnection, year: int, sums: TradeSums) -> YearTurnover | None:
    """As `read_year`, with the days that differ."""
    found = await read_year(connection, year)
    return None if found is None else replace(found, differing_days=await sums.differing_days(connection, year))


async def _sums_of_trades(connection: AsyncConnection, year: int, *those: ColumnElement[bool]) -> _Sums:
    # With `+ 0` SQLite leaves the index of dates alone: through it, all trades of a year are read three times as slowly, and a
    # few later ones as slowly as all.
    of_year = (trades.c.trading_date + 0).between(*dates_of(year))
    columns = [trades.c.quantity_lots, trades.c.amount_fen, trades.c.amount_fen * _day_of(trades.c.trading_date)]
    return await _one(connection, [func.count(), *map(total, columns)], of_year, *those)


async def _sums_of_days(connection: AsyncConnection, year: int) -> _Year:
    day = daily_turnover.c
    counted, busted, excluded = ([day[name] for name in names] for names in (_COUNTED, _BUSTED, _EXCLUDED))
    made = [one + out + excepted for one, out, excepted in zip(counted, busted, excluded, strict=True)]
    columns = [[*part, part[-1] * _day_of(day.trading_date)] for part in (made, busted, excluded)]
    sums = [total(column) for part in columns for column in part]
    found = await _one(connection, sums, day.trading_date.between(*dates_of(year)))
    return _Year(found[:4], found[4:8], found[8:])


def _day_of(date: ColumnElement[int]) -> ColumnElement[int]:
    """Month and day of a trading date, mmdd."""
    return date % 10_000


async def _one(connection: AsyncConnection, sums: Sequence[ColumnElement[int]], *those: ColumnElement[bool]) -> _Sums:
    found = (await connection.execute(select(*sums).where(*those))).one()
    return tuple(value or 0 for value in found)


async def _read_differing_days(connection: AsyncConnection, year: int) -> tuple[DayDiffers, ...]:
    """Day by day, which takes some times as long as the sums of the year."""
    names = (*_COUNTED, *_BUSTED, *_EXCLUDED)
    of_day = [total(daily_turnover.c[name]) for name in names]
    of_days = await _by_date(connection, daily_turnover.c.trading_date, of_day, year)
    of_trade = [func.count(), total(trades.c.quantity_lots), total(trades.c.amount_fen)]
    marks = ((), (trades.c.busted_seq.isnot(None),), (trades.c.excluded_seq.isnot(None),))
    parts = [await _by_date(connection, trades.c.trading_date, of_trade, year, *mark) for mark in marks]
    found = []
    for date in sorted(of_days.keys() | parts[0].keys()):
        made, busted, excluded = (part.get(date, _NOTHING) for part in parts)
        counted = (one - out - excepted for one, out, excepted in zip(made, busted, excluded, strict=True))
        columns = zip(names, of_days.get(date, _NOTHING * 3), (*counted, *busted, *excluded), strict=True)
        differing = tuple((name, by_day, own) for name, by_day, own in columns if by_day != own)
        if differing:
            found.append(DayDiffers(date, differing))
    return tuple(found)


async def _by_date(
    connection: AsyncConnection,
    date: ColumnElement[int],
    sums: Sequence[ColumnElement[int]],
    year: int,
    *those: ColumnElement[bool],
) -> _ByDate:
    query = select(date, *sums).where(date.between(*dates_of(year)), *those).group_by(date)
    return {day: tuple(values) for day, *values in await connection.execute(query)}
