"""Changes that a rig's process makes to itself before it runs a venue: a defect that the rig must catch, or its own clock.

The product has no switch for any of them.
"""

from __future__ import annotations

import asyncio
import mmap
import resource
import sqlite3
import time
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import Any

from matching_engine import Engine
from matching_engine.faults import EngineFault
from services import watchdog
from services.bootstrap import open_venue
from services.cli import running
from services.engine_versions import upgrades
from services.journal import connections
from services.journal.batch import JournalBatch
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessFeed
from services.messaging.redis_stream import StreamPublisher


def unsynced_journal() -> None:
    """Acknowledges commits before they are durable: PRAGMA synchronous=OFF."""
    make_durable = connections.make_durable

    def make_careless(connection: sqlite3.Connection, path: Path) -> None:
        make_durable(connection, path)
        connection.execute("PRAGMA synchronous = OFF")
        assert connection.execute("PRAGMA synchronous").fetchone() == (0,)

    connections.make_durable = make_careless


def early_acknowledgement() -> None:
    """Publishes batches when their write starts, not when they are durable."""
    append = SqliteJournal.append

    def append_carelessly(journal: SqliteJournal, batch: JournalBatch) -> Awaitable[None]:
        append(journal, batch)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    SqliteJournal.append = append_carelessly  # type: ignore[assignment, method-assign]


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


def faulty_engine() -> None:
    """Makes the engine raise EngineFault soon after a first start."""
    vars(upgrades)["Engine"] = _FaultyEngine


def stuck_after_a_fault() -> None:
    """Makes the engine raise EngineFault and the journal's close never end; the watchdog's time is half a second."""
    faulty_engine()
    watchdog.SECONDS = 0.5
    SqliteJournal._release = lambda self: time.sleep(3600)  # type: ignore[method-assign]
