"""The turnover of a year as it was at an earlier sequence number, read from today's read database.

It is read as a report of that moment read it, so the report of it has the same bytes. The position is that of the command, with
the journal row that holds it. Then:

* A day that had ended by then: its rows of `daily_turnover` have not changed since, but for later decisions. Each trade that a
  later decision moved is put back. No trade of it was busted later: a bust is possible on the trade's own day only.
* The day under way: counted from its trades. Prevented self-trades are in no table one by one, so they are counted in the
  journal, from the command that began the day.
* An instrument has the texts that it had: names that were changed later are in `instrument_texts`.
* Instruments that were listed later, later targets, later days and their settlement prices are left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.messaging.tail import Readable
from services.read_model.tables import daily_turnover, instrument_texts, instruments, trades
from services.reporting.as_of import PositionAsOf, read_as_of, read_day_of
from services.reporting.day_sums import TradeSums
from services.reporting.queries import (
    EARLIER_YEARS,
    SUMS,
    Values,
    YearTurnover,
    dates_of,
    read_last_proof,
    read_net_by_day,
    read_proof_alerts,
    read_simulated_years,
    read_target,
)
from services.reporting.trades_as_of import COLUMNS, Row, empty_row, read_best, read_day_at, read_moved

_DAY = daily_turnover.c
_NAMES = tuple(daily_turnover.columns.keys())
_HAPPENED = ("trades", "busted", "excluded", "prevented")


class YearAsOf(NamedTuple):
    """What a report of the moment is made of."""

    found: YearTurnover
    daily: Sequence[Values]
    """The year's rows of `daily_turnover` as they were; the columns `largest_…` are those of today."""
    read_from_seq: int
    """The journal was read from the row of this command to the row of the moment's; often they are one."""


async def read_year_as_of(
    read_database: AsyncEngine, journal: Readable, year: int, seq: int, sums: TradeSums | None = None
) -> YearAsOf:
    """The year as it was after the command seq, which the read database has reached. With `sums`, the days that had ended by
    then are compared with their trades; the day under way is counted from its trades.

    Raises NotReached where the journal ends before seq, and the journal's errors.
    """
    async with read_database.connect() as connection:
        today, first_seq = await read_day_of(connection, seq)
    # Of a day after the year nothing is counted. No transaction is open meanwhile: it would keep space from being reclaimed.
    from_seq = first_seq if today <= dates_of(year)[1] else seq
    as_of = await read_as_of(journal, seq, today, from_seq)
    async with read_database.connect() as connection:
        past = await _read_year(connection, year, as_of, from_seq)
        differing = () if sums is None else await sums.differing_days(connection, year)
        ended = tuple(day for day in differing if day.date < as_of.today)
        return past._replace(found=replace(past.found, differing_days=ended))


async def read_year_at_beginning(connection: AsyncConnection, year: int, day: int, first_seq: int) -> YearTurnover:
    """The year as it was when the trading day `day` began: after first_seq, which ended the day before and all that was to
    count of it. The position has only that command and the day: nothing is read from the journal."""
    began = PositionAsOf({"seq": first_seq, "trading_date": day}, {})
    return (await _read_year(connection, year, began, first_seq)).found


async def _read_year(connection: AsyncConnection, year: int, as_of: PositionAsOf, from_seq: int) -> YearAsOf:
    today, (first, last), seq = as_of.today, dates_of(year), as_of.seq
    ended = select(daily_turnover).where(_DAY.trading_date.between(first, last), _DAY.trading_date < today)
    rows = (await connection.execute(ended.order_by(_DAY.trading_date, _DAY.instrument))).all()
    moved = await read_moved(connection, first, min(today, last + 1), seq)
    under_way = await _read_day_under_way(connection, as_of) if first <= today <= last else {}
    # It takes some ten milliseconds of CPU, which the event loop needs for orders.
    days = await asyncio.to_thread(_add_up, rows, moved, under_way.values())
    first_trading_date = select(func.min(_DAY.trading_date)).where(_DAY.trading_date > 0, _DAY.trading_date < today)
    found = YearTurnover(
        position=as_of.position,
        target=await read_target(connection, year, seq),
        simulated=year in await read_simulated_years(connection, seq),
        instruments=await _read_instruments(connection, seq),
        net_by_day=days.net_by_day,
        by_instrument=days.by_instrument,
        largest=await _read_largest(connection, days.rows, moved, as_of),
        first_trading_date=await connection.scalar(first_trading_date) or today,
        earlier=await _read_earlier(connection, year, as_of),
        proof_alerts=await read_proof_alerts(connection, year, seq),
        proof=await read_last_proof(connection, year, seq),
    )
    return YearAsOf(found, [row for row in days.rows if any(row[name] for name in _HAPPENED)], from_seq)


async def _read_instruments(connection: AsyncConnection, seq: int) -> dict[int, Values]:
    """The instruments that were listed, with the texts that they had."""
    listed = select(instruments).where(instruments.c.listed_seq <= seq).order_by(instruments.c.instrument)
    told = select(instrument_texts).where(instrument_texts.c.from_seq <= seq).order_by(instrument_texts.c.from_seq)
    texts = {row["instrument"]: row for row in (await connection.execute(told)).mappings()}  # The newest stays.
    rows = (await connection.execute(listed)).mappings()
    return {row["instrument"]: {**row, **texts[row["instrument"]]} for row in rows}


async def _read_earlier(connection: AsyncConnection, year: int, as_of: PositionAsOf) -> dict[int, int]:
    """Net turnover by trading date of the years that a forecast learns from."""
    first, before = (year - EARLIER_YEARS) * 10_000, min(as_of.today, year * 10_000)
    found = await read_net_by_day(connection, and_(_DAY.trading_date >= first, _DAY.trading_date < before))
    for trade in await read_moved(connection, first, before, as_of.seq):
        found[trade["trading_date"]] += _sign(trade) * trade["amount_fen"]
    if first <= as_of.today < year * 10_000:
        under_way = await _read_day_under_way(connection, as_of)
        if under_way:
            found[as_of.today] = sum(row["amount_fen"] for row in under_way.values())
    return found


async def _read_day_under_way(connection: AsyncConnection, as_of: PositionAsOf) -> dict[int, Row]:
    """The rows of the moment's trading day, by instrument."""
    rows = await read_day_at(connection, as_of.today, as_of.seq)
    for instrument, (number, lots) in as_of.prevented.items():
        row = rows.setdefault(instrument, empty_row(as_of.today, instrument))
        row.update(prevented=number, prevented_lots=lots)
    return {instrument: rows[instrument] for instrument in sorted(rows)}


class _Days(NamedTuple):
    """The year's rows as they were, by date and instrument, and their sums."""

    rows: list[Row]
    net_by_day: dict[int, int]
    by_instrument: dict[int, Values]
    """Sums of the columns SUMS."""


def _add_up(ended: Iterable[Sequence[Any]], moved: Iterable[Values], under_way: Iterable[Row]) -> _Days:
    """`ended` are the rows of `daily_turnover` as they are, of days that had ended."""
    rows: dict[tuple[int, int], Row] = {(row[0], row[1]): dict(zip(_NAMES, row, strict=True)) for row in ended}
    for trade in moved:
        _put_back(trade, rows[trade["trading_date"], trade["instrument"]])
    net_by_day: dict[int, int] = {}
    by_instrument: dict[int, Row] = {}
    for row in (*rows.values(), *under_way):
        net_by_day[row["trading_date"]] = net_by_day.get(row["trading_date"], 0) + row["amount_fen"]
        sums = by_instrument.setdefault(row["instrument"], dict.fromkeys(SUMS, 0))
        for name in SUMS:
            sums[name] += row[name]
    return _Days([*rows.values(), *under_way], net_by_day, {**by_instrument})


def _put_back(trade: Values, row: Row) -> None:
    """Moves a trade back to the state that it had."""
    sign = _sign(trade)
    amounts = 1, trade["quantity_lots"], trade["amount_fen"]
    for counts, excluded, amount in zip(COLUMNS["counts"], COLUMNS["excluded"], amounts, strict=True):
        row[counts] += sign * amount
        row[excluded] -= sign * amount


def _sign(trade: Values) -> int:
    """1 for a moved trade that counted, −1 for one that was excluded."""
    return -1 if trade["was_excluded"] else 1


async def _read_largest(
    connection: AsyncConnection, rows: Sequence[Row], moved: Iterable[Values], as_of: PositionAsOf
) -> Values | None:
    """The year's largest trade that counted, the first of equals, in the columns of `daily_turnover`.

    A row's largest trade was then the one of today, or one that has been excluded since. Where the one of today has been
    included since, the row's trades are read.
    """
    since_included: set[int] = set()
    found: list[Values] = []
    for trade in moved:
        if trade["was_excluded"]:
            since_included.add(trade["trade_id"])
        else:
            found.append({**trade, "largest_fen": trade["amount_fen"], "largest_trade_id": trade["trade_id"]})
    if rows and rows[-1]["trading_date"] == as_of.today:
        found += await read_best(connection, as_of.seq, trades.c.trading_date == as_of.today)
    doubtful = [row for row in rows if row["largest_trade_id"] in since_included]
    found += [row for row in rows if row["largest_fen"] and row["largest_trade_id"] not in since_included]
    best = min(found, key=_rank, default=None)
    for row in sorted(doubtful, key=_rank):
        if best is not None and _rank(best) < _rank(row):
            break
        of_row = trades.c.trading_date == row["trading_date"], trades.c.instrument == row["instrument"]
        others = await read_best(connection, as_of.seq, *of_row)
        best = min([*others, *([] if best is None else [best])], key=_rank, default=None)
    return best


def _rank(row: Values) -> tuple[int, int]:
    return -row["largest_fen"], row["largest_trade_id"]
