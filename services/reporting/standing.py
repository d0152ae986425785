"""How a year's net turnover stood to its target after a command: for a certificate, whose sums are of that command.

The read database of a running venue is soon beyond that command. What has changed since is taken back trade by trade: trades
made, busted or decided about by later commands.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlalchemy import select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import VENUE_SCOPE
from services.data.calendar import TradingCalendar
from services.decimals import decimal_text, yuan_text
from services.read_database.tables import decided_trades, decisions, trades, trading_days
from services.read_database.targets import TargetKey, in_force, targets_of_year
from services.reporting.outlook import look_ahead
from services.reporting.queries import YearTurnover, read_year
from services.reporting.schemas import TurnoverReport
from services.reporting.target import (
    DEFAULT_TARGET_FEN,
    DEFAULT_TARGET_NAME,
    Target,
    measure_progress,
    open_days,
    year_days,
)
from services.reporting.verdict import judge
from services.times import date_text

_TRADE = trades.c


@dataclass(frozen=True)
class Standing:
    """Net turnover, target and verdict, in the words and forms of the report."""

    net: str
    trading_date: str
    target: str
    target_name: str
    share: str
    outcome: str
    verdict: str
    verdict_zh: str
    calendar: str

    @classmethod
    def of_report(cls, report: TurnoverReport) -> Standing:
        """The standing that a report states."""
        return cls(**{name: getattr(report, name) for name in cls.__dataclass_fields__})


async def read_standing(connection: AsyncConnection, year: int, seq: int, calendar: TradingCalendar) -> Standing | None:
    """The standing after the command seq, which the read database has reached; None before the projector's first
    transaction."""
    found = await read_year(connection, year)
    return None if found is None else _standing(year, await _taken_back(connection, year, seq, found), calendar)


def _standing(year: int, found: YearTurnover, calendar: TradingCalendar) -> Standing:
    days = year_days(calendar, year, found.net_by_day)
    owed_fen = found.target.owed_fen(len(open_days(days, found.born)), len(days))
    today = found.position["trading_date"]
    progress = measure_progress(days, found.net_by_day, today, owed_fen, born=found.born)
    forecast = look_ahead(progress, found.earlier, calendar, found.born).forecast
    permille = None if forecast is None or forecast.too_early else forecast.reach_permille
    verdict = judge(progress, None if permille is None else Fraction(permille, 1000))
    return Standing(
        net=yuan_text(progress.net_fen),
        trading_date=date_text(today),
        target=yuan_text(owed_fen),
        target_name=found.target.name,
        share=decimal_text(progress.net_fen, owed_fen or 1, 6),
        outcome=verdict.outcome,
        verdict=verdict.en,
        verdict_zh=verdict.zh,
        calendar="assumed" if calendar.assumed(year) else "published",
    )


async def _taken_back(connection: AsyncConnection, year: int, seq: int, found: YearTurnover) -> YearTurnover:
    """What a standing needs of the year as it was after the command seq. The sums by instrument are left out."""
    later = await _net_since(connection, seq)
    day = select(trading_days.c.trading_date).where(trading_days.c.first_seq <= seq)
    today = await connection.scalar(day.order_by(trading_days.c.trading_date.desc()).limit(1)) or 0
    targets = [row for row in await targets_of_year(connection, year) if row["seq"] <= seq]
    row = in_force(targets).get(TargetKey(VENUE_SCOPE, "net_traded", year, 0))
    target = Target(DEFAULT_TARGET_FEN, DEFAULT_TARGET_NAME, is_set=False)
    if row is not None:
        target = Target(row["amount"], row["name"], is_set=True, pro_rata=bool(row["pro_rata"]), seq=row["seq"])
    return replace(
        found,
        position={**found.position, "seq": seq, "trading_date": today},
        target=target,
        net_by_day={date: fen - later[date] for date, fen in found.net_by_day.items() if date <= today},
        earlier={date: fen - later[date] for date, fen in found.earlier.items()},
        by_instrument={},
        largest=None,
    )


async def _net_since(connection: AsyncConnection, seq: int) -> Counter[int]:
    """By how much the net turnover of each trading date grew by the commands after seq, in fen."""
    changed = union(
        select(_TRADE.trade_id).where(_TRADE.seq > seq),
        select(_TRADE.trade_id).where(_TRADE.busted_seq > seq),
        select(decided_trades.c.trade_id).where(decided_trades.c.seq > seq),
    ).subquery()
    last = (
        select(decisions.c.decision)
        .join(decided_trades, decided_trades.c.seq == decisions.c.seq)
        .where(decided_trades.c.trade_id == _TRADE.trade_id, decided_trades.c.seq > _TRADE.seq)
        .where(decided_trades.c.seq <= seq)
        .order_by(decided_trades.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(trades, last.label("decided")).join(changed, changed.c.trade_id == _TRADE.trade_id)
    grown: Counter[int] = Counter()
    for row in (await connection.execute(query)).mappings():
        counts = row["busted_seq"] is None and row["excluded_seq"] is None
        stood = row["busted_seq"] is None or row["busted_seq"] > seq
        counted = row["seq"] <= seq and stood and row["decided"] != "exclude"
        grown[row["trading_date"]] += (counts - counted) * row["amount_fen"]
    return grown
