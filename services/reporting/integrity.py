"""Routes under /v1/reports: what changed hands, and the findings of the wash screen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.commands.attachments import TradesDecision
from services.decimals import decimal_text, yuan_text
from services.read_database.names import read_account_names
from services.read_database.tables import decided_trades, decisions, trades
from services.reporting.drill import links
from services.reporting.drill.page_cursor import PageCursor
from services.reporting.queries import read_position, read_year
from services.reporting.requests import Projected, Year, recorded, waiting_routes
from services.reporting.target import RECENT_DAYS
from services.reporting.turns import Turns
from services.surveillance.contracts import Edge, Finding
from services.surveillance.reading import (
    read_changed_hands,
    read_changed_hands_by_day,
    read_control,
    read_screen_trades,
)
from services.surveillance.screen import screen
from services.times import date_text


class DayHands(BaseModel):
    """One trading day."""

    date: str
    net: str
    changed_hands: str = Field(description="With the day as a period of its own.")


class ChangedHands(BaseModel):
    """Net turnover beside what changed hands: what members bought more than they sold, by product. It hardly moves under wash
    trading."""

    year: int
    net: str
    changed_hands: str = Field(description="With the year as one period, in yuan.")
    share: str = Field(description="changed_hands / net, as a fraction.")
    recent_net: str = Field(description="Net turnover of the last 20 days with trades.")
    recent_changed_hands: str = Field(description="With those days as one period.")
    days: tuple[DayHands, ...]
    seq: int = Field(description="The journal's sequence number that the answer is exact at.")
    row_hash: str = Field(description="Hash of the journal row that ends at `seq`.")
    journal_id: str


class Traded(BaseModel):
    """What a member sold to another in a finding's trades."""

    seller: str
    buyer: str
    amount: str
    trades: int


class Decided(BaseModel):
    """What a person decided about a finding."""

    seq: int = Field(description="The newest decision that names one of its trades.")
    decision: TradesDecision


class WashFinding(BaseModel):
    """Trades that are suspected to be wash trades. Nothing is taken from the turnover until an operator decides."""

    finding: str = Field(description="Its number, made of its kind, members and trades.")
    kind: str
    first_date: str = Field(description="The trading date of its first trade.")
    last_date: str = Field(description="The trading date of its last trade.")
    window_first_date: str = Field(
        description="Of the windows in which it was found: the ratios are of all that was traded from this date."
    )
    window_last_date: str = Field(description="To this date.")
    members: tuple[str, ...]
    amount: str
    trades: int
    trade_ids: tuple[str, ...]
    inside_share: float = Field(description="Of all that the members traded in the window, the part in these trades.")
    lift: float = Field(description="How many times what chance gives.")
    net_share: float = Field(description="What is left in the members' hands of what they traded here.")
    decided: Decided | None = Field(
        description="Null until each of its trades is decided, and all alike: `exclude`, none counts; `include`, all count."
    )
    sentence: str
    sentence_zh: str
    edges: tuple[Traded, ...]
    links: dict[str, str] = Field(description="`trades`: an address of this host.")


class Findings(BaseModel):
    """The findings of a year."""

    year: int
    findings: tuple[WashFinding, ...]
    seq: int


def router(read_database: AsyncEngine, projected: Projected, turns: Turns | None = None) -> APIRouter:
    """The routes; the gateway that includes them checks the key."""
    routes = waiting_routes(projected, turns)

    @routes.get(
        "/turnover/{year}/changed_hands",
        response_model=ChangedHands,
        summary="What changed hands, beside the net turnover",
    )
    async def changed_hands(year: Year) -> ChangedHands:
        async with read_database.connect() as connection:
            found = recorded(await read_year(connection, year))
            first, last = year * 10_000, year * 10_000 + 9_999
            recent = sorted(found.net_by_day)[-RECENT_DAYS:]
            hands = await read_changed_hands(connection, first, last)
            by_day = await read_changed_hands_by_day(connection, first, last)
            of_recent = await read_changed_hands(connection, recent[0], recent[-1]) if recent else 0
        net = sum(found.net_by_day.values())
        return ChangedHands(
            year=year,
            net=yuan_text(net),
            changed_hands=yuan_text(hands),
            share=decimal_text(hands, net or 1, 6),
            recent_net=yuan_text(sum(found.net_by_day[day] for day in recent)),
            recent_changed_hands=yuan_text(of_recent),
            days=tuple(
                DayHands(date=date_text(day), net=yuan_text(fen), changed_hands=yuan_text(by_day.get(day, 0)))
                for day, fen in sorted(found.net_by_day.items())
            ),
            seq=found.position["seq"],
            row_hash=found.position["row_hash"].hex(),
            journal_id=found.position["journal_id"].hex(),
        )

    return routes


def findings_router(read_database: AsyncEngine, projected: Projected, turns: Turns | None = None) -> APIRouter:
    """The routes of operators: findings name members."""
    routes = waiting_routes(projected, turns)

    @routes.get("/findings/{year}", response_model=Findings, summary="The wash screen's findings of a year")
    async def findings(year: Year) -> Findings:
        async with read_database.connect() as connection:
            position = recorded(await read_position(connection))
            names = await read_account_names(connection)
            traded = await read_screen_trades(connection, year * 10_000, year * 10_000 + 9_999)
            control, _ = await read_control(connection)
            decided = await _read_decided(connection, year)
        # It takes some hundred milliseconds of CPU, which the event loop needs for orders.
        found = await asyncio.to_thread(screen, traded, control=control, names=names)
        lines = shown(year, found, names, decided, position["seq"])
        return Findings(year=year, findings=lines, seq=position["seq"])

    return routes


async def _read_decided(connection: AsyncConnection, year: int) -> dict[int, Decided]:
    """The newest decision about each trade of the year that one names, by trade_id."""
    query = (
        select(decided_trades.c.trade_id, decisions.c.seq, decisions.c.decision)
        .join(decisions, decisions.c.seq == decided_trades.c.seq)
        .join(trades, trades.c.trade_id == decided_trades.c.trade_id)
        .where(trades.c.trading_date.between(year * 10_000, year * 10_000 + 9_999))
        .order_by(decisions.c.seq)
    )
    rows = (await connection.execute(query)).all()
    return {trade_id: Decided(seq=seq, decision=decision) for trade_id, seq, decision in rows}


def shown(
    year: int, found: Sequence[Finding], names: Mapping[int, str], decided: Mapping[int, Decided], seq: int
) -> tuple[WashFinding, ...]:
    """The findings of the year after the command seq, with the members' names, and what was `decided` about each trade."""
    cursor = PageCursor(found_seq=seq).text
    return tuple(
        WashFinding(
            finding=one.finding_id,
            kind=one.kind,
            first_date=date_text(one.first_date),
            last_date=date_text(one.last_date),
            window_first_date=date_text(one.window_first_date),
            window_last_date=date_text(one.window_last_date),
            members=tuple(names[member] for member in one.members),
            amount=yuan_text(one.amount_fen),
            trades=len(one.trade_ids),
            trade_ids=tuple(map(str, one.trade_ids)),
            inside_share=one.inside_share,
            lift=one.lift,
            net_share=one.net_share,
            decided=_decided(one, decided),
            sentence=one.sentence_en,
            sentence_zh=one.sentence_zh,
            edges=tuple(_traded(edge, names) for edge in one.edges),
            links={"trades": links.trades(year=year, finding=one.finding_id, cursor=cursor)},
        )
        for one in found
    )


def _decided(finding: Finding, decided: Mapping[int, Decided]) -> Decided | None:
    """The newest decision about the finding, if each of its trades is decided and all alike."""
    of_trades = [decided.get(trade_id) for trade_id in finding.trade_ids]
    about = [one for one in of_trades if one is not None]
    alike = len(about) == len(of_trades) and len({one.decision for one in about}) == 1
    return max(about, key=lambda one: one.seq) if alike else None


def _traded(edge: Edge, names: Mapping[int, str]) -> Traded:
    return Traded(
        seller=names[edge.seller], buyer=names[edge.buyer], amount=yuan_text(edge.amount_fen), trades=edge.trades
    )
