"""The queries behind the year's breakdown, on either read database, and the rows that they make. One connection is one
transaction, so one position.

They read the sums of days and members, never the single trades: their cost grows with days × members × products. A *member* is
an owner group, as in surveillance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.tables import (
    accounts,
    daily_members,
    daily_phases,
    daily_turnover,
    goods_movements,
    instruments,
    total,
)
from services.reporting.breakdown.documents import NOTHING, Quantity
from services.reporting.queries import Values, dates_of, read_net_by_day, read_position

_DAY, _MEMBER, _PHASE, _GOODS = daily_turnover.c, daily_members.c, daily_phases.c, goods_movements.c
_COUNTED = (
    "trades", "quantity_lots", "amount_fen", "busted", "busted_lots", "busted_fen", "excluded", "excluded_lots", "excluded_fen",
)  # fmt: skip
_BOUGHT_AND_SOLD = ("bought", "bought_lots", "bought_fen", "sold", "sold_lots", "sold_fen", "fees_fen")


@dataclass(frozen=True)
class Listed:
    """What a breakdown needs to know of an instrument."""

    symbol: str
    name_en: str
    name_zh: str
    category: str
    family: str
    unit: str
    """`kg` or `t`: what a price is for."""
    lot_size: int
    """Units in a lot."""
    tick_value_fen: int
    """What one tick is worth on one lot."""
    reference_ticks: int
    """The settlement price in force."""

    @property
    def unit_kilograms(self) -> int:
        """Kilograms of what a price is for."""
        return 1000 if self.unit == "t" else 1

    @property
    def lot_kilograms(self) -> int:
        """Kilograms of one lot."""
        return self.lot_size * self.unit_kilograms

    @property
    def names(self) -> dict[str, Any]:
        """The fields of `ProductName` (breakdown/documents.py)."""
        return {"symbol": self.symbol, "name_en": self.name_en, "name_zh": self.name_zh}


Instruments = Mapping[int, Listed]
"""By instrument number."""


@dataclass(frozen=True)
class YearAccount:
    """What a breakdown needs to know of an account."""

    member: int
    """The owner group: the account's owner, or the account itself."""
    name: str
    account_class: int


Accounts = Mapping[int, YearAccount]
"""By account number."""


class AccountYear(NamedTuple):
    """What an account bought and sold of one product in a period, by the trades that count, and the fees that it paid."""

    account: int
    instrument: int
    bought: Quantity
    sold: Quantity
    fees_fen: int = 0
    """Fees of the account's trades that are not busted: an exclusion gives no money back."""


@dataclass(frozen=True)
class Counted:
    """The trades of one instrument, as they count and as they do not."""

    net: Quantity = NOTHING
    busted: Quantity = NOTHING
    excluded: Quantity = NOTHING


class Release(NamedTuple):
    """Lots of an instrument that were taken out on a trading day."""

    trading_date: int
    instrument: int
    lots: int
    settlement_ticks: int | None
    """The settlement price of that day; None while the day is under way."""


class DaySums(NamedTuple):
    """The trades of an instrument on a trading day, as they count."""

    trading_date: int
    instrument: int
    kilograms: int
    amount_fen: int


@dataclass(frozen=True)
class MemberYear:
    """What the accounts bought and sold in a year, at one position."""

    year: int
    position: Values
    instruments: dict[int, Listed]
    accounts: dict[int, YearAccount]
    traded: list[AccountYear]


class Period(NamedTuple):
    """Trading days from first to last, yyyymmdd."""

    first: int
    last: int


def whole_year(year: int) -> Period:
    """All days of a year."""
    return Period(*dates_of(year))


def month_of(day: int) -> int:
    """The month of a date yyyymmdd."""
    return day // 100 % 100


async def read_member_year(connection: AsyncConnection, year: int) -> MemberYear | None:
    """The sums of the year by account and product; None before the projector's first transaction."""
    position = await read_position(connection)
    if position is None:
        return None
    listed, accounts = await read_listed(connection), await read_accounts(connection)
    traded = await read_account_sums(connection, whole_year(year), listed)
    return MemberYear(year, position, listed, accounts, traded)


async def read_listed(connection: AsyncConnection) -> dict[int, Listed]:
    """The instruments, by number."""
    names = tuple(name for name in Listed.__dataclass_fields__)
    found = await connection.execute(select(instruments).order_by(instruments.c.instrument))
    return {row["instrument"]: Listed(**{name: row[name] for name in names}) for row in found.mappings()}


async def read_accounts(connection: AsyncConnection) -> dict[int, YearAccount]:
    """The accounts, by number."""
    columns = accounts.c.account, accounts.c.owner, accounts.c.name, accounts.c.account_class
    rows = (await connection.execute(select(*columns))).all()
    return {account: YearAccount(owner or account, name, of_class) for account, owner, name, of_class in rows}


async def read_counted(connection: AsyncConnection, period: Period, listed: Instruments) -> dict[int, Counted]:
    """The trades of a period by instrument: those that count, busted ones, excluded ones."""
    sums = [total(_DAY[name]) for name in _COUNTED]
    query = select(_DAY.instrument, *sums).where(_of(_DAY.trading_date, period)).group_by(_DAY.instrument)
    found = {}
    for instrument, *values in await connection.execute(query):
        parts = (_quantity(listed[instrument], *values[at : at + 3]) for at in (0, 3, 6))
        counted = Counted(*parts)
        if counted != Counted():
            found[instrument] = counted
    return found


async def read_account_sums(connection: AsyncConnection, period: Period, listed: Instruments) -> list[AccountYear]:
    """What each account bought and sold of each product in a period, and its fees; by account and instrument."""
    sums = [total(_MEMBER[name]) for name in _BOUGHT_AND_SOLD]
    by = (_MEMBER.account, _MEMBER.instrument)
    query = select(*by, *sums).where(_of(_MEMBER.trading_date, period)).group_by(*by).order_by(*by)
    return [
        AccountYear(
            account, instrument, _quantity(listed[instrument], *values[:3]), _quantity(listed[instrument], *values[3:6]),
            values[6],
        )
        for account, instrument, *values in await connection.execute(query)
    ]  # fmt: skip


async def read_phase_sums(
    connection: AsyncConnection, period: Period, listed: Instruments
) -> list[tuple[int, Quantity]]:
    """The trades that count, by trading phase and instrument: the phase's number, and the sum of one of its instruments."""
    by = (_PHASE.phase, _PHASE.instrument)
    sums = [total(_PHASE[name]) for name in ("trades", "quantity_lots", "amount_fen")]
    query = select(*by, *sums).where(_of(_PHASE.trading_date, period)).group_by(*by).order_by(*by)
    return [
        (phase, _quantity(listed[instrument], *values))
        for phase, instrument, *values in await connection.execute(query)
    ]


async def read_releases(connection: AsyncConnection, period: Period) -> list[Release]:
    """What was taken out in a period, by trading date and instrument, with the day's settlement price."""
    by = (_GOODS.trading_date, _GOODS.instrument)
    out = select(*by, total(-_GOODS.lots).label("lots")).where(_of(_GOODS.trading_date, period), _GOODS.lots < 0)
    days = out.group_by(*by).subquery()
    same_day = (days.c.trading_date == _DAY.trading_date) & (days.c.instrument == _DAY.instrument)
    query: Select[Any] = select(days, _DAY.settlement_ticks).outerjoin(daily_turnover, same_day)
    found = await connection.execute(query.order_by(days.c.trading_date, days.c.instrument))
    return [Release(*row) for row in found]


async def read_days(connection: AsyncConnection, period: Period, listed: Instruments) -> list[DaySums]:
    """The trades that count, by trading date and instrument."""
    columns = (_DAY.trading_date, _DAY.instrument, _DAY.quantity_lots, _DAY.amount_fen)
    found = await connection.execute(select(*columns).where(_of(_DAY.trading_date, period), _DAY.trades > 0))
    return [DaySums(date, number, lots * listed[number].lot_kilograms, fen) for date, number, lots, fen in found]


async def read_net_of_days(connection: AsyncConnection, period: Period) -> dict[int, int]:
    """Net turnover in fen of each day that has ended, or has trades, by trading date."""
    return await read_net_by_day(connection, _of(_DAY.trading_date, period))


def _quantity(listed: Listed, trades: int, lots: int, amount_fen: int) -> Quantity:
    return Quantity(amount_fen=amount_fen, kilograms=lots * listed.lot_kilograms, trades=trades)


def _of(date: ColumnElement[int], period: Period) -> ColumnElement[bool]:
    return date.between(*period)
