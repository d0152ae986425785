"""The composition root: the only file that knows every part. It reads like a parts list.

journal ─► recover ─► sequencer ─► feed ─► projector, gateway (state, market data, replies), pages
                          ▲
HTTP, WebSocket ─► inbox ─┘
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
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
from services.application import Gateway, load_gateway, make_application, make_reader
from services.dashboard import Dashboard, mount_dashboard
from services.data.calendar import TradingCalendar
from services.data_folder import make_private_folder
from services.engine_versions.upgrades import starting_engine
from services.first_start import OPERATOR, PAGES, IssuedKey, complete
from services.gateway.server.server import SHUTDOWN_SECONDS, Server, listen, make_server, serve
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.parts import OnFault, Parts, end
from services.read_database.audit.journaled import Journaled
from services.read_database.opening import open_true
from services.read_database.projector import Projector, ProjectorStopped
from services.read_database.read_witness import remembered
from services.reporting.report_database import JOURNAL_FILE, READ_DATABASE_FILE
from services.sequencer.clock import GuardedClock, refuse_clock_behind, steady_ns, time_ahead
from services.sequencer.recovery import Recovery, recover
from services.sequencer.schedule import AlwaysOpen, ExchangeHours, date_ahead, local_day
from services.sequencer.sequencer import Sequencer
from services.settings import Settings
from services.simulator import DemoAccount, Simulator, TraderKey, demo_accounts

KEYS_FILE = "keys.json"


@dataclass(frozen=True)
class Venue:
    """A running venue: what `rex` and the tests may ask of it."""

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
"""Told how far the recovery has come: the sequence number it has reached."""


def _no_watch(error: BaseException) -> None:
    """A venue that nobody watches."""


@dataclass(frozen=True)
class _Start:
    """What a start has before any part runs: the journal replayed, the read database true."""

    settings: Settings
    clock: Callable[[], int]
    guarded: GuardedClock
    calendar: TradingCalendar
    listener: socket.socket
    journal: SqliteJournal
    engine: Engine
    recovery: Recovery
    read_database: AsyncEngine

    @property
    def url(self) -> str:
        """A venue that listens on every address of a container is still at home on loopback."""
        host = self.settings.host
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self.listener.getsockname()[1]}"


@dataclass(frozen=True)
class _Public:
    """What clients reach, and the clients that the venue brings itself."""

    server: Server
    serving: asyncio.Task[None]
    clients: list[asyncio.Task[None]]

    async def close(self) -> None:
        """First nobody asks for more, then what was asked gets its answer."""
        await end(self.clients)
        self.server.end(SHUTDOWN_SECONDS)
        await asyncio.wait([self.serving])


@asynccontextmanager
async def open_venue(
    settings: Settings,
    *,
    clock: Callable[[], int] = time.time_ns,
    steady: Callable[[], int] = steady_ns,
    on_progress: OnProgress | None = None,
    on_fault: OnFault = _no_watch,
) -> AsyncIterator[Venue]:
    """Opens the data folder, recovers, serves; at the end everything taken in is journaled, projected and closed.

    Raises JournalBusy where another process holds the folder, OSError where the address is taken, and, as an exception group,
    whatever stopped a part of the venue: a venue with a part missing does not stay open. Raises ClockRefused where the wall
    clock `clock`, compared with `steady` and the journal, cannot be right.
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
            on_fault(error)  # What stopped the start, or the end; a part's own fault was told when it happened.
            raise
        finally:
            await journal.close()


async def _recover(
    read_path: Path, journal: SqliteJournal, on_progress: OnProgress | None
) -> tuple[Engine, Recovery, AsyncEngine]:
    """Nothing is served, and no key known, from a read database that says other than the journal."""
    engine, journaled = await starting_engine(journal), Journaled()
    recovery = await recover(engine, journal, on_progress, journaled.add)
    return engine, recovery, await open_true(read_path, journal, engine, journaled)


@asynccontextmanager
async def _run(start: _Start, on_fault: OnFault) -> AsyncIterator[Venue]:
    """Starts the parts, each when all that it reads stands; at the end stops them from the outside in."""
    journal, read_database = start.journal, start.read_database
    inbox, feed = InProcessInbox(), InProcessFeed()
    sequencer = await _make_sequencer(start, inbox, feed)
    projector = Projector(read_database, journal, feed)
    async with asyncio.TaskGroup() as tasks:
        parts = Parts(tasks, on_fault)
        readers = [parts.start(projector.run(), "projector"), parts.start(journal.watch(), "journal")]
        await projector.reached(start.recovery.last_seq)
        gateway = await load_gateway(read_database, inbox, projector)
        readers.append(parts.start(make_reader(gateway, journal, feed).run(), "gateway reader"))
        parts.start(sequencer.run(), "sequencer")
        keys = await _complete(start, gateway)
        public = _open_to_clients(start, parts, keys, _make_api(start, gateway, inbox, sequencer))
        _keep_what_was_loaded()
        try:
            yield Venue(
                start.url, keys, start.recovery, start.engine, journal, sequencer, projector, read_database,
                start.calendar,
            )  # fmt: skip
        finally:
            await public.close()
            await sequencer.stop()
            with contextlib.suppress(ProjectorStopped):
                await projector.reached(sequencer.last_seq)
            await end(readers)


async def _make_sequencer(start: _Start, inbox: InProcessInbox, feed: InProcessFeed) -> Sequencer:
    """Raises ClockRefused where a start at this instant needs an operator's word and does not have it."""
    settings, engine = start.settings, start.engine
    may_skip_from = engine.trading_date if settings.accept_clock else 0
    open_when = AlwaysOpen if settings.schedule == "always" else ExchangeHours
    schedule = open_when(start.calendar, may_skip_from=may_skip_from)
    now_ns = start.guarded()
    last = await start.journal.last_batch()
    if last is not None and not settings.accept_clock:
        refuse_clock_behind(now_ns, last.time_ns)
    schedule.due(engine.trading_date, engine.venue_phase, now_ns)
    return Sequencer(engine, start.journal, inbox, feed, clock=start.guarded, schedule=schedule)


async def _complete(start: _Start, gateway: Gateway) -> dict[str, IssuedKey]:
    """What a first start adds, and the keys of the data folder."""
    keys_file, year = start.settings.data_dir / KEYS_FILE, local_day(start.clock())[0].year
    return await complete(keys_file, gateway.state, gateway.order_entry, year=year, demo=start.settings.demo)


def _make_api(start: _Start, gateway: Gateway, inbox: InProcessInbox, sequencer: Sequencer) -> FastAPI:
    """REST, WebSocket and reports."""

    def not_ready() -> list[str]:
        return [] if start.journal.failed is None else [f"{start.journal.failed}."]

    def warnings() -> list[str]:
        now_ns, trading_date = start.clock(), start.engine.trading_date
        return [*time_ahead(sequencer.time_ns, now_ns), *date_ahead(start.calendar, trading_date, now_ns)]

    return make_application(
        gateway,
        start.settings,
        inbox=inbox,
        read_database=start.read_database,
        calendar=start.calendar,
        clock=start.clock,
        not_ready=not_ready,
        warnings=warnings,
    )


def _open_to_clients(start: _Start, parts: Parts, keys: dict[str, IssuedKey], app: FastAPI) -> _Public:
    """Pages, server and, in a demo, the simulated traders."""
    settings = start.settings
    pages = _mount_pages(app, start, keys)
    server = make_server(
        app,
        max_connections=settings.max_connections,
        max_connections_per_address=settings.max_connections_per_address,
    )
    serving = parts.start(serve(server, start.listener), "server")
    clients = [parts.start(pages.run(), "pages")]
    if settings.demo:
        clients.append(parts.start(_make_simulator(start, keys).run(), "simulator"))
    return _Public(server, serving, clients)


def _mount_pages(app: FastAPI, start: _Start, keys: dict[str, IssuedKey]) -> Dashboard:
    """Whoever reaches the pages may do what their keys may: trade and operate in a demo, else only read."""
    url, settings = start.url, start.settings
    demo = settings.demo
    return mount_dashboard(
        app,
        url=lambda: url,
        read_key=keys[PAGES].key,
        trader_key=keys[_desk().name].key if demo else None,
        operator_key=keys[OPERATOR].key if demo else None,
        pages_per_address=settings.max_pages_per_address,
    )


def _desk() -> DemoAccount:
    """The account behind the trader page of a demo venue."""
    return next(account for account in demo_accounts() if account.role == "desk")


def _make_simulator(start: _Start, keys: dict[str, IssuedKey]) -> Simulator:
    names = [account.name for account in demo_accounts() if account.role != "desk"]
    traders = [TraderKey(name, keys[name].key) for name in names]
    return Simulator(start.url, traders, start.settings.seed, rate_per_s=start.settings.demo_orders_per_second)


def _keep_what_was_loaded() -> None:
    """What the start has loaded stays: without this the collector walks it again and again, at 60 ms a time."""
    gc.collect()
    gc.freeze()
