"""The monitor: looks at the venue on a schedule, compares what holds with the open alerts, and submits what to raise and clear.

One runs in a venue, beside the sequencer that leads. It never stops the venue: what it cannot look at becomes a warning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine.records import Command, Phase
from services.alerts import operation, pace, trading
from services.alerts.conditions import Condition, changes
from services.alerts.operation import Lag, Operation, Quiet, operation_conditions
from services.alerts.reading import Facts, conditions_of_days, read_completed_days, read_facts
from services.commands import administrative
from services.commands.attachments import AlertKind
from services.data.calendar import TradingCalendar
from services.messaging import Submission
from services.read_database.tables import position
from services.reporting.proof_route import Proven
from services.sequencer.schedule import missing_calendar
from services.venue_state.alerts import VenueAlerts

FIRST_AFTER_S = 60.0
"""A start is no time for more work, and its clock and read database have been compared already."""

READ_TIMEOUT_S = 30.0
DAYS_TIMEOUT_S = 600.0
"""How long a look may take; the second, one at the completed days of a year."""

log = structlog.get_logger("rex.alerts")


class Followed(Protocol):
    """The open alerts, kept current from the journal by their owner: the gateway's state, or `following.FollowedAlerts`."""

    @property
    def alerts(self) -> VenueAlerts:
        """The open alerts."""

    @property
    def last_seq(self) -> int:
        """The last command that they include."""


class Market(Protocol):
    """What the monitor reads of the venue's engine."""

    @property
    def venue_phase(self) -> int:
        """The phase that the schedule set last."""


@dataclass(frozen=True)
class Watched:
    """The venue as the monitor sees it."""

    followed: Followed
    market: Market
    read_database: AsyncEngine
    calendar: TradingCalendar
    proofs: Callable[[], Mapping[int, Proven]]
    """The latest proof of each year."""
    put: Callable[[Submission], Awaitable[None]]
    """Puts a submission into the inbox."""
    clock: Callable[[], int]
    """Nanoseconds since 1970."""


class AlertMonitor:
    """The monitor of one venue."""

    def __init__(self, watched: Watched, *, every_s: float, quiet_s: int) -> None:
        """`every_s`: seconds between two looks; 0: none. `quiet_s`: how long continuous trading may have no command; 0: any
        time."""
        self._watched = watched
        self._every_s = every_s
        self._quiet_s = quiet_s
        self._lag = Lag()
        self._quiet = Quiet()
        self._projected_seq = 0
        self._facts: Facts | None = None
        self._trouble: str | None = None

    async def run(self) -> None:
        """Looks again and again until it is canceled."""
        wait_s = max(FIRST_AFTER_S, self._every_s)
        while self._every_s:
            await asyncio.sleep(wait_s)
            wait_s = self._every_s
            await self.look()

    def warnings(self) -> list[str]:
        """Why the last look was not complete, as a sentence; empty if it was."""
        return [] if self._trouble is None else [f"The alerts could not be looked at: {self._trouble}."]

    async def look(self) -> None:
        """Looks once. What has changed is in the inbox afterwards."""
        self._trouble = None
        await self._attempt(self._read_position())
        await self._attempt(self._look_at_operation())
        await self._attempt(self._look_at_days(), DAYS_TIMEOUT_S)

    async def _attempt(self, part: Awaitable[None], timeout_s: float = READ_TIMEOUT_S) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await part
        except Exception as error:
            self._trouble = str(error) or type(error).__name__
            log.warning("the alerts could not be looked at", exc_info=error)

    async def _read_position(self) -> None:
        async with self._watched.read_database.connect() as connection:
            self._projected_seq = await connection.scalar(select(position.c.seq)) or 0

    async def _look_at_operation(self) -> None:
        """Works without the read database too: its position is then that of the last look."""
        watched, now_ns = self._watched, self._watched.clock()
        followed = watched.followed
        in_session = watched.market.venue_phase == Phase.CONTINUOUS
        # What the monitor itself submits is no sign of life.
        commands = followed.last_seq - followed.alerts.commands
        seen = Operation(
            lag_ns=self._lag.look(now_ns, followed.last_seq, self._projected_seq),
            quiet_ns=self._quiet.look(now_ns, commands, in_session=in_session),
            quiet_s=self._quiet_s,
            proofs=watched.proofs(),
            calendar_year=missing_calendar(watched.calendar, now_ns),
        )
        await self._submit(operation_conditions(seen, followed.alerts.open), operation.KINDS)

    async def _look_at_days(self) -> None:
        watched = self._watched
        async with watched.read_database.connect() as connection:
            facts = await read_facts(connection)
            if facts is None or facts == self._facts:
                return
            found = await read_completed_days(connection, watched.calendar, facts.trading_date)
        if found is not None:
            holding = await conditions_of_days(found, watched.calendar, watched.followed.alerts.open)
            await self._submit(holding, (*pace.KINDS, *trading.KINDS))
        self._facts = facts

    async def _submit(self, holding: Iterable[Condition], looked_at: Collection[AlertKind]) -> None:
        found = changes(self._watched.followed.alerts.open, holding, looked_at)
        if found:
            await self._watched.put(administrative.alerts(Command(), found))
