"""The queries of a year read what they name and no more: SQLite's plan scans no table that grows with the venue's age."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.read_model.database import open_read_database
from services.read_model.tables import trades
from services.reporting.breakdown.reading import read_releases, whole_year
from services.reporting.trades_as_of import read_best, read_day_at, read_moved

pytestmark = pytest.mark.anyio

Read = Callable[[AsyncConnection], Awaitable[Any]]
QUERIES: dict[str, Read] = {
    "the day under way": lambda connection: read_day_at(connection, 20231201, 90),
    "what later decisions moved": lambda connection: read_moved(connection, 20230101, 20231201, 90),
    "the largest of a day": lambda connection: read_best(connection, 90, trades.c.trading_date == 20231201),
    "what was taken out": lambda connection: read_releases(connection, whole_year(2023)),
}
GROWING = ("trades", "decided_trades", "goods_movements", "daily_turnover")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    one = open_read_database(tmp_path / "read.db")
    yield one
    await one.dispose()


async def plan_of(engine: AsyncEngine, read: Read) -> list[str]:
    """What SQLite does for the queries, a line for each step."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    async with engine.connect() as connection:
        event.listen(engine.sync_engine, "before_cursor_execute", note)
        await read(connection)
        event.remove(engine.sync_engine, "before_cursor_execute", note)
        steps: list[str] = []
        for statement, values in asked:
            found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps += [step["detail"] for step in found.mappings()]
    return steps


@pytest.mark.parametrize("what", QUERIES)
async def test_scans_no_table_that_grows(engine: AsyncEngine, what: str) -> None:
    steps = await plan_of(engine, QUERIES[what])
    assert any(step.startswith("SEARCH") for step in steps)
    assert not [step for step in steps if step.startswith("SCAN") and step.split()[1] in GROWING]
