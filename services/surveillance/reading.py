"""What the statistics need, read from the read database of either kind. One connection is one transaction: all of one position.

Busted trades are left out everywhere; what changed hands leaves out those excluded by decision, too, as the net turnover does.
The screen keeps them: a decision does not change what was found. The member of an account is its owner group.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Select, Subquery, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import Phase, Reason, Side, TimeInForce
from services.read_model.records import read_records
from services.read_model.tables import (
    accounts,
    daily_members,
    daily_turnover,
    instruments,
    orders,
    total,
    trades,
    trading_days,
)
from services.surveillance.abnormal_trading import LARGE_CANCEL_LOTS, DayCounts
from services.surveillance.contracts import SCREEN_TRADE, Control, ScreenTrades, screen_trades
from services.surveillance.measures import CONTROL_TYPES, control_groups, control_of

_NEVER_REST = (TimeInForce.IOC, TimeInForce.FOK)


def _member_of(table: FromClause) -> ColumnElement[int]:
    """The owner group of an account: 0 in `owner` is the account itself."""
    return case((table.c.owner == 0, table.c.account), else_=table.c.owner)


_MEMBER = _member_of(accounts)
_TAKER_BUYS = trades.c.taker_side == Side.BUY


async def read_members(connection: AsyncConnection) -> dict[int, int]:
    """The member of each account."""
    return dict(iter(await connection.execute(select(accounts.c.account, _MEMBER))))


async def read_control(connection: AsyncConnection, at_seq: int | None = None) -> tuple[Control, Mapping[int, int]]:
    """The declared common control that has not ended, at the command at_seq if one is given, and the member of each account."""
    member_of = await read_members(connection)
    declared = await read_records(connection, CONTROL_TYPES)
    known = declared if at_seq is None else [record for record in declared if record.seq <= at_seq]
    return control_of(control_groups(known).values(), member_of), member_of


async def read_screen_trades(
    connection: AsyncConnection, first_date: int, last_date: int, at_seq: int | None = None
) -> ScreenTrades:
    """The trades of the trading days from first_date to last_date, yyyymmdd, with their members and the orders behind them.

    With at_seq, the trades that were made and not busted after that command; the quantities of orders are those of today.
    """
    taker, maker = accounts.alias(), accounts.alias()
    taker_order, maker_order = orders.alias(), orders.alias()
    columns = {
        "trade_id": trades.c.trade_id,
        "seq": trades.c.seq,
        "trading_date": trades.c.trading_date,
        "time_ns": trades.c.time_ns,
        "instrument": trades.c.instrument,
        "buyer": case((_TAKER_BUYS, _member_of(taker)), else_=_member_of(maker)),
        "seller": case((_TAKER_BUYS, _member_of(maker)), else_=_member_of(taker)),
        "aggressor": case((trades.c.phase == Phase.CALL_AUCTION, 0), else_=_member_of(taker)),
        "amount_fen": trades.c.amount_fen,
        "quantity_lots": trades.c.quantity_lots,
        "maker_order_lots": maker_order.c.quantity_lots,
        "taker_order_lots": taker_order.c.quantity_lots,
        "maker_entered_ns": maker_order.c.created_ns,
        "taker_entered_ns": taker_order.c.created_ns,
    }
    found = (
        select(*(columns[name] for name in SCREEN_TRADE.names or ()))
        .join(taker, taker.c.account == trades.c.taker_account)
        .join(maker, maker.c.account == trades.c.maker_account)
        .join(taker_order, taker_order.c.order_id == trades.c.taker_order_id)
        .join(maker_order, maker_order.c.order_id == trades.c.maker_order_id)
        .where(_in_period(first_date, last_date, at_seq))
    )
    return screen_trades(await connection.execute(found))


async def read_changed_hands(connection: AsyncConnection, first_date: int, last_date: int) -> int:
    """What changed hands in fen, with these trading days as one period: `changed_hands.changed_hands_fen` in SQL."""
    return sum((await read_changed_hands_by_instrument(connection, first_date, last_date)).values())


async def read_changed_hands_by_instrument(
    connection: AsyncConnection, first_date: int, last_date: int
) -> dict[int, int]:
    """What changed hands in fen by instrument, with these trading days as one period. The sum is that of all products."""
    net = _net(first_date, last_date).subquery()
    return await _positive_sums(connection, net, net.c.instrument)


async def read_changed_hands_by_day(connection: AsyncConnection, first_date: int, last_date: int) -> dict[int, int]:
    """What changed hands in fen by trading date, each day a period of its own: `changed_hands_by_day` in SQL."""
    net = _net(first_date, last_date, daily_members.c.trading_date).subquery()
    return await _positive_sums(connection, net, net.c.trading_date)


async def _positive_sums(connection: AsyncConnection, net: Subquery, key: ColumnElement[int]) -> dict[int, int]:
    found = await connection.execute(select(key, total(net.c.fen)).where(net.c.fen > 0).group_by(key).order_by(key))
    return dict(iter(found))


def _net(first_date: int, last_date: int, *by: Column[Any]) -> Select[Any]:
    """Bought − sold in fen by member and product, and by the columns given, in the trades that count."""
    day = daily_members.c
    groups = (_MEMBER, day.instrument, *by)
    owned = daily_members.join(accounts, accounts.c.account == day.account)
    net = select(total(day.bought_fen - day.sold_fen).label("fen"), *groups).select_from(owned)
    return net.where(day.trading_date.between(first_date, last_date)).group_by(*groups)


async def read_settlements_before(connection: AsyncConnection, last_date: int) -> dict[tuple[int, int], Fraction]:
    """The settlement price in force before each trading day up to last_date, in fen per lot, by date and instrument."""
    listed = (await connection.execute(select(instruments))).mappings().all()
    values = {row["instrument"]: row["tick_value_fen"] for row in listed}
    ticks = {row["instrument"]: row["first_reference_ticks"] for row in listed}
    day = daily_turnover.c
    of_days = select(day.trading_date, day.instrument, day.settlement_ticks).where(day.trading_date <= last_date)
    found = {}
    for date, instrument, settled in await connection.execute(of_days.order_by(day.trading_date)):
        found[date, instrument] = Fraction(ticks[instrument] * values[instrument])
        ticks[instrument] = settled or ticks[instrument]
    return found


async def read_day_counts(connection: AsyncConnection, first_date: int, last_date: int) -> list[DayCounts]:
    """What the members did by day and product, from the orders entered on these trading days.

    A cancel counts on the day on which its order was entered. A self-trade attempt is an order that self-trade prevention
    ended; one that it only reduced (DECREMENT) is in no table. Orders that never rest (IOC, FOK) are left out.
    """
    attempted = orders.c.reason == Reason.SELF_TRADE
    canceled = orders.c.reason.in_((Reason.REQUESTED, Reason.MASS_CANCEL))
    large = and_(canceled, orders.c.quantity_lots - orders.c.filled_lots >= LARGE_CANCEL_LOTS)
    counts = [func.count(case((condition, 1))) for condition in (attempted, canceled, large)]
    by = (orders.c.trading_date, _MEMBER, orders.c.instrument)
    # The id of an order is the command that entered it: without the days before, millions of orders are not read.
    began = (
        select(func.min(trading_days.c.first_seq)).where(trading_days.c.trading_date >= first_date).scalar_subquery()
    )
    found = (
        select(*by, *counts)
        .join(accounts, accounts.c.account == orders.c.account)
        .where(orders.c.order_id >= func.coalesce(began, 0))
        .where(orders.c.trading_date.between(first_date, last_date), orders.c.state == "canceled")
        .where(orders.c.time_in_force.not_in(_NEVER_REST), attempted | canceled)
        .group_by(*by)
        .order_by(*by)
    )
    return [DayCounts(*row) for row in await connection.execute(found)]


def _in_period(first_date: int, last_date: int, at_seq: int | None = None) -> ColumnElement[bool]:
    period = trades.c.trading_date.between(first_date, last_date)
    if at_seq is None:
        return and_(period, trades.c.busted_seq.is_(None))
    return and_(period, trades.c.seq <= at_seq, func.coalesce(trades.c.busted_seq, at_seq + 1) > at_seq)
