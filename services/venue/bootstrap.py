"""The composition root: the only module that knows every part of a venue. `_run` is its parts list.

journal ─► recover ─► sequencer ─► feed ─► projector, gateway (state, market data, replies)
                          ▲
HTTP, WebSocket ─► inbox ─┘
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine import Engine
from services.alerts.judging import DaysJudge
from services.alerts.monitor import Watched
from services.commands.attachments import CommandSkipped
from services.data.calendar import TradingCalendar
from services.data.trading_hours import TradingHours, local_day
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE, make_private_folder
from services.gateway.http.fact_gauges import Facts
from services.gateway.http.users import first_path
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.server.server import listen
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.pages import demo_entry
from services.processes.own_process import orders_first
from services.read_database.audit.differences import differences, differences_of_state
from services.read_database.audit.journaled import Journaled
from services.read_database.errors import ReadDatabaseFailed
from services.read_database.opening import open_true
from services.read_database.projector import Projector
from services.read_database.projector_process import PATIENCE_S, ProjectorProcess
from services.read_database.read_witness import remembered
from services.read_database.records import read_records
from services.read_database.seq_waiters import ProjectorStopped
from services.read_database.sqlite_writer import SqliteWriter
from services.sequencer.clock import GuardedClock, steady_ns, time_ahead
from services.sequencer.recovery import Recovery, recover, recover_from_snapshot
from services.sequencer.repeats import REMEMBERED_COMMANDS
from services.sequencer.schedule import calendar_missing, date_ahead
from services.sequencer.sequencer import Sequencer
from services.sequencer.skips import Skips
from services.sequencer.start import make_sequencer
from services.simulator import demo_accounts
from services.snapshots.folder import FolderStore
from services.venue.alerting import Alerting, make_alerting
from services.venue.application import Gateway, load_gateway, make_application, make_limits, make_reader, told_when
from services.venue.first_start import KEYS_FILE, IssuedKey, complete
from services.venue.parts import OnFault, Parts, cancel
from services.venue.public import open_to_clients
from services.venue.report_process import ReportProcess, Where
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

OnProgress = Callable[[int], None]
"""Called during the recovery with the sequence number that it has reached."""


def _ignore_fault(_error: BaseException) -> None:
    """The default for `on_fault`: the error still ends the venue."""


@dataclass(frozen=True)
class _Start:
    """What exists before the first part runs: the journal is replayed, and the read database agrees with it."""

    settings: Settings
    clock: Callable[[], int]
    guarded: GuardedClock
    calendar: TradingCalendar
    listener: socket.socket
    journal: SqliteJournal
    engine: Engine
    recovery: Recovery
    read_database: AsyncEngine
    projector: ProjectorProcess | None


@asynccontextmanager
async def open_venue(
    settings: Settings,
    *,
    clock: Callable[[], int] = time.time_ns,
    steady: Callable[[], int] = steady_ns,
    on_progress: OnProgress | None = None,
    on_fault: OnFault = _ignore_fault,
    projector: ProjectorProcess | None = None,
) -> AsyncIterator[Venue]:
    """Opens the data folder, recovers and serves. The projector is the process `projector`; without one, it is in this process.
    At the end, every accepted command is journaled and projected, and all files are closed.

    Raises JournalBusy if another process has the folder open, OSError if the address is taken, ClockRefused if the wall clock
    `clock` contradicts `steady` or the journal, and an exception group with the error that stopped a part: a venue does not
    stay open with a part missing. `on_fault` is called at once with each such error.
    """
    calendar = TradingCalendar.load(settings.calendar_file)
    guarded = GuardedClock(clock, steady)
    with listen(settings.host, settings.port) as listener:
        make_private_folder(settings.data_dir)  # Not before: a start that is refused for its port makes nothing.
        read_path = settings.data_dir / READ_DATABASE_FILE
        journal = await SqliteJournal.open(settings.data_dir / JOURNAL_FILE, remembered=partial(remembered, read_path))
        try:
            engine, recovery, read_database = await _recover(settings, journal, on_progress)
            try:
                start = _Start(
                    settings, clock, guarded, calendar, listener, journal, engine, recovery, read_database, projector
                )
                async with _run(start, on_fault) as venue:
                    yield venue
            finally:
                await read_database.dispose()
        except Exception as error:
            on_fault(error)  # An error of the start or the end; `Parts` has reported the parts' own errors.
            raise
        finally:
            await journal.close()


async def _recover(
    settings: Settings, journal: SqliteJournal, on_progress: OnProgress | None
) -> tuple[Engine, Recovery, AsyncEngine]:
    """Brings an engine to the journal's end, then opens the read database, compared with it: a read database that differs is
    never served. From a snapshot on, what only older rows show is not compared (docs/durability.md)."""
    read_path, found = settings.data_dir / READ_DATABASE_FILE, None
    if not settings.full_check:
        found = await recover_from_snapshot(journal, FolderStore.of(settings.data_dir), on_progress)
    if found is not None:
        engine, recovery = found
        of_state = partial(differences_of_state, engine=engine, last_batch=await journal.last_batch())
        return engine, recovery, await open_true(read_path, journal, of_state)
    engine, journaled = Engine(), Journaled()
    recovery = await recover(engine, journal, on_progress, journaled.add)
    of_all = partial(differences, engine=engine, journaled=journaled)
    return engine, recovery, await open_true(read_path, journal, of_all)


@asynccontextmanager
async def _run(start: _Start, on_fault: OnFault) -> AsyncIterator[Venue]:
    """Starts the parts, each after the parts that it reads from; at the end stops them from the outside in."""
    journal, read_database = start.journal, start.read_database
    inbox, feed = InProcessInbox(), InProcessFeed()
    sequencer = await make_sequencer(
        start.engine,
        journal,
        inbox,
        feed,
        clock=start.guarded,
        calendar=start.calendar,
        schedule=start.settings.schedule,
        accept_clock=start.settings.accept_clock,
    )
    projector, projecting = _projector(start, feed)
    async with asyncio.TaskGroup() as tasks:
        parts = Parts(tasks, on_fault)
        readers = [parts.start(projecting, "projector"), parts.start(journal.watch(), "journal")]
        await projector.reached(start.recovery.last_seq)
        gateway = await load_gateway(
            read_database,
            (await _skips(start)).before(inbox),
            projector.reached,
            hours=TradingHours(start.calendar, start.settings.schedule),
            clock=start.clock,
            behind_tls=start.settings.behind_tls,
            acts_of_two=start.settings.four_eyes,
        )
        readers.append(parts.start(make_reader(gateway, journal, feed).run(), "gateway reader"))
        parts.start(sequencer.run(), "sequencer")
        keys = await _complete(start, gateway)
        # What the start added is projected: a projector that cannot begin ends the start.
        await projector.reached(sequencer.last_seq)
        projected = told_when(projector.reached, None)
        proof = StandingProof(
            start.settings.data_dir,
            start.settings.calendar_file,
            start.engine,
            projected,
            start.clock,
            start.settings.proof_every_s,
            start.settings.niceness,
        )
        readers.append(parts.start(proof.run(), "proof"))
        snapshots = _snapshots(start)
        readers.append(parts.start(snapshots.run(FIRST_AFTER_S), "snapshots"))
        alerting = make_alerting(start.settings, _watched(start, gateway, inbox, proof), projected)
        readers += [parts.start(work, "alerts") for work in alerting.work()]
        reports, days_reports = _report_processes(start.settings)
        limits = make_limits(gateway.state, start.settings)
        app = _make_api(
            start, gateway, inbox, sequencer, projector, proof, snapshots, alerting, reports, days_reports, limits
        )
        entry = _demo_entry(gateway, limits, keys) if start.settings.demo else None
        public = open_to_clients(app, start.settings, start.listener, keys, parts, gateway.channels.liveness, entry)
        first_link = gateway.people.first_link()
        orders_first()
        try:
            yield Venue(
                url=public.url,
                keys=keys,
                recovery=start.recovery,
                engine=start.engine,
                journal=journal,
                sequencer=sequencer,
                projector=projector,
                read_database=read_database,
                calendar=start.calendar,
                first_link=f"{public.url}{first_path(first_link)}" if first_link else None,
            )
            await public.announce_close()
        finally:
            await public.close()
            await reports.close()
            await days_reports.close()
            await sequencer.stop()
            try:
                await _projected(projector, sequencer.last_seq)
            finally:
                await cancel(readers)


def _report_processes(settings: Settings) -> tuple[ReportProcess, ReportProcess]:
    """One for reports of the present, and one for those that read days of the journal: the first does not wait for them."""
    read_path, journal_path = settings.data_dir / READ_DATABASE_FILE, settings.data_dir / JOURNAL_FILE
    calendar = settings.calendar_file
    return ReportProcess(Where.of(read_path, calendar)), ReportProcess(
        Where.of(read_path, calendar, journal=journal_path)
    )


def _projector(start: _Start, feed: InProcessFeed) -> tuple[Projector | ProjectorProcess, Coroutine[Any, Any, None]]:
    """The projector, and its work."""
    folder = start.settings.data_dir
    if (process := start.projector) is not None:
        return process, process.run(folder / JOURNAL_FILE, folder / READ_DATABASE_FILE, feed)
    projector = Projector(SqliteWriter(folder / READ_DATABASE_FILE), start.journal, feed)
    return projector, projector.run()


async def _projected(projector: Projector | ProjectorProcess, seq: int) -> None:
    """Waits until the read database is at the end, PATIENCE_S at most: what it lacks then, the next start brings. Raises
    ReadDatabaseFailed if the projector is stuck."""
    before = projector.seq
    try:
        async with asyncio.timeout(PATIENCE_S):
            await projector.reached(seq)
    except ProjectorStopped:
        return  # Its own error is told.
    except TimeoutError:
        if projector.seq == before:
            stuck = f"it stands at seq {before}, its projector has not gone on for {PATIENCE_S:g} seconds"
            raise ReadDatabaseFailed(READ_DATABASE_FILE, f"{stuck}. The next start brings it to seq {seq}") from None


async def _complete(start: _Start, gateway: Gateway) -> dict[str, IssuedKey]:
    """Adds what the data folder lacks. Returns its keys by name."""
    keys_file, year = start.settings.data_dir / KEYS_FILE, local_day(start.clock())[0].year
    return await complete(keys_file, gateway.state, gateway.order_entry, year=year, demo=start.settings.demo)


def _demo_entry(gateway: Gateway, limits: RateLimits, keys: dict[str, IssuedKey]) -> APIRouter:
    """By which visitors of a demo enter as one of its people."""
    (desk,) = [keys[account.name].account for account in demo_accounts() if account.role == "desk"]
    return demo_entry.routes(gateway.people, gateway.order_entry, limits, desk=desk)


async def _skips(start: _Start) -> Skips:
    """Those in the read database, which is at the journal's end: to read the last 100,000 commands again would take longer than
    the whole start from a snapshot."""
    skips = Skips()
    async with start.read_database.connect() as connection:
        for record in await read_records(connection, ["command_skipped"]):
            if record.seq > start.recovery.last_seq - REMEMBERED_COMMANDS:
                assert isinstance(record.decision, CommandSkipped)
                skips.add(record.seq, record.decision)
    return skips


def _snapshots(start: _Start) -> StandingSnapshots:
    policy = Policy(start.settings.snapshot_every_commands, start.settings.snapshot_every_s)
    return StandingSnapshots(
        start.settings.data_dir,
        start.journal.journal_id,
        lambda: start.engine.last_seq,
        start.clock,
        policy,
        start.settings.niceness,
        start_snapshot_seq=None if start.settings.full_check else start.recovery.snapshot_seq,
    )


def _watched(start: _Start, gateway: Gateway, inbox: InProcessInbox, proof: StandingProof) -> Watched:
    """The venue as the monitor of the alerts sees it."""
    return Watched(
        followed=gateway.state,
        market=start.engine,
        read_database=start.read_database,
        judge=DaysJudge(
            start.settings.data_dir / READ_DATABASE_FILE, start.settings.calendar_file, start.settings.niceness
        ),
        calendar=start.calendar,
        proofs=proof,
        put=inbox.put,
        clock=start.clock,
    )


def _projector_silent(projector: ProjectorProcess | None) -> list[str]:
    """A sentence where it has not gone on for SILENT_S although there is more."""
    if projector is None or projector.silent_s < SILENT_S:
        return []
    still = f"has not gone on for {projector.silent_s:.0f} s: the read database stands at seq {projector.seq}"
    return [f"The projector, process {projector.pid}, {still}."]


def _make_api(
    start: _Start,
    gateway: Gateway,
    inbox: InProcessInbox,
    sequencer: Sequencer,
    projector: Projector | ProjectorProcess,
    proof: StandingProof,
    snapshots: StandingSnapshots,
    alerting: Alerting,
    reports: ReportProcess,
    days_reports: ReportProcess,
    limits: RateLimits,
) -> FastAPI:
    """The application: REST, WebSocket, reports, and what /readyz and /healthz answer."""

    def not_ready() -> list[str]:
        return [] if start.journal.failed is None else [f"{start.journal.failed}."]

    def warnings() -> list[str]:
        now_ns, trading_date = start.clock(), start.engine.trading_date
        return [
            *time_ahead(sequencer.time_ns, now_ns),
            *date_ahead(start.calendar, trading_date, now_ns),
            *calendar_missing(start.calendar, now_ns),
            *_projector_silent(start.projector),
            *proof.alarms(gateway.state.alerts.open),
            *snapshots.warnings(),
            *alerting.warnings(),
        ]

    def details() -> Facts:
        silent_s = None if start.projector is None else round(start.projector.silent_s, 3)
        return {
            "command_age_s": round(max(0, start.clock() - sequencer.time_ns) / 1e9, 3),
            "read_database_lag": max(0, gateway.state.last_seq - projector.seq),
            "read_database_silent_s": silent_s,
            **proof.facts(),
            **snapshots.facts(),
            "start_snapshot_seq": start.recovery.snapshot_seq,
            **gateway.open_now(),
        }

    return make_application(
        gateway,
        start.settings,
        inbox=inbox,
        read_database=start.read_database,
        journal=start.journal,
        calendar=start.calendar,
        clock=start.clock,
        not_ready=not_ready,
        warnings=warnings,
        details=details,
        prove=proof.prove,
        elsewhere=reports.answer,
        days_elsewhere=days_reports.answer,
        limits=limits,
    )
