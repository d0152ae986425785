"""The same journal makes the same read database in SQLite and in PostgreSQL, wherever its transactions end."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from services.journal.batch import JournalBatch
from services.read_database.changes import Changes
from services.read_database.writer import ReadDatabaseWriter
from tests.integration.read_databases import ReadDatabase
from tests.property.engine_flow import Flow, terms, venue
from tests.unit.read_database.history import JOURNAL_ID, batches_of


def flow_of(seed: int, commands: int) -> list[JournalBatch]:
    """The batches of every kind of command: icebergs, stops, amends, auctions, busts, limits, and invalid commands."""
    flow = Flow(seed)
    flow.extend(venue())
    flow.extend(terms(flow.chance))
    while len(flow.commands) < commands:
        flow.stretch()
    return [batch for _, batch in batches_of(flow.commands, Random(seed))]


async def write_in_parts(writer: ReadDatabaseWriter, batches: list[JournalBatch], chance: Random) -> None:
    """Writes the batches in transactions of 1 to 12 batches."""
    position = await writer.start(JOURNAL_ID)
    waiting = list(batches)
    while waiting:
        changes = Changes(position)
        for batch in [waiting.pop(0) for _ in range(min(chance.randint(1, 12), len(waiting)))]:
            changes.add(batch)
        await writer.write(changes)
        position = changes.position
    await writer.close()


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(4))
async def test_both_kinds_hold_the_same_rows(tmp_path: Path, postgres_url: str, seed: int) -> None:
    batches = flow_of(seed, 1_000)
    in_sqlite, in_postgres = ReadDatabase(tmp_path), ReadDatabase(tmp_path, postgres_url)
    for number, database in enumerate((in_sqlite, in_postgres)):
        await database.make()
        await write_in_parts(database.writer(), batches, Random(seed * 10 + number))
    found = await in_sqlite.dump()
    assert await in_postgres.dump() == found
    assert all(found[name] for name in ("orders", "trades", "levels", "holdings", "fees", "daily_turnover"))
