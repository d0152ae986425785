"""Checks of targets and decisions against the read database, before they become commands.

The engine knows neither, so it cannot decline them. Within this gateway, one is checked and journaled before the next is
checked. Another gateway may decide meanwhile: then the newer target is in force, and a decision changes only the trades that it
still can (services/commands/attachments.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.ids import MAX_ID
from services.gateway.order_entry.history import Past
from services.gateway.problems import field_problem
from services.read_model.tables import trades
from services.read_model.targets import TargetKey, in_force, targets_of_year

_AT_ONCE = 1_000


class DecisionChecks:
    """Raises the problem of a target or a decision that the venue refuses."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def checked(self) -> AsyncIterator[AsyncConnection]:
        """A connection to a read database that has reached the gateway's state. Until the block ends, no other is checked."""
        async with self._one_at_a_time, self._past.connection() as connection:
            yield connection

    async def target(self, connection: AsyncConnection, key: TargetKey, replaces: int | None) -> None:
        """A 409 problem unless `replaces` is the seq of the target in force, or None where there is none."""
        found = in_force(await targets_of_year(connection, key.year)).get(key)
        if found is None and replaces is not None:
            message = "no target of this scope, metric, year and month is in force"
            raise field_problem("target_in_force", "replaces", message, status=409)
        if found is not None and replaces != found["seq"]:
            message = (
                f"the target {found['name']!r} of seq {found['seq']} is in force for this scope, metric, year and month: "
                f"a new one must say that it replaces {found['seq']}"
            )
            raise field_problem("target_in_force", "replaces", message, status=409)

    async def trades(self, connection: AsyncConnection, decision: str, texts: Sequence[str]) -> tuple[int, ...]:
        """The ids of trades that this decision changes. Raises a 422 or 409 problem that names the first that it does not."""
        trade_ids = _trade_ids(texts)
        found = await _trades(connection, trade_ids)
        for place, trade_id in enumerate(trade_ids):
            trade = found.get(trade_id)
            if trade is None:
                raise field_problem("unknown_trade", _field(place), f"no trade has the id {trade_id}")
            _check(decision, trade, place)
        return trade_ids


def _field(place: int) -> str:
    return f"trade_ids.{place}"


def _trade_ids(texts: Sequence[str]) -> tuple[int, ...]:
    places: dict[int, int] = {}
    for place, text in enumerate(texts):
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= MAX_ID):
            raise field_problem("unknown_trade", _field(place), f"no trade has the id {text[:40]!r}")
        if places.setdefault(int(text), place) != place:
            raise field_problem("validation_failed", _field(place), f"names the trade {text} a second time")
    return tuple(places)


async def _trades(connection: AsyncConnection, trade_ids: Sequence[int]) -> dict[int, Mapping[Any, Any]]:
    found: dict[int, Mapping[Any, Any]] = {}
    columns = trades.c.trade_id, trades.c.busted_seq, trades.c.excluded_seq
    for start in range(0, len(trade_ids), _AT_ONCE):
        query = select(*columns).where(trades.c.trade_id.in_(trade_ids[start : start + _AT_ONCE]))
        found |= {row["trade_id"]: row for row in (await connection.execute(query)).mappings()}
    return found


def _check(decision: str, trade: Mapping[Any, Any], place: int) -> None:
    trade_id, busted_seq, excluded_seq = trade["trade_id"], trade["busted_seq"], trade["excluded_seq"]
    if busted_seq is not None:
        message = f"the trade {trade_id} was busted by command {busted_seq}: it does not count anyway"
        raise field_problem("trade_busted", _field(place), message, status=409)
    if decision == "exclude" and excluded_seq is not None:
        message = f"the trade {trade_id} is excluded already, by decision {excluded_seq}"
        raise field_problem("already_decided", _field(place), message, status=409)
    if decision == "include" and excluded_seq is None:
        raise field_problem("already_decided", _field(place), f"the trade {trade_id} counts already", status=409)
