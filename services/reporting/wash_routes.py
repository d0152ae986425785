"""Routes under /v1/reports: what changed hands, and the findings of the wash screen."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting.breakdown.flagged import read_to_screen
from services.reporting.documents import Date, Document, Hash, Ratio, Yuan, ratio
from services.reporting.findings import WashFinding, shown
from services.reporting.queries import read_position, read_year
from services.reporting.requests import Projected, Year, recorded, waiting_routes
from services.reporting.target import RECENT_DAYS
from services.reporting.turns import ReportTurns
from services.surveillance.reading import read_changed_hands, read_changed_hands_by_day


class DayHands(Document):
    """One trading day."""

    date: Date
    net_fen: Yuan
    changed_hands_fen: Yuan = Field(description="With the day as a period of its own.")


class ChangedHands(Document):
    """Net turnover beside what changed hands: what members bought more than they sold, by product. It hardly moves under wash
    trading."""

    year: int
    net_fen: Yuan
    changed_hands_fen: Yuan = Field(description="With the year as one period, in yuan.")
    share: Ratio = Field(description="changed_hands / net, as a fraction.")
    recent_net_fen: Yuan = Field(description="Net turnover of the last 20 days with trades.")
    recent_changed_hands_fen: Yuan = Field(description="With those days as one period.")
    days: tuple[DayHands, ...]
    seq: int = Field(description="The journal's sequence number that the answer is exact at.")
    row_hash: Hash = Field(description="Hash of the journal row that ends at `seq`.")
    journal_id: Hash


class Findings(Document):
    """The findings of a year."""

    year: int
    findings: tuple[WashFinding, ...]
    seq: int


def router(read_database: AsyncEngine, projected: Projected, turns: ReportTurns | None = None) -> APIRouter:
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
        net_fen = sum(found.net_by_day.values())
        return ChangedHands(
            year=year,
            net_fen=net_fen,
            changed_hands_fen=hands,
            share=ratio(hands, net_fen),
            recent_net_fen=sum(found.net_by_day[day] for day in recent),
            recent_changed_hands_fen=of_recent,
            days=tuple(
                DayHands(date=day, net_fen=fen, changed_hands_fen=by_day.get(day, 0))
                for day, fen in sorted(found.net_by_day.items())
            ),
            **{name: found.position[name] for name in ("seq", "row_hash", "journal_id")},
        )

    return routes


def findings_router(read_database: AsyncEngine, projected: Projected, turns: ReportTurns | None = None) -> APIRouter:
    """The routes of operators: findings name members."""
    routes = waiting_routes(projected, turns)

    @routes.get("/findings/{year}", response_model=Findings, summary="The wash screen's findings of a year")
    async def findings(year: Year) -> Findings:
        async with read_database.connect() as connection:
            position = recorded(await read_position(connection))
            to_screen = await read_to_screen(connection, year)
        found = await to_screen.screened()
        return Findings(year=year, findings=shown(year, found, position["seq"]), seq=position["seq"])

    return routes
