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
from services.read_model.names import read_account_names
from services.read_model.records import read_records
from services.read_model.tables import daily_turnover, day_closings, goods_movements, instruments, total, trades
from services.reporting.queries import Values, read_position, read_simulated_years
from services.surveillance.measures import MEASURE_TYPES, measures

_DAY, _TRADE, _GOODS = daily_turnover.c, trades.c, goods_movements.c
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
class Goods:
    """Warehouse receipts that came in and goods that were handed out, in lots; both positive."""

    received_lots: int
    released_lots: int


@dataclass(frozen=True)
class MemberDay:
    """What an account bought and sold on a trading day, in fen, without busted and excluded trades."""

    account: int
    bought_fen: int
    sold_fen: int


@dataclass(frozen=True)
class ClosingRow:
    """A closing of a day: the first, or one after a correction."""

    revision: int
    seq: int
    time_ns: int
    at_seq: int
    row_hash: str
    sha256: str


@dataclass(frozen=True)
class BulletinRows:
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
    closings: dict[int, list[ClosingRow]]
    """By trading date, ascending by revision."""
    goods: dict[tuple[int, int], Goods]
    """What came in and went out, by trading date and instrument, ascending."""
    stock_before: dict[int, int]
    """Lots that all accounts held before the span, by instrument."""
    index: Mapping[int, IndexDay]
    """The PrNd index by trading date, of every day that has ended."""
    simulated: frozenset[int]
    """The years that are, or begin with, a simulated history."""


async def read_market(connection: AsyncConnection, first: int, last: int) -> BulletinRows | None:
    """The data of the bulletins of the trading days first to last, yyyymmdd; None before the projector's first transaction."""
    position = await read_position(connection)
    if position is None:
        return None
    return BulletinRows(
        position=position,
        instruments=await _by_instrument(connection),
        days=await _days(connection, first, last),
        prices=await _prices(connection, first, last),
        members=await _members(connection, first, last),
        names=await read_account_names(connection),
        settled_before=await _settled_before(connection, first),
        closings=await _closings(connection, first, last),
        goods=await _goods(connection, first, last),
        stock_before=await _stock_before(connection, first),
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


async def stream_trades(connection: AsyncConnection, first: int, last: int) -> AsyncIterator[list[Values]]:
    """The trades of the days first to last, yyyymmdd, in the order of their ids, busted ones included, in parts of some
    thousands."""
    query = select(trades).where(_of_dates(first, last)).order_by(_TRADE.trade_id)
    async with connection.stream(query) as found:
        async for part in found.mappings().partitions(8_192):
            yield list(part)


async def read_instruments(connection: AsyncConnection) -> Mapping[int, Values]:
    """The rows of `instruments` by number."""
    return await _by_instrument(connection)


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


async def _closings(connection: AsyncConnection, first: int, last: int) -> dict[int, list[ClosingRow]]:
    table = day_closings.c
    query = select(day_closings).where(table.trading_date.between(first, last))
    found: dict[int, list[ClosingRow]] = {}
    for row in (await connection.execute(query.order_by(table.trading_date, table.revision))).mappings():
        closing = ClosingRow(**{name: row[name] for name in ClosingRow.__dataclass_fields__})
        found.setdefault(row["trading_date"], []).append(closing)
    return found


async def _goods(connection: AsyncConnection, first: int, last: int) -> dict[tuple[int, int], Goods]:
    received = total(case((_GOODS.lots > 0, _GOODS.lots), else_=0))
    released = total(case((_GOODS.lots < 0, -_GOODS.lots), else_=0))
    query = (
        select(_GOODS.trading_date, _GOODS.instrument, received, released)
        .where(_GOODS.trading_date.between(first, last))
        .group_by(_GOODS.trading_date, _GOODS.instrument)
        .order_by(_GOODS.trading_date, _GOODS.instrument)
    )
    rows = (await connection.execute(query)).all()
    return {(date, number): Goods(came_in, went_out) for date, number, came_in, went_out in rows}


async def _stock_before(connection: AsyncConnection, first: int) -> dict[int, int]:
    """No trade changes what all accounts hold together, so it is the sum of what came in and went out."""
    query = select(_GOODS.instrument, total(_GOODS.lots)).where(_GOODS.trading_date < first).group_by(_GOODS.instrument)
    return {number: lots or 0 for number, lots in await connection.execute(query)}


def _of_dates(first: int, last: int) -> ColumnElement[bool]:
    return _TRADE.trading_date.between(first, last)
