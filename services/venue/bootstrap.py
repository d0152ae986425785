"""The composition root of the embedded venue: `running` (running.py) and what proves, watches, keeps and serves it."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine import Engine
from services.alerts.judging import DaysJudge
from services.alerts.monitor import Watched
from services.data.calendar import TradingCalendar
from services.data.trading_hours import local_day
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.gateway.http.metrics import Facts
from services.gateway.http.users import first_path
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.server.server import listen
from services.journal.sqlite import SqliteJournal
from services.pages import demo_entry
from services.processes.own_process import orders_first
from services.read_model.projector import Projector
from services.read_model.projector_process import ProjectorProcess
from services.sequencer.clock import GuardedClock, steady_ns, time_ahead
from services.sequencer.recovery import Recovery
from services.sequencer.schedule import calendar_missing, date_ahead
from services.sequencer.sequencer import Sequencer
from services.simulator import demo_accounts
from services.venue.alerting import Alerting, make_alerting
from services.venue.application import Gateway, make_application, make_limits, told_when
from services.venue.first_start import IssuedKey, what_every_venue_has
from services.venue.key_uses import KEY_USES_FILE, KeyUses
from services.venue.parts import OnFault, ignore_fault
from services.venue.public import open_to_clients
from services.venue.report_process import ReportPlace, ReportProcess
from services.venue.running import Dependencies, OnProgress, Opened, Running, opened_folder, running
from services.venue.settings import Settings
from services.venue.standing_proof import StandingProof
from services.venue.standing_snapshots import FIRST_AFTER_S, Policy, StandingSnapshots


@dataclass(frozen=True)
class Venue:
    """A running venue, as `rex` and the tests use it."""

    url: str
    keys: dict[str, IssuedKey]
    recovery: Recovery
    engine: Engine
    journal: SqliteJournal
    sequencer: Sequencer
    projector: Projector | ProjectorProcess
    read_database: AsyncEngine
    calendar: TradingCalendar
    first_link: str | None
    """The address, once and for 24 hours, at which the first administrator is made; None if there is one."""


SILENT_S = 5.0
"""A projector that owes a position for so long is warned of: its longest transactions take a fraction of a second."""


@asynccontextmanager
async def open_venue(
    settings: Settings,
    *,
    clock: Callable[[], int] = time.time_ns,
    steady: Callable[[], int] = steady_ns,
    on_progress: OnProgress | None = None,
    on_fault: OnFault = ignore_fault,
    projector: ProjectorProcess | None = None,
) -> AsyncIterator[Venue]:
    """Opens the data folder, recovers and serves. The projector is the process `projector`; without one, it is in this process.
    At the end, every accepted command is journaled and projected, and all files are closed.

    Raises JournalBusy if another process has the folder open, OSError if the address is taken, ClockRefused if the wall clock
    `clock` contradicts `steady` or the journal, and an exception group with the error that stopped a part: a venue does not
    stay open with a part missing. `on_fault` is called at once with each such error.
    """
    dependencies = Dependencies(clock, GuardedClock(clock, steady), projector)
    with listen(settings.host, settings.port) as listener:  # First: a start that is refused for its port makes nothing.
        try:
            async with opened_folder(settings, on_progress) as opened:
                adds = what_every_venue_has(local_day(clock())[0].year, demo=settings.demo)
                async with (
                    running(opened, adds, dependencies, on_fault) as core,
                    _serving(core, dependencies, listener) as venue,
                ):
                    yield venue
        except Exception as error:
            on_fault(error)  # An error of the start or the end; `Parts` has reported the parts' own errors.
            raise


@asynccontextmanager
async def _serving(core: Running, dependencies: Dependencies, listener: socket.socket) -> AsyncIterator[Venue]:
    """Starts what proves, watches and keeps the venue, then opens it to clients; at the end stops it from the outside in."""
    opened, settings, gateway = core.opened, core.opened.settings, core.gateway
    projected = told_when(core.projector.reached, None)
    proof = StandingProof(
        settings.data_dir,
        settings.calendar_file,
        opened.engine,
        projected,
        dependencies.clock,
        settings.proof_every_s,
        settings.niceness,
    )
    core.start_reader(proof.run(), "proof")
    snapshots = _snapshots(opened, dependencies.clock)
    core.start_reader(snapshots.run(FIRST_AFTER_S), "snapshots")
    alerting = make_alerting(settings, _watched(core, dependencies.clock, proof), projected)
    for work in alerting.work():
        core.start_reader(work, "alerts")
    reports, days_reports = _report_processes(settings)
    limits = make_limits(gateway.state, settings)
    uses = KeyUses(settings.data_dir / KEY_USES_FILE, opened.journal.journal_id, limits, dependencies.clock)
    uses.read()
    core.start_reader(uses.run(), "key uses")
    app = _make_api(core, dependencies, proof, snapshots, alerting, reports, days_reports, limits)
    entry = _demo_entry(gateway, limits, core.keys) if settings.demo else None
    public = open_to_clients(app, settings, listener, core.keys, core.parts, gateway.channels.liveness, entry)
    first_link = gateway.people.first_link()
    orders_first()
    try:
        yield Venue(
            url=public.url,
            keys=core.keys,
            recovery=opened.recovery,
            engine=opened.engine,
            journal=opened.journal,
            sequencer=core.sequencer,
            projector=core.projector,
            read_database=opened.read_database,
            calendar=opened.calendar,
            first_link=f"{public.url}{first_path(first_link)}" if first_link else None,
        )
        await public.announce_close()
    finally:
        await public.close()
        await reports.close()
        await days_reports.close()


def _report_processes(settings: Settings) -> tuple[ReportProcess, ReportProcess]:
    """One for reports of the present, and one for those that read days of the journal: the first does not wait for them."""
    read_path, journal_path = settings.data_dir / READ_DATABASE_FILE, settings.data_dir / JOURNAL_FILE
    calendar = settings.calendar_file
    return ReportProcess(ReportPlace.of(read_path, calendar)), ReportProcess(
        ReportPlace.of(read_path, calendar, journal=journal_path)
    )


def _demo_entry(gateway: Gateway, limits: RateLimits, keys: dict[str, IssuedKey]) -> APIRouter:
    """By which visitors of a demo enter as one of its people."""
    (desk,) = [keys[account.name].account for account in demo_accounts() if account.role == "desk"]
    return demo_entry.routes(gateway.people, gateway.order_entry, limits, desk=desk)


def _snapshots(opened: Opened, clock: Callable[[], int]) -> StandingSnapshots:
    policy = Policy(opened.settings.snapshot_every_commands, opened.settings.snapshot_every_s)
    return StandingSnapshots(
        opened.settings.data_dir,
        opened.journal.journal_id,
        lambda: opened.engine.last_seq,
        clock,
        policy,
        opened.settings.niceness,
        start_snapshot_seq=None if opened.settings.full_check else opened.recovery.snapshot_seq,
    )


def _watched(core: Running, clock: Callable[[], int], proof: StandingProof) -> Watched:
    """The venue as the monitor of the alerts sees it."""
    opened, settings = core.opened, core.opened.settings
    return Watched(
        followed=core.gateway.state,
        market=opened.engine,
        read_database=opened.read_database,
        judge=DaysJudge(settings.data_dir / READ_DATABASE_FILE, settings.calendar_file, settings.niceness),
        calendar=opened.calendar,
        proofs=proof,
        put=core.inbox.put,
        clock=clock,
    )


def _projector_silent(projector: ProjectorProcess | None) -> list[str]:
    """A sentence where it has not gone on for SILENT_S although there is more."""
    if projector is None or projector.silent_s < SILENT_S:
        return []
    still = f"has not gone on for {projector.silent_s:.0f} s: the read database stands at seq {projector.seq}"
    return [f"The projector, process {projector.pid}, {still}."]


def _make_api(
    core: Running,
    dependencies: Dependencies,
    proof: StandingProof,
    snapshots: StandingSnapshots,
    alerting: Alerting,
    reports: ReportProcess,
    days_reports: ReportProcess,
    limits: RateLimits,
) -> FastAPI:
    """The application: REST, WebSocket, reports, and what /readyz and /healthz answer."""
    opened, gateway, sequencer, clock = core.opened, core.gateway, core.sequencer, dependencies.clock

    def not_ready() -> list[str]:
        return [] if opened.journal.failed is None else [f"{opened.journal.failed}."]

    def warnings() -> list[str]:
        now_ns, trading_date = clock(), opened.engine.trading_date
        return [
            *time_ahead(sequencer.time_ns, now_ns),
            *date_ahead(opened.calendar, trading_date, now_ns),
            *calendar_missing(opened.calendar, now_ns),
            *_projector_silent(dependencies.projector),
            *proof.alarms(gateway.state.alerts.open),
            *snapshots.warnings(),
            *alerting.warnings(),
        ]

    def details() -> Facts:
        silent_s = None if dependencies.projector is None else round(dependencies.projector.silent_s, 3)
        return {
            "command_age_s": round(max(0, clock() - sequencer.time_ns) / 1e9, 3),
            "read_database_lag": max(0, gateway.state.last_seq - core.projector.seq),
            "read_database_silent_s": silent_s,
            **proof.facts(),
            **snapshots.facts(),
            "start_snapshot_seq": opened.recovery.snapshot_seq,
            **gateway.open_now(),
        }

    return make_application(
        gateway,
        opened.settings,
        inbox=core.inbox,
        read_database=opened.read_database,
        journal=opened.journal,
        calendar=opened.calendar,
        clock=clock,
        not_ready=not_ready,
        warnings=warnings,
        details=details,
        prove=proof.prove,
        elsewhere=reports.answer,
        days_elsewhere=days_reports.answer,
        limits=limits,
    )
