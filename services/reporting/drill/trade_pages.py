"""The trades of a filter, in the order of their ids: a page of them, and the sum of all.

No query of a page reads all trades of a year. What narrows it down, by the first that the filter has:

finding, decision   the ids of the trades (primary key)
order, member       trades_by_taker and trades_by_maker: the account, then a range of ids
busted, excluded    the tables of busts and decisions, which are small, then the ids
product             trades_by_date: day and product. Which days, `daily_turnover` says: no more than fill the page
year, date, none    a range of ids (primary key), read until the page is full

A sum reads each trade of its filter once, by the same ways; of a product by a range of days in trades_by_date.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, not_, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.tables import busts, daily_turnover, decided_trades, total, trades, trading_days
from services.reporting.drill.days import Amounts
from services.reporting.drill.filters import PLACE_BITS, TradeFilter
from services.reporting.queries import Values

Clauses = list[ColumnElement[bool]]

IDS_AT_ONCE = 1_000
_TRADE, _DAY = trades.c, daily_turnover.c
_IS_BUSTED, _IS_EXCLUDED = _TRADE.busted_seq.isnot(None), _TRADE.excluded_seq.isnot(None)
_COUNTED = {
    "yes": ~_IS_BUSTED & ~_IS_EXCLUDED,
    "no": _IS_BUSTED | _IS_EXCLUDED,
    "busted": _IS_BUSTED,
    "excluded": _IS_EXCLUDED,
}


async def read_page(connection: AsyncConnection, wanted: TradeFilter, after_id: int, limit: int) -> list[Values]:
    """The first `limit` trades of the filter with ids after after_id."""
    found: list[Values] = []
    async for part in _parts(connection, wanted, after_id, limit):
        of_part: list[Values] = []
        for branch in branches(wanted):
            query = page_query([*part, *branch, *plain_clauses(wanted)], limit - len(found))
            rows = await connection.execute(query)
            # Each value is read several times: a dict is cheaper than SQLAlchemy's mapping.
            of_part += [dict(zip(rows.keys(), row, strict=True)) for row in rows]
        found += sorted(of_part, key=lambda row: int(row["trade_id"]))[: limit - len(found)]
        if len(found) == limit:
            break
    return found


async def read_sum(connection: AsyncConnection, wanted: TradeFilter) -> Amounts:
    """The sum of all trades of the filter."""
    queries = [
        sum_query([*part, *branch, *plain_clauses(wanted)])
        for part in _parts_of_sum(wanted)
        for branch in branches(wanted)
    ]
    return Amounts.total([_amounts(*(await connection.execute(query)).one()) for query in queries])


def _amounts(
    count: int, gross_fen: int | None, busted: int, busted_fen: int | None, excluded: int, excluded_fen: int | None
) -> Amounts:
    """Of a row of `sum_query`. A busted trade is not excluded, too."""
    gross_fen, busted_fen, excluded_fen = gross_fen or 0, busted_fen or 0, excluded_fen or 0
    return Amounts(
        net_fen=gross_fen - busted_fen - excluded_fen,
        gross_fen=gross_fen,
        busted_fen=busted_fen,
        excluded_fen=excluded_fen,
        trades=count - busted - excluded,
        busted_trades=busted,
        excluded_trades=excluded,
    )


def page_query(clauses: Clauses, limit: int) -> Select[Any]:
    """The first trades for which all of this holds."""
    return select(trades).where(*clauses).order_by(_TRADE.trade_id).limit(limit)


def sum_query(clauses: Clauses) -> Select[Any]:
    """Number and amount of the trades for which all of this holds, and of the busted and the excluded ones among them."""
    columns: list[ColumnElement[Any]] = [func.count(), total(_TRADE.amount_fen)]
    for condition in (_IS_BUSTED, _IS_EXCLUDED):
        columns += [func.count(case((condition, 1))), total(case((condition, _TRADE.amount_fen)))]
    return select(*columns).select_from(trades).where(*clauses)


def branches(wanted: TradeFilter) -> list[Clauses]:
    """Ways to the trades of a filter, one for each index: no trade is on two of them, and together they are all."""
    if wanted.order is not None:
        order_id, account = wanted.order
        as_taker = [_TRADE.taker_account == account, _TRADE.taker_order_id == order_id]
        return [as_taker, [_TRADE.maker_account == account, _TRADE.maker_order_id == order_id]]
    if wanted.accounts is None:
        return [[]]
    takers, _ = _sides(wanted, _TRADE.taker_account.in_(wanted.accounts), _TRADE.maker_account.in_(wanted.accounts))
    found = []
    for account in wanted.accounts:
        taker, maker = _sides(wanted, _TRADE.taker_account == account, _TRADE.maker_account == account)
        found += [[taker], [maker, not_(takers)]]
    return found


def plain_clauses(wanted: TradeFilter) -> Clauses:
    """The parts of a filter that hold for each of its trades, on whatever way they are found."""
    clauses: Clauses = []
    if wanted.instrument is not None:
        clauses.append(_TRADE.instrument == wanted.instrument)
    if wanted.phase is not None:
        clauses.append(_TRADE.phase == wanted.phase)
    if wanted.counted is not None:
        clauses.append(_COUNTED[wanted.counted])
    if wanted.decision is not None and wanted.trade_ids is not None:  # else the decision is the way: ids_clauses
        clauses.append(_TRADE.trade_id.in_(_ids_of_decision(wanted.decision)))
    if wanted.order is not None and wanted.accounts is not None:
        in_accounts = (column.in_(wanted.accounts) for column in (_TRADE.taker_account, _TRADE.maker_account))
        clauses.append(or_(*_sides(wanted, *in_accounts)))
    return clauses


def _sides(
    wanted: TradeFilter, taker: ColumnElement[bool], maker: ColumnElement[bool]
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Both conditions, each with the side that is wanted of it. In an auction the taker's columns are the buyer's."""
    if wanted.side is None:
        return taker, maker
    return taker & (_TRADE.taker_side == wanted.side), maker & (_TRADE.taker_side != wanted.side)


async def _parts(connection: AsyncConnection, wanted: TradeFilter, after_id: int, limit: int) -> AsyncIterator[Clauses]:
    """Conditions that lead to the trades after after_id part by part, the ids of each part above those of the one before."""
    ids = range(max(wanted.ids.start, after_id + 1), wanted.ids.stop)
    if not ids:
        return
    if wanted.trade_ids is not None:
        for clauses in _listed(wanted.trade_ids, ids):
            yield clauses
    elif _is_by_product(wanted):
        async for dates in _days_of_product(connection, wanted, after_id, limit):
            yield [_TRADE.trading_date.in_(dates), _TRADE.trade_id > after_id]
    else:
        yield ids_clauses(wanted, ids)


def _parts_of_sum(wanted: TradeFilter) -> list[Clauses]:
    if wanted.trade_ids is not None:
        return _listed(wanted.trade_ids, wanted.ids)
    if not wanted.ids:
        return []
    if _is_by_product(wanted) and wanted.dates is not None:
        return [[_TRADE.trading_date.between(*wanted.dates)]]
    return [ids_clauses(wanted, wanted.ids)]


def _listed(trade_ids: Sequence[int], ids: range) -> list[Clauses]:
    """The ids that are in the range, some in each part: a statement has a bound on its values."""
    chosen = [one for one in trade_ids if one in ids]
    return [[_TRADE.trade_id.in_(chosen[at : at + IDS_AT_ONCE])] for at in range(0, len(chosen), IDS_AT_ONCE)]


def ids_clauses(wanted: TradeFilter, ids: range) -> Clauses:
    """The trades of a range of ids: of a decision, of busts and decisions, or of all."""
    named = decided_trades.c.trade_id
    if wanted.decision is not None:
        return [_TRADE.trade_id.in_(_ids_of_decision(wanted.decision).where(*_within(named, ids)))]
    if _is_on_the_way_to_few(wanted):
        busted = select(busts.c.trade_id).where(*_within(busts.c.trade_id, ids))
        decided = select(named).where(*_within(named, ids))
        chosen_of = {"busted": busted, "excluded": decided, "no": union(busted, decided)}
        return [_TRADE.trade_id.in_(chosen_of[str(wanted.counted)])]
    return _within(_TRADE.trade_id, ids)


def _ids_of_decision(decision: int) -> Select[Any]:
    return select(decided_trades.c.trade_id).where(decided_trades.c.seq == decision)


def _within(column: ColumnElement[int], ids: range) -> Clauses:
    return [column >= ids.start, column < ids.stop]


def _is_on_the_way_to_few(wanted: TradeFilter) -> bool:
    return wanted.counted in ("no", "busted", "excluded") and wanted.order is None and wanted.accounts is None


def _is_by_product(wanted: TradeFilter) -> bool:
    """Whether the days and the product are what leads to the trades."""
    narrower = wanted.trade_ids, wanted.decision, wanted.order, wanted.accounts
    return wanted.instrument is not None and narrower == (None,) * 4 and not _is_on_the_way_to_few(wanted)


async def _days_of_product(
    connection: AsyncConnection, wanted: TradeFilter, after_id: int, limit: int
) -> AsyncIterator[list[int]]:
    """The trading days with trades of the product, from the one of after_id on, in parts that fill a page, or twice as much
    if the last part did not (where a phase is wanted too)."""
    day = select(trading_days.c.trading_date).where(trading_days.c.first_seq <= after_id >> PLACE_BITS)
    present = await connection.scalar(day.order_by(trading_days.c.trading_date.desc()).limit(1)) or 0
    made = (_DAY.trades + _DAY.busted + _DAY.excluded).label("made")
    traded = select(_DAY.trading_date, made).where(
        _DAY.instrument == wanted.instrument, _DAY.trading_date >= present, made > 0
    )
    if wanted.dates is not None:
        traded = traded.where(_DAY.trading_date.between(*wanted.dates))
    part: list[int] = []
    waiting = limit
    for date, count in await connection.execute(traded.order_by(_DAY.trading_date)):
        part.append(date)
        # Of the present day some trades are on pages before: it fills nothing for certain.
        waiting -= count if date > present else 0
        if waiting <= 0:
            yield part
            part, limit = [], 2 * limit
            waiting = limit
    if part:
        yield part
