"""What the wash screen flagged in a year, and what persons decided about it.

A finding takes nothing from the turnover: only decisions do. The screen sees the trades that are not busted, those that a
decision excludes included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import TradesDecision
from services.read_model.names import read_member_names
from services.read_model.tables import decided_trades, decisions, trades
from services.reporting.breakdown.documents import Sealed
from services.reporting.documents import Document, Ratio, Yuan, ratio, seal
from services.reporting.queries import Values
from services.reporting.sheet import Shown
from services.surveillance.contracts import Control, Finding, ScreenTrades
from services.surveillance.reading import read_control, read_screen_trades
from services.surveillance.screen import screen

State = Literal["waiting", "exclude", "include", "all"]


class Decided(Document):
    """What a person decided about a finding."""

    seq: Annotated[int, Shown("integer", "seq", "序号")] = Field(
        description="The newest decision that names one of its trades."
    )
    decision: Annotated[TradesDecision, Shown("text", "decision", "决定")]


class FlaggedPart(Document):
    """Findings in one state."""

    state: Annotated[State, Shown("text", "State", "状态")] = Field(
        description="`waiting` for a decision about each of their trades; `exclude`: none counts; `include`: all count; `all` "
        "together."
    )
    findings: Annotated[int, Shown("integer", "Findings", "发现数")]
    amount_fen: Annotated[Yuan, Shown("decimal", "Turnover (yuan)", "成交额（元）")] = Field(
        description="Of their trades, in yuan. A trade is in one finding at most."
    )
    trades: Annotated[int, Shown("integer", "Trades", "成交笔数")]
    share: Annotated[Ratio, Shown("decimal", "Share of gross − busted", "占总额减撤销")] = Field(
        description="amount / (gross − busted)."
    )


class FlaggedReport(Sealed):
    """What the wash screen flagged. It names no member."""

    parts: tuple[FlaggedPart, ...]


@dataclass(frozen=True)
class Screened:
    """The findings of a year, with what they were found in."""

    findings: tuple[Finding, ...]
    names: Mapping[int, str]
    """Of members."""
    traded_fen: int
    """What was traded in the year, without busted trades."""
    decided: Mapping[int, Decided]
    """The newest decision about each trade of the year that one names, by trade_id."""

    def decided_about(self, finding: Finding) -> Decided | None:
        """The newest decision about the finding, if each of its trades is decided and all alike."""
        of_trades = [self.decided.get(trade_id) for trade_id in finding.trade_ids]
        about = [one for one in of_trades if one is not None]
        alike = len(about) == len(of_trades) and len({one.decision for one in about}) == 1
        return max(about, key=lambda one: one.seq) if alike else None


class ToScreen(NamedTuple):
    """What was read of a year for the screen."""

    traded: ScreenTrades
    control: Control
    names: Mapping[int, str]
    decided: Mapping[int, Decided]

    async def screened(self) -> Screened:
        """Screens it in a thread: it takes some hundred milliseconds of CPU, which an event loop needs for orders."""
        found = await asyncio.to_thread(screen, self.traded, control=self.control, names=self.names)
        return Screened(found, self.names, int(self.traded["amount_fen"].sum()), self.decided)


async def read_to_screen(connection: AsyncConnection, year: int) -> ToScreen:
    """Reads what the screen of a year needs, and what persons decided."""
    traded = await read_screen_trades(connection, year * 10_000, year * 10_000 + 9_999)
    control, _ = await read_control(connection)
    return ToScreen(traded, control, await read_member_names(connection), await _read_decided(connection, year))


def flagged(year: int, position: Values, found: Screened) -> FlaggedReport:
    """The findings by state."""
    states: dict[State, list[Finding]] = {state: [] for state in get_args(State)}
    for finding in found.findings:
        about = found.decided_about(finding)
        states["all"].append(finding)
        states["waiting" if about is None else about.decision].append(finding)
    parts = tuple(_part(state, findings, found.traded_fen) for state, findings in states.items())
    return FlaggedReport(year=year, **seal(position), parts=parts)


def _part(state: State, findings: list[Finding], traded_fen: int) -> FlaggedPart:
    amount_fen = sum(one.amount_fen for one in findings)
    return FlaggedPart(
        state=state,
        findings=len(findings),
        amount_fen=amount_fen,
        trades=sum(len(one.trade_ids) for one in findings),
        share=ratio(amount_fen, traded_fen),
    )


async def _read_decided(connection: AsyncConnection, year: int) -> dict[int, Decided]:
    query = (
        select(decided_trades.c.trade_id, decisions.c.seq, decisions.c.decision)
        .join(decisions, decisions.c.seq == decided_trades.c.seq)
        .join(trades, trades.c.trade_id == decided_trades.c.trade_id)
        .where(trades.c.trading_date.between(year * 10_000, year * 10_000 + 9_999))
        .order_by(decisions.c.seq)
    )
    rows = (await connection.execute(query)).all()
    return {trade_id: Decided(seq=seq, decision=decision) for trade_id, seq, decision in rows}
