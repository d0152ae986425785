"""Snapshots in the simulated PostgreSQL, and the process that takes them beside the standby."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from services.journal.errors import JournalError
from services.journal.postgres.journal import PostgresJournal
from services.snapshots.errors import SnapshotFailed
from services.snapshots.record import Snapshot, header_of
from services.snapshots.store import KeptSnapshot
from services.snapshots.taking import take
from tests.simulation.database import URL
from tests.simulation.postgres import PostgresServer
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.venue import Venue


class SimulatedStore:
    """The table `snapshots`: in the server of the journal, as that of services/snapshots/postgres.py."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._kept: dict[int, bytes] = {}

    def name(self, seq: int) -> str:
        """See SnapshotStore."""
        return f"the snapshot at seq {seq}"

    async def kept(self) -> list[KeptSnapshot]:
        """See SnapshotStore."""
        await self._connected()
        return [KeptSnapshot(seq, len(data), header_of(data)) for seq, data in sorted(self._kept.items(), reverse=True)]

    async def read(self, seq: int) -> bytes | None:
        """See SnapshotStore."""
        await self._connected()
        return self._kept.get(seq)

    async def write(self, snapshot: Snapshot) -> None:
        """See SnapshotStore. The commit waits until the standby has it, and everything before it."""
        await self._connected()
        session, place = self._server.process, len(self._server.log) - 1
        while self._server.replicated < place:
            await asyncio.sleep(0.05)
            if self._server.process is not session:
                raise SnapshotFailed("the connection was closed")
        await self._connected()
        self._kept[snapshot.header.seq] = snapshot.data

    async def remove(self, seq: int) -> None:
        """See SnapshotStore."""
        await self._connected()
        self._kept.pop(seq, None)

    async def _connected(self) -> None:
        await asyncio.sleep(0.002)
        if not self._server.up:
            raise SnapshotFailed("the server is away")


class SnapshotProcess:
    """Takes one snapshot after the other."""

    def __init__(self, venue: Venue, process: Process, life: int) -> None:
        self._venue = venue
        self._chance = venue.world.random(f"{process.name} {life}")
        self.journal: PostgresJournal | None = None

    async def run(self) -> None:
        """Until an error ends it. In the product each snapshot has a process of its own, and its errors are warnings."""
        self.journal = journal = await PostgresJournal.open(URL)
        while True:
            await asyncio.sleep(self._chance.uniform(0.5, 3.0))
            try:
                taken = await take(journal, self._venue.snapshots, clock=self._venue.steady_ns)
            except (SnapshotFailed, JournalError) as error:
                self._venue.world.note(f"no snapshot: {error}")
                await journal.close()
                return
            seq = 0 if taken.header is None else taken.header.seq
            self._venue.world.note(f"snapshot at {seq} from {taken.followed_from}, without {taken.removed}")
            self._venue.world.count("snapshots", bool(taken.size_bytes))
