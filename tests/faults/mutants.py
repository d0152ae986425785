"""Changes that a rig's process makes to itself before it runs a venue: a defect that the rig must catch, or its own clock.

The product has no switch for any of them.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import resource
import signal
import sqlite3
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from matching_engine import Engine
from matching_engine.faults import EngineFault, Fault
from matching_engine.records import CommandKind
from services.cli import running
from services.journal import JournalBusy, connections
from services.journal.batch import JournalBatch
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessFeed
from services.messaging.redis_stream import StreamPublisher
from services.processes import watchdog
from services.read_model import projecting, projector_process, write_lock
from services.sequencer import recovery
from services.values.cursors import Cursors
from services.venue import application, bootstrap
from services.venue import running as core
from services.venue.bootstrap import open_venue


def unsynced_journal() -> None:
    """Acknowledges commits before they are durable: PRAGMA synchronous=OFF."""
    make_durable = connections.make_durable

    def make_careless(connection: sqlite3.Connection, path: Path) -> None:
        make_durable(connection, path)
        connection.execute("PRAGMA synchronous = OFF")
        assert connection.execute("PRAGMA synchronous").fetchone() == (0,)

    connections.make_durable = make_careless


def early_acknowledgement() -> None:
    """Publishes batches when their write starts, not when they are durable; on a slow device, where each kill meets one. Only
    those with orders: of another one nobody tells the projector again, and a start waits until it has read that."""
    append, write = SqliteJournal.append, SqliteJournal._append

    def write_slowly(journal: SqliteJournal, batch: JournalBatch, data: bytes) -> None:
        time.sleep(0.01)
        write(journal, batch, data)

    def append_carelessly(journal: SqliteJournal, batch: JournalBatch) -> Awaitable[None]:
        durable = append(journal, batch)
        if all(command.kind != CommandKind.NEW_ORDER for command in batch.command_list):
            return durable
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    SqliteJournal.append = append_carelessly  # type: ignore[assignment, method-assign]
    SqliteJournal._append = write_slowly  # type: ignore[assignment, method-assign]


def orders_wait_for_redis() -> None:
    """Publishes a batch only when the stream has it: a leader without Redis acknowledges nothing."""
    publish, publishers = InProcessFeed.publish, list[StreamPublisher]()
    run = StreamPublisher.run

    async def run_known(publisher: StreamPublisher) -> None:
        publishers.append(publisher)
        await run(publisher)

    async def publish_late(feed: InProcessFeed, batch: JournalBatch) -> None:
        while any(publisher.trouble is not None for publisher in publishers):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await publish(feed, batch)

    StreamPublisher.run = run_known  # type: ignore[assignment, method-assign]
    InProcessFeed.publish = publish_late  # type: ignore[assignment, method-assign]


def stepped_clock(step_file: Path) -> None:
    """Uses a clock that is ahead of the machine's by the number in the file: nanoseconds, eight bytes, little-endian."""
    with open(step_file, "rb") as file:
        step = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)

    def clock() -> int:
        return time.time_ns() + int.from_bytes(step[:8], "little", signed=True)

    vars(running)["open_venue"] = partial(open_venue, clock=clock)


def full_device() -> None:
    """Limits the files of this process to 512 bytes, as on a full device."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))


class _FaultyEngine:
    """An engine that raises EngineFault after its 10th command."""

    def __init__(self) -> None:
        self._engine = Engine()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def process(self, commands: Any) -> Any:
        if self._engine.last_seq > 10:
            raise EngineFault(1, self._engine.last_seq + 1)
        return self._engine.process(commands)


def _run(engine: type[_FaultyEngine]) -> None:
    """Both modes start with such an engine."""
    for module in (core, recovery):
        vars(module)["Engine"] = engine


def faulty_engine() -> None:
    """Makes the engine raise EngineFault soon after a first start."""
    _run(_FaultyEngine)


POISON = b"poison"
"""The client_order_id of the order that trips an assertion of a poisoned engine."""


class _PoisonedEngine(_FaultyEngine):
    """An engine that raises EngineFault at one order, in whatever state."""

    def process(self, commands: Any) -> Any:
        places = np.flatnonzero(commands["client_order_id"] == POISON)
        if len(places):
            raise EngineFault(Fault.CASH_NOT_CONSERVED, int(commands["seq"][places[0]]))
        return self._engine.process(commands)


def poisoned_engine() -> None:
    """Makes the engine raise EngineFault at the order POISON."""
    _run(_PoisonedEngine)


def broken_cursors() -> None:
    """A defect in a route: lists with a cursor fail with an error that nobody expects, and that tells what it was given."""

    id_of = Cursors.id_of

    def id_or_defect(self: Cursors, cursor: str | None) -> int:
        if cursor is None:
            return id_of(self, cursor)
        raise RuntimeError(f"a defect meets {cursor}")

    Cursors.id_of = id_or_defect  # type: ignore[method-assign]


def stuck_after_a_fault() -> None:
    """Makes the engine raise EngineFault, and the end hang."""
    faulty_engine()
    stuck_end(0.5)


def stuck_end(watchdog_s: float) -> None:
    """Makes the journal's close never end; the watchdog has so many seconds.

    In the venue only: its projector, a fork that no watchdog ends, would stay for ever.
    """
    watchdog.SECONDS = watchdog_s
    venue, release = os.getpid(), SqliteJournal._release

    def stuck(journal: SqliteJournal) -> None:
        if os.getpid() == venue:
            time.sleep(3600)
        release(journal)

    SqliteJournal._release = stuck  # type: ignore[assignment, method-assign]


def impatient_end() -> None:
    """The venue and its readers wait for the projector for half a second only."""
    for module, name in ((projector_process, "PATIENCE_S"), (core, "PATIENCE_S"), (application, "PROJECTED_S")):
        vars(module)[name] = 0.5
    vars(bootstrap)["SILENT_S"] = 0.25


def held_lock() -> None:
    """The projector's process finds its lock held."""

    @contextmanager
    def held(_path: Path) -> Iterator[None]:
        raise JournalBusy("the lock is held")
        yield

    vars(projecting)["write_lock"] = held


def continue_while_waiting(stopped: int) -> None:
    """Whenever the venue waits for the read database's lock, the stopped process goes on."""

    def sleep(seconds: float) -> None:
        os.kill(stopped, signal.SIGCONT)
        time.sleep(seconds)

    vars(write_lock)["time"] = SimpleNamespace(monotonic=time.monotonic, sleep=sleep)
