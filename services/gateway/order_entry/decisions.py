"""Decisions of operators about what the engine does not know: targets, trades that do not count, opening bans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import Event
from services.commands.administrative import kill_switch, record_and_switch
from services.commands.attachments import MeasureImposed, MeasureLifted
from services.gateway.ids import MAX_ID
from services.gateway.order_entry.history import Past
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, field_problem
from services.read_model.records import read_records
from services.read_model.tables import trades
from services.read_model.targets import TargetKey, in_force, targets_of_year
from services.surveillance.measures import MEASURE_TYPES, bans_in_force, freed_by_lifting, measures
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

_AT_ONCE = 1_000


class DecisionChecks:
    """Checks against the read database, before a target or a decision becomes a command: raises the problem of a refusal.

    The engine knows neither, so it cannot decline them. Within this gateway, one is checked and journaled before the next
    is checked. Another gateway may decide meanwhile: then the newer target is in force, and a decision changes only the
    trades that it still can (services/commands/attachments.py).
    """

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


class Bans:
    """Imposes and lifts measures, and turns kill switches of accounts off.

    A ban is a record in the journal and, in the same row, a kill switch on each of its accounts. The engine knows only the
    switches, so the gateway sees to it that both say the same:

    * A ban records which switches it turned on. Lifting it turns off only those, and only where no other ban in force holds
      them: a switch that an operator had turned on before stays on.
    * The switch of an account under a ban is not turned off by itself.
    * Imposing waits for nothing and reads nothing but the gateway's state. So a ban, also one of another gateway, may be
      journaled between the reading and the command that turns a switch off. That command is therefore followed by a second
      reading, and by a command that turns the switch on again where a ban holds it.

    What remains: between these two commands the account can place orders, for as long as the projector takes, and until
    somebody acts if the gateway ends or loses the read database in between. Two gateways that each lift one of two bans at
    once, and a ban that is imposed while the switch changes, may leave a switch on that no ban holds: an operator turns it
    off.
    """

    def __init__(self, state: VenueState, order_entry: OrderEntry, checks: DecisionChecks) -> None:
        self._state = state
        self._order_entry = order_entry
        self._checks = checks

    async def impose(self, key: ApiKey, measure: MeasureImposed) -> Event:
        """Records the measure; an opening ban turns its accounts' switches on. It does not need the read database."""
        banned = measure.accounts if measure.measure == "opening_ban" else ()
        switched = tuple(account for account in banned if not self._state.accounts[account].kill_switch)
        imposed = measure.model_copy(update={"switched": switched})
        return await self._order_entry.execute(key, record_and_switch, imposed, banned, on=True)

    async def lift(self, key: ApiKey, lifted: MeasureLifted) -> Event:
        """Ends a measure. Raises a 404 problem where there is none, and a 409 problem where it was ended before."""
        seq = lifted.imposed_seq
        async with self._checks.checked() as connection:
            found = measures(await read_records(connection, MEASURE_TYPES))
            measure = found.get(seq)
            if measure is None:
                raise ProblemError(404, "not_found", f"No measure has the number {seq}.")
            if measure.lifted is not None and not self._order_entry.is_repeat():
                ended = f"The measure {seq} was ended by command {measure.lifted.seq}."
                raise ProblemError(409, "already_decided", ended)
            freed = freed_by_lifting(found, seq)
            event = await self._order_entry.execute(key, record_and_switch, lifted, freed, on=False)
        await self._hold(key, freed)
        return event

    async def switch_off(self, key: ApiKey, account: int) -> Event:
        """Turns an account's switch off. Raises a 409 problem that names the ban which holds it."""
        async with self._checks.checked() as connection:
            ban = bans_in_force(measures(await read_records(connection, MEASURE_TYPES))).get(account)
            if ban is not None and not self._order_entry.is_repeat():
                held = f"The account {account} is under an opening ban, measure {ban}: lift that measure."
                raise ProblemError(409, "already_decided", held)
            event = await self._switch(key, account, on=False)
        await self._hold(key, [account])
        return event

    async def _hold(self, key: ApiKey, accounts: Sequence[int]) -> None:
        """Turns the switches of these accounts on again where a ban that was imposed meanwhile holds them."""
        if not accounts:
            return
        async with self._checks.checked() as connection:
            held = bans_in_force(measures(await read_records(connection, MEASURE_TYPES)))
            for account in accounts:
                if account in held and not self._state.accounts[account].kill_switch:
                    await self._switch(key, account, on=True)

    async def _switch(self, key: ApiKey, account: int, *, on: bool) -> Event:
        return await self._order_entry.execute(key, kill_switch, account, on=on)
