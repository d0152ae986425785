"""Laws in SQLite and in PostgreSQL: gross − busted − excluded = net, and members, phases and goods add up, after any busts,
exclusions and re-inclusions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.data.calendar import TradingCalendar
from services.read_model import tables
from services.reporting.app import router
from services.reporting.decision_routes import Deciders
from services.reporting.decision_routes import router as decided_router
from services.reporting.queries import Sum, sum_of_excluded
from services.reporting.turns import ReportTurns
from tests.integration.read_databases import Dump, ReadDatabase
from tests.integration.test_past_kinds import Rows
from tests.integration.test_read_database_kinds import write_in_parts
from tests.long import examples
from tests.patience import AsyncHttpClient
from tests.unit.read_model.daily_laws import assert_daily_laws, assert_the_venue_has_the_fees
from tests.unit.read_model.decided_history import DecidedHistory, decided_histories

DAY = [column.name for column in tables.daily_turnover.columns]
PLACES = {
    state: [DAY.index(name) for name in names]
    for state, names in {
        "counts": ("trades", "quantity_lots", "amount_fen"),
        "busted": ("busted", "busted_lots", "busted_fen"),
        "excluded": ("excluded", "excluded_lots", "excluded_fen"),
    }.items()
}


async def excluded_at(database: ReadDatabase, made: DecidedHistory) -> list[Sum]:
    """What decisions exclude from each year, after each step."""
    async with database.opened() as engine, engine.connect() as connection:
        seqs = [batch.last_seq for batch in made.batches]
        return [await sum_of_excluded(connection, year, seq) for seq in seqs for year in (2023, 2024)]


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
@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_kinds_add_up_alike(both: list[ReadDatabase], made: DecidedHistory, seed: int) -> None:
    async def dumps() -> list[tuple[Dump, list[Sum]]]:
        found = []
        for number, database in enumerate(both):
            await write_in_parts(database.writer(), made.batches, Random(seed + number))
            found.append((await database.dump(), await excluded_at(database, made)))
            await database.empty()
        return found

    in_sqlite, in_postgres = asyncio.run(dumps())
    assert_adds_up(in_sqlite[0], made)
    assert_daily_laws(in_sqlite[0])
    assert_the_venue_has_the_fees(in_sqlite[0])
    assert in_postgres == in_sqlite
    sums = made.sums("excluded")
    at_the_end = [
        Sum(
            *(
                sum(values)
                for values in zip((0, 0, 0), *(sums[day] for day in sums if day[0] // 10_000 == year), strict=True)
            )
        )
        for year in (2023, 2024)
    ]
    assert in_sqlite[1][-2:] == at_the_end


@pytest.mark.anyio
async def test_who_decided_what_is_read_alike_from_both_kinds(read_database: ReadDatabase) -> None:
    made = DecidedHistory()
    first, second = made.trade(0, 4), made.trade(1, 3)
    made.decide("exclude", [first, second])
    made.decide("include", [second])
    await write_in_parts(read_database.writer(), made.batches, Random(0))
    app = FastAPI()
    async with read_database.opened() as engine:
        turns = ReportTurns(fresh_s=0)
        app.include_router(router(engine, TradingCalendar.load(), _at_once, Rows(made.batches), turns, turns))
        app.include_router(decided_router(engine, _at_once, Deciders(lambda _id: None, lambda _request: True)))
        async with AsyncHttpClient(transport=httpx.ASGITransport(app), base_url="http://rex") as client:
            newest, oldest = (await client.get("/v1/reports/decisions", params={"year": 2023})).json()
            (target,) = (await client.get("/v1/reports/targets/2023")).json()["targets"]
            report = (await client.get("/v1/reports/turnover/2023")).json()
    assert (oldest["decision"], oldest["trade_ids"], oldest["amount"], oldest["trades_excluded_by_it"]) == (
        "exclude", [str(first.trade_id), str(second.trade_id)], "49990.00", 1,
    )  # fmt: skip
    assert (newest["decision"], newest["amount"], newest["trades_excluded_by_it"]) == ("include", "9990.00", 0)
    assert (target["amount"], target["in_force"]) == ("23000000000.00", True)
    assert (report["gross"], report["excluded"], report["net"]) == ("49990.00", "40000.00", "9990.00")


async def _at_once(_seq: int) -> None:
    """The read database has what was written."""
