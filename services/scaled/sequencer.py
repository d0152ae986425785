"""`rex sequencer`: a hot standby that follows the journal, and leads the venue once it has claimed it.

journal ─► standby's engine ─► claim ─► sequencer ─► journal ─► links of the gateways, stream of Redis
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal

import structlog

from matching_engine import Engine
from services.commands.readable import check_readable
from services.data.calendar import TradingCalendar
from services.gateway.http.metrics import Facts
from services.gateway.server.server import listen
from services.journal.postgres.journal import PostgresJournal
from services.messaging import Feed, Inbox
from services.messaging.in_process import InProcessFeed
from services.messaging.link.server import LinkServer, inbox_of_links, serve_links
from services.messaging.redis_stream import RedisAway, StreamPublisher, check_redis
from services.scaled.alerts import LeaderAlerts
from services.scaled.health import health_app, lag_facts
from services.scaled.link_port import bound_links
from services.scaled.serving import serving
from services.sequencer.clock import GuardedClock, clock_apart, steady_ns, time_ahead
from services.sequencer.recovery import Recovery, recovered
from services.sequencer.repeats import REMEMBERED_COMMANDS, OnceInbox
from services.sequencer.schedule import calendar_missing, date_ahead
from services.sequencer.sequencer import Sequencer
from services.sequencer.skips import Skips
from services.sequencer.standby import Standby
from services.sequencer.start import check_clock, make_sequencer
from services.snapshots.postgres import PostgresStore
from services.venue.parts import OnFault, Parts, cancel
from services.venue.settings import Settings, SettingsRefused, require
from services.venue.standing_proof import StandingProof
from services.venue.standing_snapshots import Policy, StandingSnapshots

_EVERY_ADDRESS = ("0.0.0.0", "::")
"""Hosts to listen on, which are no addresses to connect to."""


STOP_S = 5.0
"""How long the last batches may take to be journaled: PostgreSQL may be away."""

log = structlog.get_logger("rex.sequencer")


class SequencerProcess:
    """A standby that becomes the leader. `run` is its life."""

    def __init__(
        self,
        settings: Settings,
        journal: PostgresJournal,
        engine: Engine,
        recovery: Recovery,
        links: socket.socket,
        clock: Callable[[], int],
        steady: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._steady = steady
        self._journal = journal
        self._engine = engine
        self._links = links
        self._calendar = TradingCalendar.load(settings.calendar_file)
        self._standby = Standby(
            engine,
            journal,
            settings.link_url or _own_url(settings.host, links),
            recovery.last_hash,
            clock=clock,
            accept_clock=settings.accept_clock,
            check=self._check_clock,
        )
        self._sequencer: Sequencer | None = None
        self._proof: StandingProof | None = None
        self._alerts: LeaderAlerts | None = None
        self._server: LinkServer | None = None
        self._open_links = AsyncExitStack()
        self._publisher: StreamPublisher | None = None
        policy = Policy(settings.snapshot_every_commands, settings.snapshot_every_s)
        self._snapshots = StandingSnapshots(
            settings.database_url,
            journal.journal_id,
            lambda: engine.last_seq,
            clock,
            policy,
            settings.niceness,
            start_snapshot_seq=None if settings.full_check else recovery.snapshot_seq,
        )
        self._start_snapshot_seq = recovery.snapshot_seq

    @property
    def role(self) -> Literal["standby", "leader"]:
        """What this process does now."""
        return "standby" if self._sequencer is None else "leader"

    def facts(self) -> Facts:
        """What /healthz and /readyz say."""
        leads = self._sequencer is not None
        last_seq = self._sequencer.last_seq if self._sequencer is not None else self._engine.last_seq
        return {
            "role": self.role,
            "leader": leads,
            "epoch": self._journal.epoch if leads else (self._standby.seen.epoch if self._standby.seen else None),
            "last_seq": last_seq,
            **lag_facts(self._journal, last_seq),
            "links": self._server.links if self._server is not None else 0,
            "replicated": self._journal.is_replicated,
            **({"proven_seq": None, "proven_age_s": None} if self._proof is None else self._proof.agreed()),
            **self._snapshots.facts(),
            "start_snapshot_seq": self._start_snapshot_seq,
            "redis": None if self._publisher is None else self._publisher.trouble is None,
            "redis_trouble": None if self._publisher is None else self._publisher.trouble,
        }

    def not_ready(self) -> list[str]:
        """Why the process does not do its work, one sentence each."""
        reason = self._journal.waiting_for or self._standby.trouble
        return [f"{reason[0].upper()}{reason[1:]}."] if reason else []

    def warnings(self) -> list[str]:
        """What needs an operator's attention, one sentence each: the clock, and a leader's calendar, proof and alerts."""
        if self._sequencer is None:
            return [*clock_apart(self._standby.ahead_ns), *self._snapshots.warnings()]
        now_ns = self._clock()
        return [
            *time_ahead(self._sequencer.time_ns, now_ns),
            *date_ahead(self._calendar, self._engine.trading_date, now_ns),
            *calendar_missing(self._calendar, now_ns),
            *self._proof_and_alerts(),
        ]

    def _proof_and_alerts(self) -> list[str]:
        if self._proof is None or self._alerts is None:
            return []
        followed = self._alerts.followed
        return [*self._proof.alarms(() if followed is None else followed.alerts.open), *self._alerts.warnings()]

    async def _check_clock(self, now_ns: int) -> None:
        await check_clock(
            self._engine,
            self._journal,
            now_ns,
            calendar=self._calendar,
            schedule=self._settings.schedule,
            accept_clock=self._settings.accept_clock,
        )

    async def run(self, parts: Parts) -> None:
        """Follows, claims and leads until `stop` was called. Raises the errors of journal, engine and clock."""
        taking = parts.start(self._snapshots.run(), "snapshots")
        beats: list[asyncio.Task[None]] = []
        try:
            log.info("standing by", seq=self._engine.last_seq)
            claimed = await self._standby.lead(lambda: beats.append(parts.start(self._journal.watch(), "journal")))
            taking.cancel()  # A leader takes none. It is not waited for: the server may not answer its last look.
            log.info("leading", epoch=claimed.epoch, seq=claimed.last_seq)
            await self._lead(parts, GuardedClock(self._clock, self._steady))
        finally:
            await cancel([*beats, taking])

    async def _lead(self, parts: Parts, clock: GuardedClock) -> None:
        inbox, feed = inbox_of_links(), InProcessFeed()
        sequencer = await make_sequencer(
            self._engine,
            self._journal,
            inbox,
            feed,
            clock=clock,
            calendar=self._calendar,
            schedule=self._settings.schedule,
            accept_clock=self._settings.accept_clock,
        )
        once, skips = OnceInbox(inbox), Skips()
        async for batch in self._journal.read(max(0, self._engine.last_seq - REMEMBERED_COMMANDS)):
            once.learn(batch)
            skips.learn(batch)
        readers = [parts.start(once.follow(self._journal, feed, self._engine.last_seq), "repeats")]
        if self._settings.redis_url:
            self._publisher = StreamPublisher(
                self._settings.redis_url, feed, self._journal.journal_id, await self._journal.last_batch()
            )
            readers.append(parts.start(self._publisher.run(), "stream"))
        self._proof = StandingProof(
            self._settings.database_url,
            self._settings.calendar_file,
            self._engine,
            sequencer.journaled,
            self._clock,
            self._settings.proof_every_s,
            self._settings.niceness,
        )
        readers.append(parts.start(self._proof.run(), "proof"))
        readers.append(parts.start(self._snapshots.watch(), "snapshots"))
        self._alerts = self._watched(inbox, feed, self._proof)
        readers.append(parts.start(self._alerts.run(), "alerts"))
        self._sequencer = sequencer
        try:
            async with self._open_links:
                self._server = await self._open_links.enter_async_context(
                    serve_links(
                        self._links,
                        self._settings.link_secret.get_secret_value(),
                        inbox=skips.before(once),
                        feed=feed,
                        journal_id=self._journal.journal_id,
                        epoch=self._journal.epoch,
                        last_seq=lambda: sequencer.last_seq,
                        check=check_readable,
                    )
                )
                await sequencer.run()
        finally:
            await cancel(readers)

    def _watched(self, inbox: Inbox, feed: Feed, proof: StandingProof) -> LeaderAlerts:
        return LeaderAlerts(
            self._settings,
            engine=self._engine,
            journal=self._journal,
            feed=feed,
            inbox=inbox,
            calendar=self._calendar,
            proofs=proof,
            clock=self._clock,
        )

    async def stop(self) -> None:
        """A leader takes nothing more in, journals what it has, and leaves its url empty: a standby takes over at once. One
        that was deposed has nothing to leave."""
        await self._open_links.aclose()
        if self._sequencer is None:
            return
        try:
            async with asyncio.timeout(STOP_S):
                await self._sequencer.stop()
            handed_over = await self._journal.hand_over()
        except TimeoutError:  # What was not journaled was not acknowledged.
            handed_over = None
        if handed_over:
            log.info("handed over", seq=self._sequencer.last_seq)
        elif handed_over is None:
            log.warning("stopped without handing over", reason=self._journal.waiting_for)
        else:
            log.warning("deposed: another sequencer leads", seq=self._sequencer.last_seq, epoch=self._journal.epoch)


def _own_url(host: str, links: socket.socket) -> str:
    return f"ws://{f'[{host}]' if ':' in host else host}:{links.getsockname()[1]}"


@asynccontextmanager
async def open_sequencer(
    settings: Settings,
    *,
    on_fault: OnFault,
    on_progress: Callable[[int], None] | None = None,
    clock: Callable[[], int] = time.time_ns,
    steady: Callable[[], int] = steady_ns,
) -> AsyncIterator[tuple[str, SequencerProcess]]:
    """Executes the journal, then runs a standby or leader. Yields the address of its health pages, and the process.

    Raises SettingsRefused, the journal's errors, ClockRefused, OSError if an address is taken, and an exception group with the
    error that stopped a part.
    """
    require(settings, "database_url", "link_secret")
    if settings.host in _EVERY_ADDRESS and not settings.link_url:
        raise SettingsRefused(
            [f"REX_LINK_URL is not set, and gateways cannot reach this sequencer at REX_HOST {settings.host}"]
        )
    if settings.redis_url:
        with contextlib.suppress(RedisAway):  # No order waits for it.
            await check_redis(settings.redis_url)
    with listen(settings.host, settings.port) as listener, bound_links(settings.host, settings.link_port) as links:
        journal = await PostgresJournal.open(settings.database_url)
        try:
            store = PostgresStore(settings.database_url)
            engine, recovery = await recovered(journal, store, on_progress, from_the_start=settings.full_check)
            process = SequencerProcess(settings, journal, engine, recovery, links, clock, steady)
            app = health_app("sequencer", process.facts, process.not_ready, process.warnings)
            async with asyncio.TaskGroup() as tasks:
                parts = Parts(tasks, on_fault)
                async with serving(app, settings, listener, parts) as url:
                    life = parts.start(process.run(parts), "sequencer")
                    try:
                        yield url, process
                    finally:
                        await process.stop()
                        await cancel([life])
        except Exception as error:
            on_fault(error)
            raise
        finally:
            with contextlib.suppress(OSError):
                await journal.close()
