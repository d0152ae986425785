"""Opening bans and the kill switches that they hold.

A ban is a record in the journal and, in the same row, a kill switch on each of its accounts. The engine knows only the
switches, so the gateway sees to it that both say the same:

* A ban records which switches it turned on. Lifting it turns off only those, and only where no other ban in force holds them: a
  switch that an operator had turned on before stays on.
* The switch of an account under a ban is not turned off by itself.
* Imposing waits for nothing and reads nothing but the gateway's state. So a ban, also one of another gateway, may be journaled
  between the reading and the command that turns a switch off. That command is therefore followed by a second reading, and by
  a command that turns the switch on again where a ban holds it.

What remains: between these two commands the account can place orders, for as long as the projector takes, and until somebody
acts if the gateway ends or loses the read database in between. Two gateways that each lift one of two bans at once, and a ban
that is imposed while the switch changes, may leave a switch on that no ban holds: an operator turns it off.
"""

from __future__ import annotations

from collections.abc import Sequence

from matching_engine.records import Event
from services.commands.administrative import kill_switch, record_and_switch
from services.commands.attachments import MeasureImposed, MeasureLifted
from services.gateway.order_entry.decisions import DecisionChecks
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError
from services.read_model.records import read_records
from services.surveillance.measures import MEASURE_TYPES, bans_in_force, freed_by_lifting, measures
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState


class Bans:
    """Imposes and lifts measures, and turns kill switches of accounts off."""

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
            if measure.lifted is not None:
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
            if ban is not None:
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
