"""Routes of operators under /v1/reports: abnormal trading with the measures the ladder provides, and what was declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncEngine

from services.commands.attachments import Measure
from services.read_model.names import read_member_names, read_symbols
from services.read_model.records import read_records
from services.reporting.queries import read_position
from services.reporting.requests import Projected, Year, recorded, waiting_routes
from services.reporting.turns import ReportTurns
from services.surveillance.abnormal_trading import LIMITS, Behaviour, Step, breaches, ladder
from services.surveillance.measures import (
    CONTROL_TYPES,
    MEASURE_TYPES,
    ControlGroup,
    Ending,
    Imposed,
    control_groups,
    measures,
)
from services.surveillance.reading import read_control, read_day_counts
from services.values.cursors import Cursors
from services.values.page_parameters import Cursor, Limit
from services.values.times import date_text, time_text


class Ended(BaseModel):
    """Who ended it, and why."""

    seq: int
    time: str
    reason: str
    name: str


class BreachEntry(BaseModel):
    """A count that reached its limit, of one member or of a declared control group together."""

    symbol: str
    behaviour: Behaviour
    count: int
    limit: int


class StepEntry(BaseModel):
    """A day on which members traded abnormally, and the measure that the ladder provides for it."""

    trading_date: str
    members: tuple[str, ...]
    provided: Measure = Field(
        description="`warning` the first time in the year, then `watch_list`, then `opening_ban`. Nothing imposes it but an "
        "operator."
    )
    breaches: tuple[BreachEntry, ...]
    imposed: tuple[str, ...] = Field(description="The numbers of the measures that answer it: `measures` below.")


class MeasureEntry(BaseModel):
    """A measure that an operator imposed."""

    measure_id: str = Field(description="The seq of the command that imposed it.")
    time: str
    key_id: str = Field(description="The key that the operator used.")
    accounts: tuple[int, ...]
    measure: Measure
    trading_date: str
    reason: str
    name: str
    lifted: Ended | None


class AbnormalTrading(BaseModel):
    """A year's abnormal trading."""

    year: int
    steps: tuple[StepEntry, ...]
    measures: tuple[MeasureEntry, ...] = Field(description="Those for a trading day of the year, oldest first.")
    seq: int


class ControlGroupEntry(BaseModel):
    """Accounts that were declared to be under one control."""

    control_group: str = Field(description="The seq of the command that declared it.")
    time: str
    key_id: str
    accounts: tuple[int, ...]
    reason: str
    name: str
    ended: Ended | None


class ControlGroupsPage(BaseModel):
    """A page of declared control groups, oldest first."""

    control_groups: list[ControlGroupEntry]
    next_cursor: str | None


_CURSORS = Cursors("control groups")


def router(read_database: AsyncEngine, projected: Projected, turns: ReportTurns | None = None) -> APIRouter:
    """The routes; the gateway that includes them checks the key."""
    routes = waiting_routes(projected, turns)

    @routes.get(
        "/abnormal_trading/{year}",
        response_model=AbnormalTrading,
        summary="A year's abnormal trading, the ladder of measures, and those that were imposed",
    )
    async def abnormal_trading(year: Year) -> AbnormalTrading:
        first, last = year * 10_000, year * 10_000 + 9_999
        async with read_database.connect() as connection:
            position = recorded(await read_position(connection))
            names = await read_member_names(connection)
            symbols = await read_symbols(connection)
            counts = await read_day_counts(connection, first, last)
            control, member_of = await read_control(connection)
            found = measures(await read_records(connection, MEASURE_TYPES))
        of_year = [one for one in found.values() if first <= one.text.trading_date <= last]
        answered = _answered(of_year, member_of)
        return AbnormalTrading(
            year=year,
            steps=tuple(_step(step, names, symbols, answered) for step in ladder(breaches(counts, control))),
            measures=tuple(map(_measure, of_year)),
            seq=position["seq"],
        )

    @routes.get(
        "/control_groups",
        response_model=ControlGroupsPage,
        summary="The declared control groups, oldest first",
    )
    async def declared(limit: Limit = 100, cursor: Cursor = None) -> ControlGroupsPage:
        async with read_database.connect() as connection:
            groups = control_groups(await read_records(connection, CONTROL_TYPES))
        seqs, following = _CURSORS.page(groups, limit, cursor)
        return ControlGroupsPage(control_groups=[_group(groups[seq]) for seq in seqs], next_cursor=following)

    return routes


def _answered(found: Sequence[Imposed], member_of: Mapping[int, int]) -> dict[tuple[int, int], list[str]]:
    """The numbers of the measures by the trading day that they answer and the member that they are on."""
    answered: dict[tuple[int, int], list[str]] = {}
    for one in found:
        for member in {member_of[account] for account in one.text.accounts}:
            answered.setdefault((one.text.trading_date, member), []).append(str(one.imposed.seq))
    return answered


def _step(
    step: Step, names: Mapping[int, str], symbols: Mapping[int, str], answered: Mapping[tuple[int, int], list[str]]
) -> StepEntry:
    numbers = {number for member in step.members for number in answered.get((step.trading_date, member), ())}
    return StepEntry(
        trading_date=date_text(step.trading_date),
        members=tuple(names[member] for member in step.members),
        provided=step.measure.value,
        breaches=tuple(
            BreachEntry(
                symbol=symbols[one.instrument], behaviour=one.behaviour, count=one.count, limit=LIMITS[one.behaviour]
            )
            for one in step.breaches
        ),
        imposed=tuple(sorted(numbers, key=int)),
    )


def _measure(one: Imposed) -> MeasureEntry:
    text = one.text
    return MeasureEntry(
        measure_id=str(one.imposed.seq),
        **_by(one.imposed),
        accounts=text.accounts,
        measure=text.measure,
        trading_date=date_text(text.trading_date),
        reason=text.reason,
        name=text.name,
        lifted=_ended(one.lifted),
    )


def _group(one: ControlGroup) -> ControlGroupEntry:
    return ControlGroupEntry(
        control_group=str(one.declared.seq),
        **_by(one.declared),
        accounts=one.text.accounts,
        reason=one.text.reason,
        name=one.text.name,
        ended=_ended(one.ended),
    )


def _by(record: Any) -> dict[str, str]:
    return {"time": time_text(record.time_ns), "key_id": str(record.actor)}


def _ended(end: Ending | None) -> Ended | None:
    return None if end is None else Ended(seq=end.seq, time=time_text(end.time_ns), reason=end.reason, name=end.name)
