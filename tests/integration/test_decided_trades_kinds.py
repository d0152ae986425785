"""Law in SQLite and in PostgreSQL: gross − busted − excluded = net, after any busts, exclusions and re-inclusions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.read_database import tables
from tests.integration.read_databases import Dump, ReadDatabase
from tests.integration.test_read_database_kinds import write_in_parts
from tests.unit.read_database.decided_history import DecidedHistory, decided_histories

DAY = [column.name for column in tables.daily_turnover.columns]
PLACES = {
    state: [DAY.index(name) for name in names]
    for state, names in {
        "counts": ("trades", "quantity_lots", "amount_fen"),
        "busted": ("busted", "busted_lots", "busted_fen"),
        "excluded": ("excluded", "excluded_lots", "excluded_fen"),
    }.items()
}


def assert_adds_up(found: Dump, made: DecidedHistory) -> None:
    for state, places in PLACES.items():
        sums = {row[:2]: tuple(row[place] for place in places) for row in found["daily_turnover"]}
        assert {day: values for day, values in sums.items() if any(values)} == made.sums(state)


@pytest.fixture
def both(tmp_path: Path, postgres_url: str) -> list[ReadDatabase]:
    databases = [ReadDatabase(tmp_path), ReadDatabase(tmp_path, postgres_url)]
    for database in databases:
        asyncio.run(database.make())
    return databases


@given(decided_histories(), st.integers(0, 5))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_kinds_add_up_alike(both: list[ReadDatabase], made: DecidedHistory, seed: int) -> None:
    async def dumps() -> list[Dump]:
        found = []
        for number, database in enumerate(both):
            await write_in_parts(database.writer(), made.batches, Random(seed + number))
            found.append(await database.dump())
            await database.empty()
        return found

    in_sqlite, in_postgres = asyncio.run(dumps())
    assert_adds_up(in_sqlite, made)
    assert in_postgres == in_sqlite
