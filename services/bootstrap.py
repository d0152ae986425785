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
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine import Engine
from services.dashboard import mount_dashboard
from services.data import load_instruments
from services.data.calendar import TradingCalendar
from services.data_folder import make_private_folder
from services.first_start import DEMO_GUARDS, GUARDS, IssuedKey, Missing, Present, read_keys, write_keys
from services.gateway import websocket
from services.gateway.app import create_app
from services.gateway.channels import Channels
from services.gateway.history import OrderHistory
from services.gateway.keys import ApiKey
from services.gateway.loading import load_state
from services.gateway.order_entry import OrderEntry
from services.gateway.problems import ProblemError
from services.gateway.reader import GatewayReader
from services.gateway.server import SHUTDOWN_SECONDS, listen, make_server, serve
from services.gateway.state import VenueState
from services.gateway.venue import VenueFacts
from services.journal.sqlite import SqliteJournal
from services.journal.upgrades import starting_engine
from services.market_data import load_market
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.reporting.app import router as reports_router
from services.reporting.folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.reporting.journaled import Journaled
from services.reporting.opening import open_true
from services.reporting.projector import Projector, ProjectorStopped
from services.reporting.read_witness import remembered
from services.sequencer.clock import GuardedClock, refuse_clock_behind, steady_ns, time_ahead
from services.sequencer.recovery import Recovery, recover
from services.sequencer.schedule import AlwaysOpen, ExchangeHours, Schedule, date_ahead, local_day
from services.sequencer.sequencer import Sequencer
from services.settings import Settings
from services.simulator import DemoAccount, Simulator, TraderKey, demo_accounts

KEYS_FILE = "keys.json"

OPERATOR = "operator"
PAGES = "pages"


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

OnFault = Callable[[BaseException], None]
"""Told at once of whatever stops a part of the venue; the venue then ends by itself."""


def _no_watch(error: BaseException) -> None:
    """A venue that nobody watches."""


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
            engine, journaled = await starting_engine(journal), Journaled()
            recovery = await recover(engine, journal, on_progress, journaled.add)
            # Nothing is served, and no key known, from a read database that says other than the journal.
            read_database = await open_true(read_path, journal, engine, journaled)
            try:
                async with _run(
                    settings, guarded, clock, calendar, journal, engine, recovery, read_database, listener, on_fault
                ) as venue:
                    yield venue
            finally:
                await read_database.dispose()
        except Exception as error:
            on_fault(error)  # What stopped the start, or the end; a part's own fault was told when it happened.
            raise
        finally:
            await journal.close()


@asynccontextmanager
async def _run(
    settings: Settings,
    guarded: GuardedClock,
    clock: Callable[[], int],
    calendar: TradingCalendar,
    journal: SqliteJournal,
    engine: Engine,
    recovery: Recovery,
    read_database: AsyncEngine,
    listener: socket.socket,
    on_fault: OnFault,
) -> AsyncIterator[Venue]:
    def start(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = parts.create_task(work, name=name)
        task.add_done_callback(partial(_tell_of_fault, on_fault))
        return task

    async def projected(seq: int) -> None:
        try:
            await projector.reached(seq)
        except ProjectorStopped as stopped:
            raise ProblemError(503, "not_ready", "The venue has stopped.") from stopped

    inbox, feed = InProcessInbox(), InProcessFeed()
    may_skip_from = engine.trading_date if settings.accept_clock else 0
    open_when = AlwaysOpen if settings.schedule == "always" else ExchangeHours
    schedule = open_when(calendar, may_skip_from=may_skip_from)
    await _check_clock(settings, guarded(), engine, schedule, journal)
    sequencer = Sequencer(engine, journal, inbox, feed, clock=guarded, schedule=schedule)
    projector = Projector(read_database, journal, feed)
    async with asyncio.TaskGroup() as parts:
        readers = [start(projector.run(), "projector"), start(journal.watch(), "journal")]
        await projector.reached(recovery.last_seq)
        state, market = await load_state(read_database), await load_market(read_database)
        history = OrderHistory(state, read_database, projected)
        entry = OrderEntry(state, inbox, history)
        channels = Channels(state, market)
        reader = GatewayReader(journal, feed, state=state, market=market, order_entry=entry, fan_out=channels.publish)
        readers.append(start(reader.run(), "gateway reader"))
        start(sequencer.run(), "sequencer")
        keys = await _complete(settings, clock, state, entry)
        # A venue that listens on every address of a container is still at home on loopback.
        url = f"http://{'127.0.0.1' if settings.host == '0.0.0.0' else settings.host}:{listener.getsockname()[1]}"
        app = create_app(
            state=state,
            market=market,
            order_entry=entry,
            inbox=inbox,
            read_database=read_database,
            projected=projected,
            routers=[
                websocket.router(
                    state=state,
                    order_entry=entry,
                    channels=channels,
                    clock=clock,
                    max_websockets_per_key=settings.max_websockets_per_key,
                ),
                reports_router(read_database, calendar, projected),
            ],
            allowed_hosts=settings.allowed_hosts,
            not_ready=lambda: [] if journal.failed is None else [f"{journal.failed}."],
            warnings=lambda: [
                *time_ahead(sequencer.time_ns, clock()),
                *date_ahead(calendar, engine.trading_date, clock()),
            ],
            facts=VenueFacts(schedule=settings.schedule, demo=settings.demo),
            request_log=settings.request_log,
        )
        dashboard = mount_dashboard(
            app,
            url=lambda: url,
            read_key=keys[PAGES].key,
            trader_key=keys[_desk().name].key if settings.demo else None,
            operator_key=keys[OPERATOR].key if settings.demo else None,
        )
        server = make_server(
            app,
            max_connections=settings.max_connections,
            max_connections_per_address=settings.max_connections_per_address,
        )
        serving = start(serve(server, listener), "server")
        clients = [start(dashboard.run(), "pages")]
        if settings.demo:
            clients.append(start(_simulator(settings, url, keys).run(), "simulator"))
        # What the start has loaded stays: without this the collector walks it again and again, at 60 ms a time.
        gc.collect()
        gc.freeze()
        try:
            yield Venue(url, keys, recovery, engine, journal, sequencer, projector, read_database, calendar)
        finally:
            # From the outside in: first nobody asks for more, then what was taken in is finished and shown.
            await _end(clients)
            server.end(SHUTDOWN_SECONDS)
            await asyncio.wait([serving])
            await sequencer.stop()
            with contextlib.suppress(ProjectorStopped):
                await projector.reached(sequencer.last_seq)
            await _end(readers)


async def _check_clock(
    settings: Settings, now_ns: int, engine: Engine, schedule: Schedule, journal: SqliteJournal
) -> None:
    """Raises ClockRefused where a start at this instant needs an operator's word and does not have it."""
    last = await journal.last_row()
    if last is not None and not settings.accept_clock:
        refuse_clock_behind(now_ns, last.time_ns)
    schedule.due(engine.trading_date, engine.venue_phase, now_ns)


def _tell_of_fault(on_fault: OnFault, part: asyncio.Task[None]) -> None:
    if not part.cancelled() and (error := part.exception()) is not None:
        on_fault(error)


def _desk() -> DemoAccount:
    """The account behind the trader page of a demo venue."""
    return next(account for account in demo_accounts() if account.role == "desk")


def _simulator(settings: Settings, url: str, keys: dict[str, IssuedKey]) -> Simulator:
    names = [account.name for account in demo_accounts() if account.role != "desk"]
    traders = [TraderKey(name, keys[name].key) for name in names]
    return Simulator(url, traders, settings.seed, rate_per_s=settings.demo_orders_per_second)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


async def _complete(
    settings: Settings, clock: Callable[[], int], state: VenueState, entry: OrderEntry
) -> dict[str, IssuedKey]:
    """Adds to the venue what this start wants and it lacks; returns the keys of its data folder."""
    keys_file = settings.data_dir / KEYS_FILE
    missing = Missing(
        Present(
            instruments={symbol: instrument.number for symbol, instrument in state.by_symbol.items()},
            accounts={account.name: number for number, account in state.accounts.items()},
            opened=len(state.accounts),
            key_hashes=frozenset(state.keys),
        ),
        read_keys(keys_file),
    )
    guards = DEMO_GUARDS if settings.demo else GUARDS
    missing.venue(load_instruments(), year=local_day(clock())[0].year, guards=guards)
    missing.key(OPERATOR, 0, ("read", "operate", "admin"))
    missing.key(PAGES, 0, ("read",))
    if settings.demo:
        for trader in demo_accounts():
            missing.trader(trader.name, trader.cash_fen, trader.lots)
    if missing.parts:
        write_keys(keys_file, missing.keys)
        await entry.execute(ApiKey(0, 0, "first start", frozenset()), missing.submission)
    return missing.keys
