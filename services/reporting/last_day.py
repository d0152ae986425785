"""What the last trading day added: the year at the close of that day beside the year at the close of the day before.

Both are the report as it was after the command that ended the day, a DAY_ROLL. No number is computed in a way of its own: who
asks for the report at `close.seq` and at `before.seq` finds the same ones.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.data.calendar import TradingCalendar
from services.read_model.tables import trading_days
from services.reporting.documents import CalendarSource, Date, Document, Permille, Yuan
from services.reporting.last_day_said import Close, said, said_zh
from services.reporting.queries import dates_of, read_position
from services.reporting.requests import (
    AtLeast,
    PastSeq,
    Projected,
    Year,
    recorded,
    refuse_past,
    wait_until_projected,
)
from services.reporting.standing import standing_of
from services.reporting.turns import ReportTurns
from services.reporting.year_as_of import read_year_at_beginning

_NO_DAY = ("No trading day of this year has ended yet.", "本年度尚无已结束的交易日。")


class YearAtClose(Document):
    """The year when a trading day had ended."""

    seq: int = Field(description="The command that ended the day: `GET /v1/reports/turnover/{year}?seq=` has the same.")
    net_fen: Yuan = Field(description="The year's net turnover.")
    target_fen: Yuan
    ahead_fen: Yuan = Field(description="net − pace; negative where the turnover was behind the pace.")
    reach: Permille | None = Field(
        description="Probability of reaching the target; null while it was too early to say, and in a closed year."
    )


class AddedDay(Document):
    """A trading day that has ended, and the year before and after it."""

    date: Date
    net_fen: Yuan = Field(description="Net turnover of the day, when it had ended.")
    moved_fen: Yuan = Field(
        description="What decisions of the day changed of earlier days: close.net − before.net − net. Negative: excluded."
    )
    before: YearAtClose = Field(
        description="The year at the close of the day before; before the first day: at its beginning."
    )
    close: YearAtClose


class LastDay(Document):
    """What the last trading day of the year added."""

    year: int
    calendar: CalendarSource
    day: AddedDay | None = Field(description="Null until a trading day of the year has ended.")
    sentence: str = Field(description="All of it in a sentence.")
    sentence_zh: str
    seq: int = Field(description="The journal's sequence number that the answer is exact at.")


def router(
    read_database: AsyncEngine, calendar: TradingCalendar, projected: Projected, turns: ReportTurns | None = None
) -> APIRouter:
    """The route; the gateway that includes it checks the key."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])

    @routes.get(
        "/turnover/{year}/last_day",
        response_model=LastDay,
        summary="What the last trading day added: net turnover, pace and the chance to reach the target, before and after",
    )
    async def last_day(year: Year, at_least_seq: AtLeast = 0, seq: PastSeq = None) -> LastDay:
        if seq is not None:
            refuse_past(seq, at_least_seq)
        field, wanted_seq = ("at_least_seq", at_least_seq) if seq is None else ("seq", seq)
        await wait_until_projected(projected, field, wanted_seq)
        make = partial(_read, read_database, calendar, year, seq)
        if turns is None:
            return await make()
        address = f"/v1/reports/turnover/{year}/last_day" + ("" if seq is None else f"?seq={seq}")
        found: LastDay = await turns.take(address, make, wanted_seq)
        return found

    return routes


async def _read(read_database: AsyncEngine, calendar: TradingCalendar, year: int, seq: int | None) -> LastDay:
    async with read_database.connect() as connection:
        at_seq = recorded(await read_position(connection))["seq"] if seq is None else seq
        span = await _last_ended(connection, year, at_seq)
        if span is None:
            english, chinese = _NO_DAY
            return LastDay(
                year=year, calendar=calendar.source(year), day=None, sentence=english, sentence_zh=chinese, seq=at_seq
            )
        before = await _close(connection, calendar, year, span.day, span.began_seq)
        close = await _close(connection, calendar, year, span.next_day, span.closed_seq)
    net_fen = close.net_fen_of(span.day)
    moved_fen = close.net_fen - before.net_fen - net_fen
    day = AddedDay(date=span.day, net_fen=net_fen, moved_fen=moved_fen, before=_shown(before), close=_shown(close))
    told = (span.day, net_fen, moved_fen, before, close)
    return LastDay(
        year=year,
        calendar=calendar.source(year),
        day=day,
        sentence=said(*told),
        sentence_zh=said_zh(*told),
        seq=at_seq,
    )


class _Span(NamedTuple):
    day: int
    began_seq: int
    next_day: int
    closed_seq: int


async def _last_ended(connection: AsyncConnection, year: int, seq: int) -> _Span | None:
    """The year's last trading day that had ended after the command seq."""
    begun = select(trading_days).where(trading_days.c.first_seq <= seq)
    latest = begun.where(trading_days.c.trading_date <= dates_of(year)[1]).order_by(trading_days.c.first_seq.desc())
    later = begun.where(trading_days.c.trading_date > dates_of(year)[1]).order_by(trading_days.c.first_seq)
    following = (await connection.execute(later.limit(1))).all()
    found = [*following, *(await connection.execute(latest.limit(2))).all()]
    if len(found) < 2 or found[1].trading_date < dates_of(year)[0]:
        return None
    return _Span(found[1].trading_date, found[1].first_seq, found[0].trading_date, found[0].first_seq)


async def _close(connection: AsyncConnection, calendar: TradingCalendar, year: int, next_day: int, seq: int) -> Close:
    found = await read_year_at_beginning(connection, year, next_day, seq)
    standing = standing_of(year, found, calendar)
    return Close(seq, found.net_by_day, standing.progress, standing.reach_permille)


def _shown(close: Close) -> YearAtClose:
    return YearAtClose(
        seq=close.seq,
        net_fen=close.net_fen,
        target_fen=close.progress.target_fen,
        ahead_fen=close.progress.ahead_fen,
        reach=close.reach_permille,
    )
