"""Law: the standing after a command is what a read database that stops at that command says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from services.commands import administrative as admin
from services.commands.attachments import TargetSet
from services.data.calendar import TradingCalendar
from services.reporting.queries import read_year
from services.reporting.report import build_report
from services.reporting.standing import Standing, read_standing
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import write_in_parts
from tests.unit.read_database.decided_history import DecidedHistory, decided_histories
from tests.unit.read_database.history import SENDER

CALENDAR = TradingCalendar.load()


@given(decided_histories(), st.integers(0, 20), st.sampled_from([2023, 2024]))
@settings(max_examples=15)
def test_law_a_standing_of_the_past_is_that_of_a_database_that_stops_there(
    made: DecidedHistory, place: int, year: int
) -> None:
    end = place % len(made.batches)
    target = TargetSet(year=2023, amount=4_000_000, name="less")
    made.batches.append(made.history.batch([admin.record(SENDER, target)]))
    seq = made.batches[end].last_seq

    async def standings() -> tuple[Standing | None, Standing]:
        with TemporaryDirectory() as folder:
            whole, stopped = ReadDatabase(Path(folder) / "whole"), ReadDatabase(Path(folder) / "stopped")
            for database, batches in ((whole, made.batches), (stopped, made.batches[: end + 1])):
                await database.make()
                await write_in_parts(database.writer(), batches, Random(place))
            async with whole.opened() as engine, engine.connect() as connection:
                found = await read_standing(connection, year, seq, CALENDAR)
            async with stopped.opened() as engine, engine.connect() as connection:
                expected = await read_year(connection, year)
            assert expected is not None
            return found, Standing.of_report(build_report(year, expected, CALENDAR))

    found, expected = asyncio.run(standings())
    assert found == expected
