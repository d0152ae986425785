"""The queries behind bulletins and trade files, on either read database. One connection is one transaction, so one position."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import Side
from services.commands.attachments import MeasureImposed
from services.market_statistics.index_reading import read_index
from services.market_statistics.prnd_index import IndexDay, prnd_index
from services.read_database.records import read_records
from services.read_database.tables import accounts, daily_turnover, day_closings, holdings, instruments, total, trades
from services.reporting.queries import Values, read_position, read_simulated_years
from services.surveillance.measures import MEASURE_TYPES, measures

_DAY, _TRADE = daily_turnover.c, trades.c
_COUNTS = _TRADE.busted_seq.is_(None) & _TRADE.excluded_seq.is_(None)
"""A trade that was neither busted nor excluded by decision."""
_MONTH_SUMS = ("trades", "quantity_lots", "amount_fen", "busted", "busted_fen", "prevented")


@dataclass(frozen=True)
class Prices:
    """The prices of a product's trades on a day in ticks, without busted and excluded ones."""

    opening: int
    high: int
    low: int
    close: int


@dataclass(frozen=True)
class MemberDay:
    """What an account bought and sold on a trading day, in fen, without busted and excluded trades."""

    account: int
    bought_fen: int
    sold_fen: int


@dataclass(frozen=True)
class Closing:
    """A closing of a day: the first, or one after a correction."""

    revision: int
    seq: int
    time_ns: int
    at_seq: int
    row_hash: str
    sha256: str


@dataclass(frozen=True)
class Market:
    """What bulletins are made of, all of one position, for a span of trading days."""

    position: Values
    instruments: dict[int, Values]
    days: dict[int, dict[int, Values]]
    """The rows of `daily_turnover` by trading date and instrument."""
    prices: dict[tuple[int, int], Prices]
    """By trading date and instrument; none where nothing traded."""
    members: dict[int, list[MemberDay]]
    """By trading date."""
    names: dict[int, str]
    """Of accounts."""
    settled_before: dict[int, int]
    """The last settlement price before the span in ticks, by instrument."""
    closings: dict[int, list[Closing]]
    """By trading date, ascending by revision."""
    stock: dict[int, int]
    """Lots that all accounts hold at the position, by instrument."""
    index: Mapping[int, IndexDay]
    """The PrNd index by trading date, of every day that has ended."""
    simulated: frozenset[int]
    """The years that are, or begin with, a simulated history."""


async def read_market(connection: AsyncConnection, first: int, last: int) -> Market | None:
    """The data of the bulletins of the trading days first to last, yyyymmdd; None before the projector's first transaction."""
    position = await read_position(connection)
    if position is None:
        return None
    return Market(
        position=position,
        instruments=await _by_instrument(connection),
        days=await _days(connection, first, last),
        prices=await _prices(connection, first, last),
        members=await _members(connection, first, last),
        names=dict(iter(await connection.execute(select(accounts.c.account, accounts.c.name)))),
        settled_before=await _settled_before(connection, first),
        closings=await _closings(connection, first, last),
        stock=await _stock(connection),
        index={day.trading_date: day for day in prnd_index((await read_index(connection)).days).days},
        simulated=await read_simulated_years(connection),
    )


async def read_months(connection: AsyncConnection, first: int, last: int) -> dict[int, dict[int, Values]]:
    """The sums of the months first to last, yyyymm, by month and instrument; only those with rows in `daily_turnover`."""
    month = _DAY.trading_date // 100
    sums = [total(_DAY[name]).label(name) for name in _MONTH_SUMS]
    query = select(month.label("month"), _DAY.instrument, *sums).where(month.between(first, last))
    found: dict[int, dict[int, Values]] = {}
    for row in (await connection.execute(query.group_by("month", _DAY.instrument))).mappings():
        found.setdefault(int(row["month"]), {})[row["instrument"]] = row
    return found


async def read_imposed(connection: AsyncConnection) -> list[MeasureImposed]:
    """Every measure against abnormal trading, lifted ones included."""
    found = measures(await read_records(connection, MEASURE_TYPES))
    return [one.text for one in found.values()]


async def read_trade_count(connection: AsyncConnection, year: int) -> int:
    """How many trades the year has, busted ones included."""
    counted = await connection.execute(select(func.count()).where(_of_dates(year * 10_000, year * 10_000 + 9_999)))
    return int(counted.scalar_one())


async def stream_trades(connection: AsyncConnection, year: int) -> AsyncIterator[list[Values]]:
    """The year's trades in the order of their ids, busted ones included, in parts of some thousands."""
    query = select(trades).where(_of_dates(year * 10_000, year * 10_000 + 9_999)).order_by(_TRADE.trade_id)
    async with connection.stream(query) as found:
        async for part in found.mappings().partitions(8_192):
            yield list(part)


async def read_instruments(connection: AsyncConnection) -> Mapping[int, Values]:
    """The rows of `instruments` by number."""
    return await _by_instrument(connection)


async def read_account_names(connection: AsyncConnection) -> dict[int, str]:
    """The names of the accounts."""
    return dict(iter(await connection.execute(select(accounts.c.account, accounts.c.name))))


async def _by_instrument(connection: AsyncConnection) -> dict[int, Values]:
    listed = select(instruments).order_by(instruments.c.instrument)
    return {row["instrument"]: row for row in (await connection.execute(listed)).mappings()}


async def _days(connection: AsyncConnection, first: int, last: int) -> dict[int, dict[int, Values]]:
    query = select(daily_turnover).where(_DAY.trading_date.between(first, last))
    found: dict[int, dict[int, Values]] = {}
    for row in (await connection.execute(query.order_by(_DAY.trading_date, _DAY.instrument))).mappings():
        found.setdefault(row["trading_date"], {})[row["instrument"]] = row
    return found


async def _prices(connection: AsyncConnection, first: int, last: int) -> dict[tuple[int, int], Prices]:
    spans = (
        select(
            _TRADE.trading_date,
            _TRADE.instrument,
            func.min(_TRADE.price_ticks).label("low"),
            func.max(_TRADE.price_ticks).label("high"),
            func.min(_TRADE.trade_id).label("first_id"),
            func.max(_TRADE.trade_id).label("last_id"),
        )
        .where(_of_dates(first, last), _COUNTS)
        .group_by(_TRADE.trading_date, _TRADE.instrument)
        .subquery()
    )
    opening, close = trades.alias(), trades.alias()
    query = (
        select(spans, opening.c.price_ticks.label("opening"), close.c.price_ticks.label("close"))
        .join(opening, opening.c.trade_id == spans.c.first_id)
        .join(close, close.c.trade_id == spans.c.last_id)
    )
    return {
        (row["trading_date"], row["instrument"]): Prices(row["opening"], row["high"], row["low"], row["close"])
        for row in (await connection.execute(query)).mappings()
    }


async def _members(connection: AsyncConnection, first: int, last: int) -> dict[int, list[MemberDay]]:
    bought: dict[tuple[int, int], int] = dict(await _sums_of(connection, first, last, Side.BUY))
    sold: dict[tuple[int, int], int] = dict(await _sums_of(connection, first, last, Side.SELL))
    found: dict[int, list[MemberDay]] = {}
    for key in sorted(bought.keys() | sold.keys()):
        found.setdefault(key[0], []).append(MemberDay(key[1], bought.get(key, 0), sold.get(key, 0)))
    return found


async def _sums_of(connection: AsyncConnection, first: int, last: int, side: Side) -> list[tuple[tuple[int, int], int]]:
    """What each account traded on this side, by trading date and account."""
    account = case((_TRADE.taker_side == side, _TRADE.taker_account), else_=_TRADE.maker_account).label("account")
    query = (
        select(_TRADE.trading_date, account, total(_TRADE.amount_fen))
        .where(_of_dates(first, last), _COUNTS)
        .group_by(_TRADE.trading_date, "account")
    )
    return [((date, number), amount_fen) for date, number, amount_fen in await connection.execute(query)]


async def _settled_before(connection: AsyncConnection, first: int) -> dict[int, int]:
    latest = (
        select(_DAY.instrument, func.max(_DAY.trading_date).label("date"))
        .where(_DAY.trading_date < first, _DAY.settlement_ticks.isnot(None))
        .group_by(_DAY.instrument)
        .subquery()
    )
    query = select(_DAY.instrument, _DAY.settlement_ticks).join(
        latest, (_DAY.instrument == latest.c.instrument) & (_DAY.trading_date == latest.c.date)
    )
    return dict(iter(await connection.execute(query)))


async def _closings(connection: AsyncConnection, first: int, last: int) -> dict[int, list[Closing]]:
    table = day_closings.c
    query = select(day_closings).where(table.trading_date.between(first, last))
    found: dict[int, list[Closing]] = {}
    for row in (await connection.execute(query.order_by(table.trading_date, table.revision))).mappings():
        closing = Closing(**{name: row[name] for name in Closing.__dataclass_fields__})
        found.setdefault(row["trading_date"], []).append(closing)
    return found


async def _stock(connection: AsyncConnection) -> dict[int, int]:
    query = select(holdings.c.instrument, total(holdings.c.lots)).group_by(holdings.c.instrument)
    return dict(iter(await connection.execute(query)))


def _of_dates(first: int, last: int) -> ColumnElement[bool]:
    return _TRADE.trading_date.between(first, last)
