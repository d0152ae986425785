"""The monitor: looks at the venue on a schedule, compares what holds with the open alerts, and submits what to raise and clear.
Days that have ended it closes, with the hash of their bulletin; proofs that agreed it records.

One runs in a venue, beside the sequencer that leads. It never stops the venue: what it cannot look at becomes a warning.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine.records import Command, Phase
from services.alerts import operation, pace, trading
from services.alerts.conditions import Condition, OpenAlerts, changes
from services.alerts.operation import Operation, Quiet, ReaderLag, operation_conditions
from services.alerts.reading import DecidingFacts, Judged, read_facts
from services.commands import administrative
from services.commands.attachments import AlertKind, AlertRaised, ProofAgreed
from services.data.calendar import TradingCalendar
from services.messaging import InboxFull, Submission
from services.processes.child_process import NoAnswer
from services.read_model.errors import ReadDatabaseFailed, ReadDatabaseRefused
from services.read_model.tables import position
from services.reporting.day_sums import TradeSums
from services.reporting.proven import ProofAge, Proven
from services.sequencer.schedule import missing_calendar
from services.venue_state.alerts import VenueAlerts

FIRST_AFTER_S = 60.0
"""A start is no time for more work, and its clock and read database have been compared already."""

READ_TIMEOUT_S = 30.0
DAYS_TIMEOUT_S = 600.0
"""How long a look may take; the second, one at the completed days of a year."""

JUDGE_AGAIN_NS = 600 * 10**9
"""After a look at the completed days that failed, the next one waits so long: it costs more than the others."""

_EXPECTED = (NoAnswer, ReadDatabaseFailed, ReadDatabaseRefused, SQLAlchemyError, InboxFull, OSError, TimeoutError)
"""Every other error is a bug."""

PUT_AGAIN_NS = 600 * 10**9
"""What the journal has not taken for so long is submitted again: it may be lost."""

log = structlog.get_logger("rex.alerts")


class Followed(Protocol):
    """The open alerts, kept current from the journal by their owner: the gateway's state, or `following.FollowedAlerts`."""

    @property
    def alerts(self) -> VenueAlerts:
        """The open alerts."""

    @property
    def last_seq(self) -> int:
        """The last command that they include."""


class WatchedEngine(Protocol):
    """What the alerts read of the venue's engine."""

    @property
    def last_seq(self) -> int:
        """The last command."""

    @property
    def venue_phase(self) -> int:
        """The phase that the schedule set last."""


class Proofs(Protocol):
    """The venue's proofs of the figure, as the monitor sees them."""

    @property
    def latest(self) -> Mapping[int, Proven]:
        """The latest one of each year."""

    @property
    def unrecorded(self) -> deque[Proven]:
        """Those that agreed and that the journal has not got, oldest first; the monitor takes out what it submits."""

    @property
    def age(self) -> ProofAge | None:
        """The age of the last one that agreed; None where none is due."""


@dataclass(frozen=True)
class Watched:
    """The venue as the monitor sees it."""

    followed: Followed
    market: WatchedEngine
    read_database: AsyncEngine
    judge: Callable[[OpenAlerts], Awaitable[Judged | None]]
    """Judges the completed days of the same read database (judging.py)."""
    calendar: TradingCalendar
    proofs: Proofs
    """They outlive the monitor."""
    put: Callable[[Submission], Awaitable[None]]
    """Puts a submission into the inbox."""
    clock: Callable[[], int]
    """Nanoseconds since 1970."""


class AlertMonitor:
    """The monitor of one venue."""

    def __init__(self, watched: Watched, *, every_s: float, quiet_s: int) -> None:
        """`every_s`: seconds between two looks; 0: none, no day is closed and no proof recorded. `quiet_s`: how long continuous
        trading may have no command; 0: any time."""
        self._watched = watched
        self._every_s = every_s
        self._quiet_s = quiet_s
        self._lag = ReaderLag()
        self._quiet = Quiet()
        self._projected_seq = 0
        self._facts: DecidingFacts | None = None
        self._judged: DecidingFacts | None = None
        self._judge_again_ns = 0
        self._troubles: dict[str, str] = {}
        self._sums = TradeSums()
        self._discrepancies: list[str] = []
        """What the last comparison of the sums of days with the trades found, a sentence each."""
        self._put_ns: dict[tuple[AlertKind, ...], dict[str | int, int]] = {}
        """When the changes were submitted that the journal has not brought back: by key where raised, else by number."""

    async def run(self) -> None:
        """Looks again and again until it is canceled."""
        wait_s = min(FIRST_AFTER_S, self._every_s)
        while self._every_s:
            await asyncio.sleep(wait_s)
            wait_s = self._every_s
            await self.look()

    def warnings(self) -> list[str]:
        """What could not be looked at the last time, a sentence each. Health is public: the log has the reason. Then what
        disagrees in the read database."""
        troubles = [f"{what} could not be looked at for alerts: {why}." for what, why in self._troubles.items()]
        return [*troubles, *self._discrepancies]

    async def look(self) -> None:
        """Looks once. What has changed is in the inbox afterwards."""
        await self._attempt("The read database", self._read_database(), READ_TIMEOUT_S)
        await self._attempt("The sums of days", self._compare_sums(), DAYS_TIMEOUT_S)
        await self._attempt("The venue's operation", self._look_at_operation(), READ_TIMEOUT_S)
        await self._attempt("The proofs", self._record_proofs(), READ_TIMEOUT_S)
        now_ns = self._watched.clock()
        if self._facts != self._judged and now_ns >= self._judge_again_ns:
            self._judge_again_ns = now_ns + JUDGE_AGAIN_NS
            await self._attempt("The completed days", self._look_at_days(), DAYS_TIMEOUT_S)

    async def _attempt(self, what: str, part: Awaitable[None], timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await part
        except Exception as error:
            self._troubles[what] = type(error).__name__
            bug = None if isinstance(error, _EXPECTED) else error
            log.warning("the alerts could not be looked at", what=what, reason=str(error), exc_info=bug)
        else:
            self._troubles.pop(what, None)

    async def _read_database(self) -> None:
        async with self._watched.read_database.connect() as connection:
            self._projected_seq = await connection.scalar(select(position.c.seq)) or 0
            self._facts = await read_facts(connection)

    async def _compare_sums(self) -> None:
        """Of the year of the current trading day. A proof compares them with the journal, too, but not at every look."""
        if self._facts is not None:
            year = self._facts.trading_date // 10_000
            async with self._watched.read_database.connect() as connection:
                differing = await self._sums.differing_days(connection, year)
            said = f"The sums of days of {year} in the read database are not those of its trades"
            self._discrepancies = [f"{said}: the report of that year says more."] if differing else []

    async def _look_at_operation(self) -> None:
        """Works without the read database too: its position is then that of the last look."""
        watched, now_ns = self._watched, self._watched.clock()
        followed = watched.followed
        in_session = watched.market.venue_phase == Phase.CONTINUOUS
        # What the monitor itself submits is no sign of life.
        commands = followed.last_seq - followed.alerts.commands
        lag_ns = self._lag.look(now_ns, followed.last_seq, self._projected_seq)
        quiet_ns = self._quiet.look(now_ns, commands, in_session=in_session)
        seen = Operation(
            lag_ns=lag_ns,
            lag_is_known=self._lag.is_known,
            quiet_ns=quiet_ns,
            quiet_is_known=self._quiet.is_known,
            quiet_s=self._quiet_s,
            proofs=watched.proofs.latest,
            proof_age=watched.proofs.age,
            calendar_year=missing_calendar(watched.calendar, now_ns),
        )
        await self._submit(operation_conditions(seen, followed.alerts.open), operation.KINDS)

    async def _record_proofs(self) -> None:
        """A report of the year names the last one. One that the inbox does not take waits for the next look."""
        unrecorded = self._watched.proofs.unrecorded
        while unrecorded:
            agreed = ProofAgreed(year=unrecorded[0].year, proven_seq=unrecorded[0].seq)
            await self._watched.put(administrative.recorded(Command(), [agreed]))
            unrecorded.popleft()

    async def _look_at_days(self) -> None:
        watched, facts = self._watched, self._facts
        judged = await watched.judge(watched.followed.alerts.open)
        if judged is not None:
            facts = judged.facts
            await self._submit(judged.holding, (*pace.KINDS, *trading.KINDS))
            if judged.closings:
                await watched.put(administrative.recorded(Command(), judged.closings))
        self._judged, self._judge_again_ns = facts, 0

    async def _submit(self, holding: Iterable[Condition], looked_at: tuple[AlertKind, ...]) -> None:
        found, now_ns = changes(self._watched.followed.alerts.open, holding, looked_at), self._watched.clock()
        names = [change.key if isinstance(change, AlertRaised) else change.alert for change in found]
        waiting = self._put_ns.get(looked_at, {})
        put_ns = {name: at for name, at in waiting.items() if name in names and now_ns - at < PUT_AGAIN_NS}
        self._put_ns[looked_at] = put_ns
        due = [change for name, change in zip(names, found, strict=True) if name not in put_ns]
        if due:
            await self._watched.put(administrative.recorded(Command(), due))
            put_ns.update(dict.fromkeys(names, now_ns) | put_ns)
