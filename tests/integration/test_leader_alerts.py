"""The alerts of a leading sequencer: what its health says of them, whatever its settings let it raise."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from matching_engine import Engine
from services.commands import administrative as admin
from services.commands.attachments import AlertCleared
from services.data.calendar import TradingCalendar
from services.journal.batch import JournalBatch
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.scaled.alerts import LeaderAlerts
from services.venue.settings import Settings
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_alerts import Proofs
from tests.integration.test_read_database_kinds import write_in_parts
from tests.patience import PATIENCE_S
from tests.unit.alerts.test_conditions import condition
from tests.unit.read_model.history import SENDER, History

pytestmark = pytest.mark.anyio


class Journal:
    """A journal that holds these batches, and tells when a reader has applied them all."""

    def __init__(self, batches: list[JournalBatch]) -> None:
        self.batches = batches
        self.applied = asyncio.Event()

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        for batch in self.batches:
            if batch.last_seq > after_seq:
                yield batch
        self.applied.set()


async def test_open_critical_alerts_are_in_its_health_where_it_raises_and_sends_none(
    tmp_path: Path, postgres_url: str
) -> None:
    """Two were raised before the setting was turned off; one of them the read database has not seen cleared yet."""
    critical = [replace(condition("journal_quiet", number), severity="critical").raised() for number in range(2)]
    engine = Engine()
    history = History(engine)
    batches = [
        history.batch([admin.recorded(SENDER, critical)]),
        history.batch([admin.recorded(SENDER, [AlertCleared(alert=1)])]),
    ]
    database = ReadDatabase(tmp_path, postgres_url)
    await database.make()
    await write_in_parts(database.writer(), batches[:1], Random(0))
    journal = Journal(batches)
    settings = Settings(data_dir=tmp_path, database_url=postgres_url, alerts_every_s=0)
    alerts = LeaderAlerts(
        settings, engine=engine, journal=journal, feed=InProcessFeed(), inbox=InProcessInbox(),
        calendar=TradingCalendar.load(), proofs=Proofs(), clock=time.time_ns,
    )  # fmt: skip
    running, read = asyncio.create_task(alerts.run()), asyncio.create_task(journal.applied.wait())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([running, read], return_when=asyncio.FIRST_COMPLETED)
        assert alerts.warnings() == ["Alert 2 (journal_quiet) is open: GET /v1/alerts."]
    finally:
        for task in (running, read):
            task.cancel()
        await asyncio.wait([running, read])
