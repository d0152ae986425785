"""The composition root: the only module that knows every part of a venue. `_run` is its parts list.

journal ─► recover ─► sequencer ─► feed ─► projector, gateway (state, market data, replies)
                          ▲
HTTP, WebSocket ─► inbox ─┘
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine import Engine
from services.alerting import Alerting, make_alerting
from services.alerts.judging import DaysJudge
from services.alerts.monitor import Watched
from services.application import Gateway, load_gateway, make_application, make_reader
from services.data.calendar import TradingCalendar
from services.data_folder import make_private_folder
from services.engine_versions.upgrades import starting_engine
from services.first_start import KEYS_FILE, IssuedKey, complete
from services.gateway.server.server import listen
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.own_process import exempt_loaded_objects
from services.parts import OnFault, Parts, cancel
from services.public import open_to_clients
from services.read_database.audit.journaled import Journaled
from services.read_database.opening import open_true
from services.read_database.projector import Projector, ProjectorStopped
from services.read_database.read_witness import remembered
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting.report_database import JOURNAL_FILE, READ_DATABASE_FILE
from services.sequencer.clock import GuardedClock, steady_ns, time_ahead
from services.sequencer.recovery import Recovery, recover
from services.sequencer.schedule import calendar_missing, date_ahead, local_day
from services.sequencer.sequencer import Sequencer
from services.sequencer.start import make_sequencer
from services.settings import Settings
from services.standing_proof import StandingProof


@dataclass(frozen=True)
class Venue:
    """A running venue, as `rex` and the tests use it."""

    url: str
    keys: dict[str, IssuedKey]
    recovery: Recovery
    engine: Engine
    journal: SqliteJournal
    sequencer: Sequencer
    projector: Projector
    read_database: AsyncEngine
    calendar: TradingCalendar


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


@asynccontextmanager
async def open_venue(
    settings: Settings,
    *,
    clock: Callable[[], int] = time.time_ns,
    steady: Callable[[], int] = steady_ns,
    on_progress: OnProgress | None = None,
    on_fault: OnFault = _ignore_fault,
) -> AsyncIterator[Venue]:
    """Opens the data folder, recovers and serves. At the end, every accepted command is journaled and projected, and all files
    are closed.

    Raises JournalBusy if another process has the folder open, OSError if the address is taken, ClockRefused if the wall clock
    `clock` contradicts `steady` or the journal, and an exception group with the error that stopped a part: a venue does not
    stay open with a part missing. `on_fault` is called at once with each such error.
    """
    make_private_folder(settings.data_dir)
    calendar = TradingCalendar.load(settings.calendar_file)
    guarded = GuardedClock(clock, steady)
    with listen(settings.host, settings.port) as listener:
        read_path = settings.data_dir / READ_DATABASE_FILE
        journal = await SqliteJournal.open(settings.data_dir / JOURNAL_FILE, remembered=partial(remembered, read_path))
        try:
            engine, recovery, read_database = await _recover(read_path, journal, on_progress)
            try:
                start = _Start(settings, clock, guarded, calendar, listener, journal, engine, recovery, read_database)
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
    read_path: Path, journal: SqliteJournal, on_progress: OnProgress | None
) -> tuple[Engine, Recovery, AsyncEngine]:
    """Replays the journal, then opens the read database, compared with it: a read database that differs is never served."""
    engine, journaled = await starting_engine(journal), Journaled()
    recovery = await recover(engine, journal, on_progress, journaled.add)
    return engine, recovery, await open_true(read_path, journal, engine, journaled)


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
    projector = Projector(SqliteWriter(start.settings.data_dir / READ_DATABASE_FILE), journal, feed)
    async with asyncio.TaskGroup() as tasks:
        parts = Parts(tasks, on_fault)
        readers = [parts.start(projector.run(), "projector"), parts.start(journal.watch(), "journal")]
        await projector.reached(start.recovery.last_seq)
        gateway = await load_gateway(read_database, inbox, projector.reached)
        readers.append(parts.start(make_reader(gateway, journal, feed).run(), "gateway reader"))
        parts.start(sequencer.run(), "sequencer")
        keys = await _complete(start, gateway)
        proof = StandingProof(
            start.settings.data_dir,
            start.engine,
            gateway.projected,
            start.clock,
            start.settings.proof_every_s,
            start.settings.niceness,
        )
        readers.append(parts.start(proof.run(), "proof"))
        alerting = make_alerting(start.settings, _watched(start, gateway, inbox, proof), gateway.projected)
        readers += [parts.start(work, "alerts") for work in alerting.work()]
        app = _make_api(start, gateway, inbox, sequencer, proof, alerting)
        public = open_to_clients(app, start.settings, start.listener, keys, parts)
        exempt_loaded_objects()
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
            )
        finally:
            await public.close()
            await sequencer.stop()
            with contextlib.suppress(ProjectorStopped):
                await projector.reached(sequencer.last_seq)
            await cancel(readers)


async def _complete(start: _Start, gateway: Gateway) -> dict[str, IssuedKey]:
    """Adds what the data folder lacks. Returns its keys by name."""
    keys_file, year = start.settings.data_dir / KEYS_FILE, local_day(start.clock())[0].year
    return await complete(keys_file, gateway.state, gateway.order_entry, year=year, demo=start.settings.demo)


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
        proofs=lambda: proof.latest,
        put=inbox.put,
        clock=start.clock,
    )


def _make_api(
    start: _Start,
    gateway: Gateway,
    inbox: InProcessInbox,
    sequencer: Sequencer,
    proof: StandingProof,
    alerting: Alerting,
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
            *proof.alarms(),
            *alerting.warnings(),
        ]

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
        prove=proof.prove,
    )
