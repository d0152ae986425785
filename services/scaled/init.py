"""`rex init`: what the first start of an embedded venue does, once: instruments, guards, target, keys."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from matching_engine import Engine
from matching_engine.records import EventKind
from services.data.calendar import TradingCalendar
from services.data.trading_hours import TradingHours, local_day
from services.files.data_folder import make_private_folder
from services.journal.errors import JournalMissing, JournalRefused
from services.journal.postgres.connections import Database
from services.journal.postgres.journal import PostgresJournal
from services.journal.postgres.tables import initialise as make_journal
from services.journal.postgres.writer_row import WriterRow
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.scaled.stores import open_stores
from services.sequencer.clock import GuardedClock
from services.sequencer.standby import Standby
from services.sequencer.start import make_sequencer
from services.venue.application import load_gateway, make_reader
from services.venue.errors import InitRefused
from services.venue.first_start import KEYS_FILE, seed, what_every_venue_has
from services.venue.parts import Parts, cancel
from services.venue.settings import Settings, require

CLAIM_S = 10.0
"""A silent writer is deposed after 1.5 s. One that is alive after this time is another process."""


class AlreadyInitialised(InitRefused):
    """The database holds a venue."""


@dataclass(frozen=True)
class Initialised:
    """What `rex init` made."""

    journal_id: str
    last_seq: int
    keys_file: Path


async def initialise(settings: Settings) -> Initialised:
    """Makes the journal of an empty, migrated database and journals what every venue has. Writes the keys into `data_dir`.

    A call that was interrupted before its batch was journaled may be repeated. Raises InitRefused, and changes nothing, if
    the journal holds commands or has a writer; SettingsRefused, the journal's errors, and the read database's.
    """
    require(settings, "database_url")
    await _make_journal(settings)
    async with open_stores(settings) as stores:
        journal = stores.journal
        if await _lists_instruments(journal):
            row = await journal.look()
            raise AlreadyInitialised(
                f"the database of REX_DATABASE_URL holds a venue at seq {row.last_seq}; nothing was changed"
            )
        engine, inbox, feed = Engine(), InProcessInbox(), InProcessFeed()
        claimed = await _claim(engine, journal, accept_clock=settings.accept_clock)
        calendar = TradingCalendar.load(settings.calendar_file)
        hours = TradingHours(calendar, settings.schedule)
        gateway = await load_gateway(stores.read_database, inbox, _no_reader, hours=hours, clock=time.time_ns)
        sequencer = await make_sequencer(
            engine,
            journal,
            inbox,
            feed,
            clock=GuardedClock(),
            calendar=calendar,
            schedule=settings.schedule,
            accept_clock=settings.accept_clock,
        )
        keys_file = settings.data_dir / KEYS_FILE
        async with asyncio.TaskGroup() as tasks:
            parts = Parts(tasks, lambda _error: None)
            reader = make_reader(gateway, journal, feed)
            reading = parts.start(reader.run(), "gateway reader")
            await reader.reached(claimed.last_seq)
            parts.start(sequencer.run(), "sequencer")
            year = local_day(time.time_ns())[0].year
            adds = what_every_venue_has(year, demo=settings.demo)
            await seed(keys_file, gateway.state, gateway.order_entry, adds)
            await sequencer.stop()
            await cancel([reading])
        await journal.hand_over()
        return Initialised(journal.journal_id.hex(), sequencer.last_seq, keys_file)


async def initialise_if_empty(settings: Settings) -> Initialised | None:
    """As `initialise`; None if the database holds a venue, and nothing was changed."""
    with contextlib.suppress(AlreadyInitialised):
        return await initialise(settings)
    return None


async def _make_journal(settings: Settings) -> None:
    """Makes the folder for the keys, then the writer row, unless there is one. Raises JournalMissing without its table."""
    database = Database(settings.database_url)
    connection = await database.connect()
    try:
        if await connection.fetchval("SELECT to_regclass('journal_writer')") is None:
            raise JournalMissing(f"{database.name} has no tables of REX: run `rex migrate`, then `rex init`")
        make_private_folder(settings.data_dir)
        with contextlib.suppress(JournalRefused):
            await make_journal(connection)
    finally:
        await connection.close()


async def _lists_instruments(journal: PostgresJournal) -> bool:
    """Whether an earlier call was completed. It may have been interrupted after a day roll and before its own batch."""
    async for batch in journal.read(0):
        if any(event.kind == EventKind.INSTRUMENT_LISTED for event in batch.event_list):
            return True
    return False


async def _claim(engine: Engine, journal: PostgresJournal, *, accept_clock: bool) -> WriterRow:
    """Claims the journal, also after an earlier call that was killed. Raises InitRefused if another process writes it."""
    standby = Standby(engine, journal, "rex init", accept_clock=accept_clock)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLAIM_S):
            return await standby.lead(lambda: None)
    reason = standby.trouble or "another process writes the journal of REX_DATABASE_URL"
    raise InitRefused(f"{reason}; nothing was changed")


async def _no_reader(_seq: int) -> None:
    """Nobody asks for history during the initialisation."""
