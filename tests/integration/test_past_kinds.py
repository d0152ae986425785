"""Law, in SQLite and in PostgreSQL: a year's turnover of any past moment is what was read at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from matching_engine import Engine
from matching_engine.records import Side
from services.commands import administrative as admin
from services.commands.attachments import BustText, ChangeText, TradesDecided, TradesDecision
from services.data.calendar import TradingCalendar
from services.journal import JournalBatch
from services.journal.postgres.journal import PostgresJournal
from services.messaging import Submission
from services.read_model import tables
from services.read_model.projector import catch_up
from services.read_model.write_batch import WriteBatch
from services.reporting.app import router
from services.reporting.as_of import NotReached
from services.reporting.checked_report import report_at_rest
from services.reporting.day_sums import TradeSums
from services.reporting.queries import SUMS, YearTurnover, read_daily, read_year
from services.reporting.report import build_report
from services.reporting.turns import ReportTurns
from services.reporting.year_as_of import read_year_as_of
from tests.integration.postgres_journal import lead
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_reporting_folder import deals
from tests.long import examples
from tests.patience import AsyncHttpClient
from tests.unit.read_model.eventful_history import EventfulHistory, eventful_histories, rows_of_one_command
from tests.unit.read_model.history import JOURNAL_ID, REFERENCE_TICKS, SENDER, History, day_roll, opening, order

YEARS = (2022, 2023, 2024, 2025)
LISTED = ("symbol", "name_en", "name_zh", "category", "family", "unit", "lot_size", "tick_size")
DAY = [column.name for column in tables.daily_turnover.columns if not column.name.startswith("largest")]
LARGEST = ("trading_date", "instrument", "largest_fen", "largest_trade_id")


class Rows:
    """A journal that holds these batches."""

    def __init__(self, batches: list[JournalBatch]) -> None:
        self.batches = batches

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        for batch in self.batches:
            if batch.last_seq > after_seq:
                yield batch


def plain(found: YearTurnover, daily: Any) -> dict[str, Any]:
    """All that reports use of it."""
    largest = found.largest
    return asdict(found) | {
        "position": {name: found.position[name] for name in ("seq", "time_ns", "trading_date", "journal_id")},
        "instruments": {
            number: [facts[name] for name in LISTED] for number, facts in found.instruments.items()
        },
        "by_instrument": {
            number: [sums[name] for name in SUMS] for number, sums in found.by_instrument.items()
        },
        "largest": None if largest is None else [largest[name] for name in LARGEST],
        "daily": [[row[name] for name in DAY] for row in daily],
    }  # fmt: skip


async def read_now(database: ReadDatabase, year: int, sums: TradeSums) -> tuple[YearTurnover, Any]:
    async with database.opened() as engine, engine.connect() as connection:
        assert await sums.differing_days(connection, year) == ()
        found = await read_year(connection, year)
        assert found is not None
        return found, await read_daily(connection, year)


async def check(database: ReadDatabase, batches: list[JournalBatch], seqs: set[int]) -> None:
    """Reads the years when each of the commands is the last one, and again at the end."""
    read: dict[int, list[dict[str, Any]]] = {}
    writer = database.writer()
    position = await writer.start(JOURNAL_ID)
    changes, sums = WriteBatch(position), TradeSums()
    for row in rows_of_one_command(batches):
        changes.add(row)
        if row.last_seq in seqs or row.last_seq == batches[-1].last_seq:
            await writer.write(changes)
            changes = WriteBatch(changes.position)
        if row.last_seq in seqs:
            read[row.last_seq] = [plain(*await read_now(database, year, sums)) for year in YEARS]
    await writer.close()
    async with database.opened() as engine:
        for seq in seqs:
            (holds,) = [batch for batch in batches if batch.first_seq <= seq <= batch.last_seq]
            for year, expected in zip(YEARS, read[seq], strict=True):
                found, daily, _ = await read_year_as_of(engine, Rows(batches), year, seq)
                assert plain(found, daily) == expected
                assert found.position["row_hash"] == holds.hash
                build_report(year, found, TradingCalendar.load())
        with pytest.raises(NotReached, match="ends before seq"):
            await read_year_as_of(engine, Rows(batches), 2023, batches[-1].last_seq + 1)


def decided_over_years() -> list[JournalBatch]:
    """What chance draws seldom: other names, decisions about the year's largest trade, about trades of an earlier year and
    about a trade that was excluded before it was busted; and two prevented self-trades in one row."""
    history, batches = History(Engine()), []

    def row(*parts: Submission) -> int:
        batches.append(history.batch(parts))
        return batches[-1].last_seq << 20 | 1

    def trade(lots: int) -> int:
        return row(order(2, Side.SELL, REFERENCE_TICKS, lots), order(3, Side.BUY, REFERENCE_TICKS, lots))

    def decide(decision: TradesDecision, *trade_ids: int) -> None:
        row(admin.record(SENDER, TradesDecided(decision=decision, trade_ids=trade_ids, reason="a ring", name="Li Na")))

    row(*opening(20221230))
    of_2022, taken_back = trade(9), trade(7)
    decide("exclude", of_2022, taken_back)
    row(admin.bust_trade(SENDER, taken_back, BustText(reason="a mistake")))
    row(day_roll(SENDER, 20230103))
    largest, second = trade(8), trade(6)
    trade(4)
    row(*[order(3, Side.SELL, REFERENCE_TICKS, 1), order(4, Side.BUY, REFERENCE_TICKS, 1)] * 2)
    decide("exclude", largest, second)
    renamed = ChangeText(name_en="Neodymium oxide 4N", reason="a decision")
    row(admin.change_instrument(SENDER, 0, text=renamed))
    row(day_roll(SENDER, 20230104))
    trade(3)
    row(admin.change_instrument(SENDER, 0, max_quantity_lots=500, text=renamed.model_copy(update={"name_en": None})))
    row(admin.change_instrument(SENDER, 0, text=ChangeText(name_zh="氧化钕（四个九）", reason="a decision")))
    decide("include", largest, second, of_2022, taken_back)
    row(day_roll(SENDER, 20240102))
    trade(2)
    decide("exclude", largest, of_2022)
    return batches


def test_an_example_of_each_later_decision(in_file: ReadDatabase) -> None:
    batches = decided_over_years()
    asyncio.run(check(in_file, batches, set(range(batches[0].last_seq, batches[-1].last_seq + 1))))


async def check_drawn(database: ReadDatabase, data: st.DataObject, made: EventfulHistory) -> None:
    seqs = data.draw(st.sets(st.integers(1, made.last_seq), min_size=1, max_size=5))
    try:
        await check(database, made.batches, seqs)
    finally:
        await database.empty()


@given(st.data(), eventful_histories())
@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_past_moment_is_read_as_it_was(in_file: ReadDatabase, data: st.DataObject, made: EventfulHistory) -> None:
    asyncio.run(check_drawn(in_file, data, made))


@pytest.mark.long
@given(st.data(), eventful_histories())
@settings(max_examples=3, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_postgres_too(on_server: ReadDatabase, data: st.DataObject, made: EventfulHistory) -> None:
    asyncio.run(check_drawn(on_server, data, made))


@pytest.fixture
def in_file(tmp_path: Path) -> ReadDatabase:
    database = ReadDatabase(tmp_path)
    asyncio.run(database.make())
    return database


@pytest.fixture
def on_server(tmp_path: Path, postgres_url: str) -> ReadDatabase:
    database = ReadDatabase(tmp_path, postgres_url)
    asyncio.run(database.make())
    return database


@pytest.mark.anyio
async def test_the_route_and_the_command_line_read_the_journal_in_postgres(on_server: ReadDatabase) -> None:
    """A day with a bust, and after it a day with a decision that takes a trade of the first day out."""
    url = on_server.url
    assert url is not None
    journal = await lead(url)
    history = History(Engine(), journal.journal_id, journal.epoch)
    trade_id = (len(opening()) + 2) << 20 | 1
    out = TradesDecided(decision="exclude", trade_ids=(trade_id + (2 << 20),), reason="a ring", name="Li Na")
    steps = [
        [*opening(), *deals(3)],
        [admin.bust_trade(SENDER, trade_id, BustText(reason="a mistake"))],
        [day_roll(SENDER, 20230104), *deals(1)],
        [admin.record(SENDER, out)],
    ]
    app, answers = FastAPI(), {}
    async with on_server.opened() as engine, AsyncExitStack() as opened:
        reader = await PostgresJournal.open(url)
        opened.push_async_callback(reader.close)
        app.include_router(
            router(engine, TradingCalendar.load(), _at_once, reader, ReportTurns(fresh_s=0), ReportTurns())
        )
        client = await opened.enter_async_context(
            AsyncHttpClient(transport=httpx.ASGITransport(app), base_url="http://rex/v1/reports/turnover/")
        )
        for step in steps:
            await journal.append(history.batch(step))
            await catch_up(on_server.writer(), journal)
            answers[history.engine.last_seq] = (await client.get("2023")).json()
        assert [answer["net"] for answer in answers.values()] == ["60000.00", "40000.00", "60000.00", "40000.00"]
        for seq, answer in answers.items():
            assert (await client.get("2023", params={"seq": seq})).json() == answer
    await journal.close()
    for prove in (False, True):
        for seq, answer in answers.items():
            found = await report_at_rest(url, 2023, prove, seq=seq)
            assert (found.report.to_json(), found.agree) == (answer, True)
    with pytest.raises(NotReached, match="its journal ends at seq"):
        await report_at_rest(url, 2023, seq=history.engine.last_seq + 1)


async def _at_once(_seq: int) -> None:
    """The read database has what was written."""
