"""The report's queries on the read database. One connection is one transaction, so all results are of one position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import VENUE_SCOPE
from services.read_model.tables import (
    alerts,
    daily_turnover,
    decided_trades,
    decisions,
    instruments,
    position,
    proofs,
    targets,
    total,
    trades,
)
from services.read_model.targets import TargetKey, in_force, targets_of_year
from services.reporting.target import DEFAULT_TARGET_FEN, DEFAULT_TARGET_NAME, SIMULATED, Target

_DAY = daily_turnover.c

SUMS = (
    "trades", "quantity_lots", "amount_fen", "busted", "busted_fen", "excluded", "excluded_fen", "prevented", "prevented_lots",
)  # fmt: skip
"""The columns of `daily_turnover` that a report adds up."""

LAST_SEQ = 2**63 - 1
"""No command has a higher one."""

EARLIER_YEARS = 5
"""How many years before the report's a forecast learns from."""

Values = Mapping[Any, Any]
"""One row of a table, by column name."""


class DayDiffers(NamedTuple):
    """A trading day whose sums are not those of its trades (day_sums.py)."""

    date: int
    columns: tuple[tuple[str, int, int], ...]
    """Each column of `daily_turnover` that differs: its name, its sum over the day's rows, and the sum over the trades."""


@dataclass(frozen=True)
class YearTurnover:
    """The data of a report, all of one position."""

    position: Values
    target: Target
    simulated: bool
    """Whether the year is, or begins with, a simulated history."""
    instruments: dict[int, Values]
    """The columns of `instruments`, by instrument number."""
    net_by_day: dict[int, int]
    """Net turnover in fen by trading date yyyymmdd."""
    by_instrument: dict[int, Values]
    """The year's sums of the columns SUMS, by instrument number; only instruments with rows in `daily_turnover`."""
    largest: Values | None
    """The row of `daily_turnover` with the year's largest trade; None without trades."""
    first_trading_date: int
    """The venue's first trading day, yyyymmdd; 0 before there is one."""
    earlier: dict[int, int]
    """Net turnover in fen by trading date of the EARLIER_YEARS years before, for the forecast."""
    proof_alerts: tuple[Values, ...]
    """`sentence` and `sentence_zh` of the open alerts that say that a proof of the figure failed, or is late."""
    proof: Values | None
    """The row of `proofs` with the year's last proof that agreed; None where none has."""
    differing_days: tuple[DayDiffers, ...] = ()
    """The days of which the sums are not those of their trades, where that was looked at."""


@dataclass(frozen=True)
class Sum:
    """Number, lots and amount of trades, each counted once."""

    trades: int
    quantity_lots: int
    amount_fen: int

    def __sub__(self, other: Sum) -> Sum:
        return Sum(
            self.trades - other.trades, self.quantity_lots - other.quantity_lots, self.amount_fen - other.amount_fen
        )


async def read_position(connection: AsyncConnection) -> Values | None:
    """The row of `position`; None before the projector's first transaction."""
    return (await connection.execute(select(position))).mappings().first()


async def read_year(connection: AsyncConnection, year: int) -> YearTurnover | None:
    """A year's turnover by day and by instrument; None before the projector's first transaction."""
    at = await read_position(connection)
    if at is None:
        return None
    of_year = _of_year(year)
    sums = [total(_DAY[name]).label(name) for name in SUMS]
    by_instrument = select(_DAY.instrument, *sums).where(of_year).group_by(_DAY.instrument)
    largest = select(daily_turnover).where(of_year, _DAY.trades > 0)
    largest = largest.order_by(_DAY.largest_fen.desc(), _DAY.largest_trade_id).limit(1)
    listed = select(instruments).order_by(instruments.c.instrument)
    return YearTurnover(
        position=at,
        target=await read_target(connection, year),
        simulated=year in await read_simulated_years(connection),
        instruments={row["instrument"]: row for row in (await connection.execute(listed)).mappings()},
        net_by_day=await read_net_by_day(connection, of_year),
        by_instrument={row["instrument"]: row for row in (await connection.execute(by_instrument)).mappings()},
        largest=(await connection.execute(largest)).mappings().first(),
        first_trading_date=await _born(connection) or at["trading_date"],
        earlier=await read_net_by_day(
            connection, _DAY.trading_date.between((year - EARLIER_YEARS) * 10_000, year * 10_000 - 1)
        ),
        proof_alerts=await read_proof_alerts(connection, year),
        proof=await read_last_proof(connection, year),
    )


async def read_proof_alerts(connection: AsyncConnection, year: int, seq: int = LAST_SEQ) -> tuple[Values, ...]:
    """The sentences of those alerts about proofs of the year that were open after the command seq, oldest first."""
    about = or_(and_(alerts.c.kind == "proof_failed", alerts.c.subject == str(year)), alerts.c.kind == "proof_late")
    is_open = and_(alerts.c.seq <= seq, or_(alerts.c.cleared_seq.is_(None), alerts.c.cleared_seq > seq))
    sentences = select(alerts.c.sentence, alerts.c.sentence_zh).where(about, is_open).order_by(alerts.c.seq)
    return tuple((await connection.execute(sentences)).mappings())


async def read_last_proof(connection: AsyncConnection, year: int, seq: int = LAST_SEQ) -> Values | None:
    """The row of `proofs` with the year's last proof that agreed, as it was after the command seq."""
    recorded = select(proofs).where(proofs.c.year == year, proofs.c.seq <= seq)
    return (await connection.execute(recorded.order_by(proofs.c.seq.desc()).limit(1))).mappings().first()


async def read_net_by_day(connection: AsyncConnection, those: ColumnElement[bool]) -> dict[int, int]:
    """Net turnover in fen by trading date, of those rows of `daily_turnover`."""
    by_day = select(_DAY.trading_date, total(_DAY.amount_fen)).where(those).group_by(_DAY.trading_date)
    return dict(iter(await connection.execute(by_day)))


async def read_daily(connection: AsyncConnection, year: int) -> Sequence[Values]:
    """The year's rows of `daily_turnover` with trades, busted or excluded ones, or prevented self-trades, by date and
    instrument."""
    happened = (_DAY.trades > 0) | (_DAY.busted > 0) | (_DAY.excluded > 0) | (_DAY.prevented > 0)
    daily = select(daily_turnover).where(_of_year(year), happened).order_by(_DAY.trading_date, _DAY.instrument)
    return (await connection.execute(daily)).mappings().all()


async def sum_of_trades(connection: AsyncConnection, year: int, after_seq: int, to_seq: int) -> Sum:
    """The sum of the year's single trades made by commands with after_seq < seq <= to_seq."""
    return await _sum(connection, year, trades.c.seq, after_seq, to_seq)


async def sum_of_busts(connection: AsyncConnection, year: int, after_seq: int, to_seq: int) -> Sum:
    """The sum of the year's trades busted by commands with after_seq < seq <= to_seq, whenever they were made."""
    return await _sum(connection, year, trades.c.busted_seq, after_seq, to_seq)


async def sum_of_excluded(connection: AsyncConnection, year: int, seq: int) -> Sum:
    """The sum of the year's trades that did not count by decision after the command seq.

    The last decision about a trade holds; a busted trade is not excluded.
    """
    out = excluded_at(seq)
    query = (
        select(func.count(), total(trades.c.quantity_lots), total(trades.c.amount_fen))
        .join(out, out.c.trade_id == trades.c.trade_id)
        .where(
            trades.c.trading_date.between(*dates_of(year)),
            or_(trades.c.busted_seq.is_(None), trades.c.busted_seq > seq),
        )
    )
    return Sum(*[value or 0 for value in (await connection.execute(query)).one()])


def excluded_at(seq: int, *those: ColumnElement[bool]) -> Subquery:
    """The `trade_id` of each trade that the last decision about it up to the command seq excludes; busted ones may be among
    them. A decision is about trades made before it. `those` limit it to some `trades`: no others are read."""
    last = (
        select(decided_trades.c.trade_id, func.max(decided_trades.c.seq).label("last_seq"))
        .join(trades, and_(trades.c.trade_id == decided_trades.c.trade_id, trades.c.seq < decided_trades.c.seq))
        .where(decided_trades.c.seq <= seq, *those)
        .group_by(decided_trades.c.trade_id)
        .subquery()
    )
    excludes = decisions.c.decision == "exclude"
    return select(last.c.trade_id).join(decisions, decisions.c.seq == last.c.last_seq).where(excludes).subquery()


async def _sum(connection: AsyncConnection, year: int, seq: ColumnElement[Any], after_seq: int, to_seq: int) -> Sum:
    count, lots, amount = func.count(), total(trades.c.quantity_lots), total(trades.c.amount_fen)
    in_range = trades.c.trading_date.between(*dates_of(year)), seq > after_seq, seq <= to_seq
    found = await connection.execute(select(count, lots, amount).where(*in_range))
    return Sum(*[value or 0 for value in found.one()])


async def _born(connection: AsyncConnection) -> int | None:
    """The first day with a row in `daily_turnover`; every day that has ended has one. None on the venue's first day."""
    first = select(func.min(_DAY.trading_date)).where(_DAY.trading_date > 0)
    found: int | None = (await connection.execute(first)).scalar_one()
    return found


async def read_simulated_years(connection: AsyncConnection, seq: int = LAST_SEQ) -> frozenset[int]:
    """The years that are, or begin with, a simulated history: a target that was set for them up to the command seq says so in
    its name. A later target has another name, and the year stays simulated."""
    says_so = func.substr(targets.c.name, 1, len(SIMULATED)) == SIMULATED
    return frozenset(await connection.scalars(select(targets.c.year).where(says_so, targets.c.seq <= seq)))


async def read_target(connection: AsyncConnection, year: int, seq: int = LAST_SEQ) -> Target:
    """The target of the year that is in force after the command seq."""
    set_by_then = [row for row in await targets_of_year(connection, year) if row["seq"] <= seq]
    row = in_force(set_by_then).get(TargetKey(VENUE_SCOPE, "net_traded", year, 0))
    if row is None:
        return Target(DEFAULT_TARGET_FEN, DEFAULT_TARGET_NAME, is_set=False)
    return Target(row["amount"], row["name"], is_set=True, pro_rata=bool(row["pro_rata"]), seq=row["seq"])


def _of_year(year: int) -> ColumnElement[bool]:
    return _DAY.trading_date.between(*dates_of(year))


def dates_of(year: int) -> tuple[int, int]:
    """The first and the last date yyyymmdd that a year may have."""
    return year * 10_000, year * 10_000 + 9_999
