"""`rex projector`, simulated: the product's projector over a journal without a feed, and a read database in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from services.journal.postgres.journal import PostgresJournal
from services.messaging.polled import PolledFeed
from services.read_model.projector import Projector
from tests.simulation.database import URL
from tests.simulation.process import Process
from tests.simulation.read_model import ModelWriter

if TYPE_CHECKING:
    from tests.simulation.venue import Venue

POLL_S = 0.3
"""Less often than in the product: it reads much and finds little."""


class ProjectorProcess:
    """Follows the journal."""

    def __init__(self, venue: Venue, process: Process, life: int) -> None:
        self._venue = venue
        self.journal: PostgresJournal | None = None
        self._chance = venue.world.random(f"{process.name} {life}")

    async def run(self) -> None:
        """Projects until an error ends it."""
        journal = self.journal = await PostgresJournal.open(URL)
        writer = ModelWriter(self._venue.model, self._venue.server, self._venue.weather, self._chance)
        projector = Projector(writer, journal, PolledFeed(POLL_S))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(journal.watch())
            tasks.create_task(projector.run())
