"""What counted, was busted or was excluded at an earlier sequence number: queries on the single trades.

They read few trades: those of one trading day, and those that later decisions name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.tables import daily_turnover, decided_trades, total, trades
from services.reporting.queries import Values, excluded_at

COLUMNS = {
    "counts": ("trades", "quantity_lots", "amount_fen"),
    "busted": ("busted", "busted_lots", "busted_fen"),
    "excluded": ("excluded", "excluded_lots", "excluded_fen"),
}
"""The columns of `daily_turnover` with number, lots and amount of the trades in each state."""

_EMPTY = {column.name: 0 for column in daily_turnover.columns} | {
    "largest_trade_id": None, "settlement_ticks": None, "settlement_source": None,
}  # fmt: skip

Row = dict[str, Any]


async def read_day_at(connection: AsyncConnection, today: int, seq: int) -> dict[int, Row]:
    """The rows of `daily_turnover`, by instrument, that the trades of the day under way at seq make, without `largest_…`."""
    of_day = trades.c.trading_date == today
    out = excluded_at(seq, of_day)
    state = case((trades.c.busted_seq <= seq, "busted"), (out.c.trade_id.isnot(None), "excluded"), else_="counts")
    sums = func.count(), total(trades.c.quantity_lots), total(trades.c.amount_fen)
    query = _with(out, select(trades.c.instrument, state.label("state"), *sums))
    query = query.where(of_day, trades.c.seq <= seq).group_by(trades.c.instrument, "state")
    rows: dict[int, Row] = {}
    for instrument, name, *amounts in await connection.execute(query):
        row = rows.setdefault(instrument, empty_row(today, instrument))
        row.update(zip(COLUMNS[name], amounts, strict=True))
    return rows


def empty_row(date: int, instrument: int) -> Row:
    """A row of `daily_turnover` of a day under way, without trades."""
    return _EMPTY | {"trading_date": date, "instrument": instrument}


async def read_moved(connection: AsyncConnection, first_date: int, end_date: int, seq: int) -> Sequence[Values]:
    """The trades that decisions after seq moved, of the days from first_date on and before end_date, which had ended at seq.

    `was_excluded` is the state that each had: it is in the other one today.
    """
    those = (
        trades.c.trade_id.in_(select(decided_trades.c.trade_id).where(decided_trades.c.seq > seq)),
        trades.c.trading_date >= first_date,
        trades.c.trading_date < end_date,
    )
    out = excluded_at(seq, *those)
    was_excluded = out.c.trade_id.isnot(None)
    columns = [trades.c[name] for name in ("trade_id", "trading_date", "instrument", "quantity_lots", "amount_fen")]
    query = _with(out, select(*columns, was_excluded.label("was_excluded"))).where(
        *those, trades.c.busted_seq.is_(None), was_excluded != trades.c.excluded_seq.isnot(None)
    )
    return await _rows(connection, query)


async def read_best(connection: AsyncConnection, seq: int, *those: ColumnElement[bool]) -> Sequence[Values]:
    """The largest of those trades that counted at seq, the first of equals, as a row of `daily_turnover` names it; none where
    none counted."""
    out = excluded_at(seq, *those)
    columns = trades.c.trading_date, trades.c.instrument, trades.c.amount_fen.label("largest_fen")
    query = _with(out, select(*columns, trades.c.trade_id.label("largest_trade_id"))).where(
        *those,
        trades.c.seq <= seq,
        func.coalesce(trades.c.busted_seq, seq + 1) > seq,
        out.c.trade_id.is_(None),
    )
    query = query.order_by(trades.c.amount_fen.desc(), trades.c.trade_id).limit(1)
    return await _rows(connection, query)


async def _rows(connection: AsyncConnection, query: Select[Any]) -> Sequence[Values]:
    found: Sequence[Values] = (await connection.execute(query)).mappings().all()
    return found


def _with(out: Subquery, query: Select[Any]) -> Select[Any]:
    """The query on the trades, beside those that are excluded."""
    return query.outerjoin_from(trades, out, out.c.trade_id == trades.c.trade_id)
