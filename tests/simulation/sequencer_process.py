"""`rex sequencer`, simulated: the composition of services/scaled/sequencer.py, without health, proof, alerts and Redis."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from matching_engine import Engine
from services.commands.readable import check_readable
from services.journal.batch import JournalBatch
from services.journal.postgres.journal import PostgresJournal
from services.messaging.in_process import InProcessFeed
from services.messaging.link.server import inbox_of_links, serve_links
from services.sequencer.clock import GuardedClock
from services.sequencer.recovery import Recovery, recover, recover_from_snapshot
from services.sequencer.repeats import REMEMBERED_COMMANDS, OnceInbox
from services.sequencer.sequencer import Sequencer
from services.sequencer.skips import Skips
from services.sequencer.standby import Standby
from services.sequencer.start import check_clock, make_sequencer
from services.venue.parts import Parts, cancel
from tests.simulation.channel import Listener
from tests.simulation.database import URL
from tests.simulation.genesis import calendar
from tests.simulation.process import Process
from tests.simulation.promises import Promises

if TYPE_CHECKING:
    from tests.simulation.venue import Venue

SECRET = "simulated"
STOP_S = 5.0


class WatchedFeed(InProcessFeed):
    """The leader's feed: the promises see what is published."""

    def __init__(self, promises: Promises, name: str) -> None:
        super().__init__()
        self._promises = promises
        self._name = name

    async def publish(self, batch: JournalBatch) -> None:
        """Adds the batch to every subscription."""
        self._promises.published(self._name, batch)
        await super().publish(batch)


class SequencerProcess:
    """A standby that becomes the leader."""

    def __init__(self, venue: Venue, process: Process, life: int) -> None:
        self._venue = venue
        self._process = process
        self._url = f"ws://{process.name}:{life}"
        self.engine: Any = None
        self.journal: PostgresJournal | None = None
        self.sequencer: Sequencer | None = None
        self._open_links = AsyncExitStack()
        self._handed_over = asyncio.Event()

    async def run(self) -> None:
        """Follows, claims and leads until an error ends it, or `stop`."""
        self.journal = journal = await PostgresJournal.open(URL)
        engine, recovery = await self._recover(journal)
        self.engine = engine
        clock = self._venue.clock_of(self._process)
        standby = Standby(engine, journal, self._url, recovery.last_hash, clock=clock, check=self._check_clock)
        beats: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as tasks:
            parts = Parts(tasks, self._fault)
            try:
                claimed = await standby.lead(lambda: beats.append(parts.start(journal.watch(), "journal")))
                self._venue.world.note(f"{self._process.name} leads epoch {claimed.epoch} from {claimed.last_seq}")
                self._venue.world.count("take-overs")
                await self._lead(parts, journal)
            finally:
                await cancel(beats)
            await self._handed_over.wait()

    async def _check_clock(self, now_ns: int) -> None:
        assert self.journal is not None
        await check_clock(self.engine, self.journal, now_ns, calendar=calendar(), schedule="always", accept_clock=False)

    def last_seq_in(self, epoch: int) -> int | None:
        """How far its engine is; None while it starts, and of a leader of another epoch: that one has yet to learn that it was
        deposed, and its engine has executed what no journal holds."""
        if self.engine is None or self.journal is None:
            return None
        if self.sequencer is not None and self.journal.epoch != epoch:
            return None
        return int(self.engine.last_seq)

    async def _recover(self, journal: PostgresJournal) -> tuple[Engine, Recovery]:
        found = await recover_from_snapshot(journal, self._venue.snapshots)
        if found is not None:
            self._venue.world.count("starts from a snapshot")
            return found
        engine = Engine()
        return engine, await recover(engine, journal)

    def _fault(self, error: BaseException) -> None:
        self._venue.world.note(f"{self._process.name}: {type(error).__name__}")

    async def _lead(self, parts: Parts, journal: PostgresJournal) -> None:
        inbox, feed = inbox_of_links(), WatchedFeed(self._venue.promises, self._process.name)
        clock = self._venue.clock_of(self._process)
        sequencer = await make_sequencer(
            self.engine,
            journal,
            inbox,
            feed,
            clock=GuardedClock(clock, self._venue.steady_ns),
            calendar=calendar(),
            schedule="always",
            accept_clock=False,
        )
        once, skips = OnceInbox(inbox), Skips()
        async for batch in journal.read(max(0, self.engine.last_seq - REMEMBERED_COMMANDS)):
            once.learn(batch)
            skips.learn(batch)
        readers = [parts.start(once.follow(journal, feed, self.engine.last_seq), "repeats")]
        self.sequencer = sequencer
        listener: Any = Listener(self._venue.network, self._url)
        try:
            async with self._open_links:
                await self._open_links.enter_async_context(
                    serve_links(
                        listener,
                        SECRET,
                        inbox=skips.before(once),
                        feed=feed,
                        journal_id=journal.journal_id,
                        epoch=journal.epoch,
                        last_seq=lambda: sequencer.last_seq,
                        check=check_readable,
                    )
                )
                await sequencer.run()
        finally:
            await cancel(readers)

    async def stop(self) -> None:
        """SIGTERM: takes nothing more in, journals what it has, hands over."""
        try:
            await self._open_links.aclose()
            if self.sequencer is not None and self.journal is not None:
                async with asyncio.timeout(STOP_S):
                    await self.sequencer.stop()
                await self.journal.hand_over()
        except TimeoutError:  # What was not journaled was not acknowledged.
            pass
        finally:
            self._handed_over.set()
