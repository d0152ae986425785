"""The open alerts of a process without a gateway: loaded from the read database, kept current from the journal."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine.records import EventKind
from services.commands.attachments import read_decision
from services.journal.batch import JournalBatch
from services.messaging import Feed
from services.messaging.tail import Readable, tail
from services.read_model.tables import position
from services.venue_state.alerts import OfAlerts, VenueAlerts
from services.venue_state.loading import load_alerts


class FollowedAlerts:
    """The open alerts after the command `last_seq`."""

    def __init__(self, alerts: VenueAlerts, last_seq: int) -> None:
        self.alerts = alerts
        self.last_seq = last_seq

    @classmethod
    async def load(cls, read_database: AsyncEngine) -> FollowedAlerts:
        """At the read database's position."""
        alerts = VenueAlerts()
        async with read_database.connect() as connection:
            seq = await connection.scalar(select(position.c.seq)) or 0
            await load_alerts(connection, alerts)
        return cls(alerts, seq)

    async def run(self, journal: Readable, feed: Feed) -> None:
        """Applies every batch after last_seq until it is canceled. Raises the journal's errors."""
        async for batch in tail(journal, feed, self.last_seq):
            self.apply(batch)

    def apply(self, batch: JournalBatch) -> None:
        """Applies the alerts of a batch; only batches with attachments have any."""
        if batch.attachments:
            for applied in batch.applied(self.last_seq):
                if applied.event.kind == EventKind.RECORDED:
                    change = read_decision(applied.attachment)
                    if isinstance(change, OfAlerts):
                        self.alerts.apply(applied, change)
        self.last_seq = max(self.last_seq, batch.last_seq)
