"""Routes about what operators decided: the targets of a year, and the decisions that trades do not count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.commands.attachments import Metric, TradesDecision
from services.read_model.tables import api_keys, decided_trades, decisions, total, trades
from services.read_model.targets import amount_text, in_force, targets_of_year
from services.reporting.drill import links
from services.reporting.in_time import connect_in_time
from services.reporting.requests import Projected, Seq, Year, waiting_routes
from services.values.cursors import Cursors
from services.values.decimals import yuan_text
from services.values.page_parameters import Cursor, Limit
from services.values.times import time_text

MAX_DECISIONS = 50
"""The most decisions of one answer: each has up to 10,000 trades."""


class Deciders(NamedTuple):
    """Those who set targets and decide about trades."""

    name_of: Callable[[int], str | None]
    """The name of the user with this id, also of one who was removed; None: it is the id of a key."""
    are_shown_to: Callable[[Request], bool]
    """Whether who sends the request may see them: a member may not."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True)

    seq: int
    time: str
    key_id: str | None = Field(
        description="The operator's key, or the user who was logged in. null for who lacks the scopes `operate` and `audit`."
    )


class TargetEntry(_Entry):
    """A target as it was set."""

    scope: str = Field(description="`venue`, `category:NAME` or `product:SYMBOL`.")
    metric: Metric
    year: int
    month: int = Field(description="0: the whole year.")
    amount: str = Field(description="Yuan, exact to the fen; of `tonnes` tonnes, exact to the kilogram.")
    pro_rata: bool = Field(
        description="Whether a year in which the venue opened later owes the share of its trading days."
    )
    name: str = Field(description="What the target is called.")
    why: str
    set_by: str | None = Field(
        description="The name of the user or key; null where `key_id` is, and of the target that the venue began with."
    )
    replaces: int | None = Field(description="The `seq` of the target that was in force until then.")
    in_force: bool = Field(description="Whether it is the newest of its scope, metric, year and month.")


class TargetsPage(BaseModel):
    """A page of the targets of a year and its months, oldest first."""

    targets: list[TargetEntry]
    next_cursor: str | None


class DecisionEntry(_Entry):
    """A decision about trades."""

    decision: TradesDecision
    finding: str
    reason: str | None = Field(description="null where `key_id` is.")
    name: str | None = Field(description="The person who decided; null where `key_id` is.")
    trade_ids: tuple[str, ...] = Field(description="The trades that it names, of any year.")
    amount: str = Field(description="What they are worth, in yuan, of the year that was asked for.")
    trades_excluded_by_it: int = Field(
        description="How many of all trades do not count today because of this decision."
    )
    links: dict[str, str] = Field(
        description="`trades` that it names, `journal`: addresses of this host, for operators."
    )


_CURSORS = Cursors("targets")


def router(read_database: AsyncEngine, projected: Projected, deciders: Deciders) -> APIRouter:
    """The routes below /v1/reports. Members read them without who decided, and why."""
    routes = waiting_routes(projected)

    @routes.get(
        "/targets/{year}",
        response_model=TargetsPage,
        summary="The targets of a year and its months, oldest first",
    )
    async def targets(request: Request, year: Year, limit: Limit = 100, cursor: Cursor = None) -> TargetsPage:
        async with connect_in_time(read_database) as connection:
            of_year = {row["seq"]: row for row in await targets_of_year(connection, year)}
            seqs, following = _CURSORS.page(of_year, limit, cursor)
            rows = [of_year[seq] for seq in seqs]
            keys = await _names_of_keys(connection, {row["actor"] for row in rows})
        newest = {row["seq"] for row in in_force(of_year.values()).values()}
        names = {row["actor"]: deciders.name_of(row["actor"]) or keys.get(row["actor"]) for row in rows}
        is_shown = deciders.are_shown_to(request)
        page = [
            _target(row, row["seq"] in newest, _of_decider(row, is_shown, set_by=names[row["actor"]])) for row in rows
        ]
        return TargetsPage(targets=page, next_cursor=following)

    @routes.get(
        "/decisions",
        response_model=list[DecisionEntry],
        summary="The decisions about trades of a year, newest first",
    )
    async def decided(
        request: Request,
        year: Annotated[int, Query(ge=2000, le=2099, description="Of the trading days of the trades.")],
        limit: Annotated[int, Query(ge=1, le=MAX_DECISIONS)] = MAX_DECISIONS,
        before_seq: Annotated[Seq, Query(description="Only decisions before this sequence number.")] = 2**63 - 1,
    ) -> list[DecisionEntry]:
        is_shown = deciders.are_shown_to(request)
        async with connect_in_time(read_database) as connection:
            return [
                await _decision(
                    connection, row, year, _of_decider(row, is_shown, name=row["name"], reason=row["reason"])
                )
                for row in await _decisions(connection, year, limit, before_seq)
            ]

    return routes


async def _names_of_keys(connection: AsyncConnection, ids: set[int]) -> dict[int, str]:
    key = api_keys.c
    found = await connection.execute(select(key.key_id, key.name).where(key.key_id.in_(ids)))
    return {row.key_id: row.name for row in found}


def _of_decider(row: Any, is_shown: bool, **told: str | None) -> dict[str, Any]:
    """The fields that tell who decided, all null where that is not shown."""
    fields = {"key_id": str(row["actor"]), **told}
    return fields if is_shown else dict.fromkeys(fields)


def _target(row: Any, is_in_force: bool, of_decider: dict[str, Any]) -> TargetEntry:
    return TargetEntry(
        seq=row["seq"],
        time=time_text(row["time_ns"]),
        **of_decider,
        **{name: row[name] for name in ("scope", "metric", "year", "month", "name", "why")},
        amount=amount_text(row["metric"], row["amount"]),
        pro_rata=bool(row["pro_rata"]),
        replaces=row["replaces"] or None,
        in_force=is_in_force,
    )


async def _decisions(connection: AsyncConnection, year: int, limit: int, before_seq: int) -> Sequence[Any]:
    of_year = (
        select(decided_trades.c.seq)
        .join(trades, trades.c.trade_id == decided_trades.c.trade_id)
        .where(
            decided_trades.c.seq == decisions.c.seq, trades.c.trading_date.between(year * 10_000, year * 10_000 + 9_999)
        )
    )
    query = select(decisions).where(decisions.c.seq < before_seq, exists(of_year))
    return (await connection.execute(query.order_by(decisions.c.seq.desc()).limit(limit))).mappings().all()


async def _decision(connection: AsyncConnection, row: Any, year: int, of_decider: dict[str, Any]) -> DecisionEntry:
    named = select(decided_trades.c.trade_id).where(decided_trades.c.seq == row["seq"])
    of_year = trades.c.trading_date.between(year * 10_000, year * 10_000 + 9_999)
    worth = select(total(trades.c.amount_fen)).where(trades.c.trade_id.in_(named), of_year)
    excluded = select(func.count()).where(trades.c.excluded_seq == row["seq"])
    trade_ids = await connection.scalars(named.order_by(decided_trades.c.trade_id))
    return DecisionEntry(
        seq=row["seq"],
        time=time_text(row["time_ns"]),
        decision=row["decision"],
        finding=row["finding"],
        **of_decider,
        trade_ids=tuple(map(str, trade_ids)),
        amount=yuan_text(await connection.scalar(worth) or 0),
        trades_excluded_by_it=await connection.scalar(excluded) or 0,
        links={"trades": links.trades(decision=row["seq"]), "journal": links.journal(row["seq"])},
    )
