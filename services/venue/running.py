"""A venue at work, without a socket: what an open data folder holds becomes a sequencer, a projector and a gateway.

journal ─► recover ─► sequencer ─► feed ─► projector, gateway (state, market data, replies)
                          ▲
submissions ─► inbox ─────┘
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine import Engine
from services.commands.attachments import CommandSkipped
from services.data.calendar import TradingCalendar
from services.data.trading_hours import TradingHours
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE, make_private_folder
from services.gateway.reader import GatewayReader
from services.gateway.websocket.shared_streams import Timer
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.read_model.audit.differences import differences, differences_of_state
from services.read_model.audit.rebuilt import Rebuilt
from services.read_model.errors import ReadDatabaseFailed
from services.read_model.opening import open_true
from services.read_model.projector import Projector
from services.read_model.projector_process import PATIENCE_S, ProjectorProcess
from services.read_model.read_witness import remembered
from services.read_model.records import read_records
from services.read_model.seq_waiters import ProjectorStopped
from services.read_model.sqlite_writer import SqliteWriter
from services.sequencer.recovery import Recovery, recover, recover_from_snapshot
from services.sequencer.repeats import REMEMBERED_COMMANDS
from services.sequencer.sequencer import Sequencer
from services.sequencer.skips import Skips
from services.sequencer.start import make_sequencer
from services.snapshots.folder import FolderStore
from services.venue.application import Gateway, load_gateway, make_reader
from services.venue.first_start import KEYS_FILE, Adds, IssuedKey, seed
from services.venue.parts import OnFault, Parts, cancel, ignore_fault
from services.venue.settings import Settings

log = structlog.get_logger("rex.venue")

OnProgress = Callable[[int], None]
"""Called during the recovery with the sequence number that it has reached."""


@dataclass(frozen=True)
class Opened:
    """An open data folder: the engine is at the journal's end, and the read database agrees with it."""

    settings: Settings
    calendar: TradingCalendar
    journal: SqliteJournal
    engine: Engine
    recovery: Recovery
    read_database: AsyncEngine


@dataclass(frozen=True)
class Dependencies:
    """What a venue takes from outside: clocks, and the process that projects for it. A test gives its own."""

    clock: Callable[[], int] = time.time_ns
    """The wall clock, in nanoseconds since 1970."""
    stamps: Callable[[], int] = time.time_ns
    """The clock by which the sequencer stamps commands."""
    projector: ProjectorProcess | None = None
    """Without one the projector is in this process."""
    inbox: InProcessInbox = field(default_factory=InProcessInbox)
    timer: Timer | None = None


@dataclass(frozen=True)
class Running:
    """The parts of a venue at work."""

    opened: Opened
    inbox: InProcessInbox
    feed: InProcessFeed
    sequencer: Sequencer
    projector: Projector | ProjectorProcess
    gateway: Gateway
    reader: GatewayReader
    keys: dict[str, IssuedKey]
    """The keys of the data folder by name."""
    parts: Parts
    readers: list[asyncio.Task[None]]

    def start_reader(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Starts a part that is canceled once everything is journaled and projected."""
        self.readers.append(self.parts.start(work, name))


@asynccontextmanager
async def opened_folder(settings: Settings, on_progress: OnProgress | None = None) -> AsyncIterator[Opened]:
    """Opens the data folder, which is made where there is none. At the end all files are closed.

    Raises JournalBusy if another process has the folder open, and the errors of journal and read database.
    """
    calendar = TradingCalendar.load(settings.calendar_file)
    make_private_folder(settings.data_dir)
    read_path = settings.data_dir / READ_DATABASE_FILE
    journal = await SqliteJournal.open(settings.data_dir / JOURNAL_FILE, remembered=partial(remembered, read_path))
    try:
        engine, recovery, read_database = await _recover(settings, journal, on_progress)
        try:
            yield Opened(settings, calendar, journal, engine, recovery, read_database)
        finally:
            await read_database.dispose()
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
    engine = Engine()
    with Rebuilt(journal.journal_id) as rebuilt:
        recovery = await recover(engine, journal, on_progress, rebuilt.add)

        def of_all(connection: sqlite3.Connection) -> list[str]:
            try:
                return differences(connection, engine, rebuilt)
            except ReadDatabaseFailed as failed:
                if settings.full_check:
                    raise
                log.warning("the read database is compared with the engine only", reason=str(failed))
                return differences_of_state(connection, engine, rebuilt.last_batch, every_trade=True)

        return engine, recovery, await open_true(read_path, journal, of_all)


@asynccontextmanager
async def running(
    opened: Opened, adds: Adds, dependencies: Dependencies, on_fault: OnFault = ignore_fault
) -> AsyncIterator[Running]:
    """Starts the parts, each after the parts that it reads from; `adds` names what the folder is to hold from now on. At the
    end everything is journaled and projected.

    Raises ClockRefused if the clock contradicts the journal, and an exception group with the error that stopped a part: a venue
    does not stay open with a part missing. `on_fault` is called at once with each such error.
    """
    settings, inbox, feed = opened.settings, dependencies.inbox, InProcessFeed()
    sequencer = await make_sequencer(
        opened.engine,
        opened.journal,
        inbox,
        feed,
        clock=dependencies.stamps,
        calendar=opened.calendar,
        schedule=settings.schedule,
        accept_clock=settings.accept_clock,
    )
    projector, projecting = _projector(opened, dependencies, feed)
    async with asyncio.TaskGroup() as tasks:
        parts = Parts(tasks, on_fault)
        readers = [parts.start(projecting, "projector"), parts.start(opened.journal.watch(), "journal")]
        await projector.reached(opened.recovery.last_seq)
        gateway = await load_gateway(
            opened.read_database,
            (await _skips(opened)).before(inbox),
            projector.reached,
            hours=TradingHours(opened.calendar, settings.schedule),
            clock=dependencies.clock,
            timer=dependencies.timer,
            behind_tls=settings.behind_tls,
            acts_of_two=settings.four_eyes,
        )
        reader = make_reader(gateway, opened.journal, feed)
        readers.append(parts.start(reader.run(), "gateway reader"))
        parts.start(sequencer.run(), "sequencer")
        keys = await seed(settings.data_dir / KEYS_FILE, gateway.state, gateway.order_entry, adds)
        # What the start added is projected: a projector that cannot begin ends the start.
        await projector.reached(sequencer.last_seq)
        try:
            yield Running(opened, inbox, feed, sequencer, projector, gateway, reader, keys, parts, readers)
        finally:
            await sequencer.stop()
            try:
                await _projected(projector, sequencer.last_seq)
            finally:
                await cancel(readers)


def _projector(
    opened: Opened, dependencies: Dependencies, feed: InProcessFeed
) -> tuple[Projector | ProjectorProcess, Coroutine[Any, Any, None]]:
    """The projector, and its work."""
    folder = opened.settings.data_dir
    if (process := dependencies.projector) is not None:
        return process, process.run(folder / JOURNAL_FILE, folder / READ_DATABASE_FILE, feed)
    projector = Projector(SqliteWriter(folder / READ_DATABASE_FILE), opened.journal, feed)
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


async def _skips(opened: Opened) -> Skips:
    """Those in the read database, which is at the journal's end: to read the last 100,000 commands again would take longer than
    the whole start from a snapshot."""
    skips = Skips()
    async with opened.read_database.connect() as connection:
        for record in await read_records(connection, ["command_skipped"]):
            if record.seq > opened.recovery.last_seq - REMEMBERED_COMMANDS:
                assert isinstance(record.decision, CommandSkipped)
                skips.add(record.seq, record.decision)
    return skips
