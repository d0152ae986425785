"""Writes a year of trades straight into read databases of both kinds, and its last day into a journal: no engine runs.

The rows are those that the projector would leave. 10,000,000 trades through engine, journal and projector would take an hour.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import numpy as np
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from load_tests.benchmarks.measurement import Effort
from load_tests.benchmarks.projector_rates import journal_batches
from load_tests.benchmarks.year_of_trades import FIRST_ACCOUNT, MEMBERS, TRADE_COLUMNS, DayOfTrades, Row, YearOfTrades
from matching_engine.records import COMMAND, EVENT
from services.data.instruments import TERMS_ARE_ASSUMED, InstrumentFacts
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.sqlite import SqliteJournal
from services.read_model import tables
from services.read_model.database import connect_writer, open_read_database
from services.read_model.postgres.database import make_tables
from services.read_model.tables import insert_into
from services.reporting.as_of import PreventedSelfTrades

_COPY_BEGINS = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_ENDS = b"\xff\xff"
_INDEXES = sorted(tables.trades.indexes, key=lambda index: str(index.name))


class LastDay(NamedTuple):
    """The journal of the last day: real commands and events, numbered from 1."""

    batches: list[JournalBatch]

    @property
    def commands(self) -> int:
        """How many."""
        return self.batches[-1].last_seq

    @property
    def prevented(self) -> dict[int, tuple[int, int]]:
        """Self-trades prevented, and the lots taken from their orders, by instrument."""
        found = PreventedSelfTrades(1, self.commands)
        found.add([batch.events for batch in self.batches])
        return found.by_instrument


def last_day(effort: Effort) -> LastDay:
    """The standard flow of 8 instruments in rows of 256 commands."""
    return LastDay(list(journal_batches(bytes(16), 1, effort)))


async def write_journal(path: Path, day: LastDay, first_seq: int) -> tuple[bytes, bytes]:
    """A journal of the day, which is numbered from first_seq on, after a row of one empty command. Its id, and the last row's
    hash."""
    journal = await SqliteJournal.open(path)
    await journal.close()
    before = first_seq - 1
    rows = [JournalBatch(journal.journal_id, journal.epoch, before, before, 0, NO_HASH, bytes(COMMAND.itemsize), b"")]
    for batch in day.batches:
        rows.append(_moved(batch, rows[-1], before))
    with closing(sqlite3.connect(path)) as connection, connection:
        stored = ((row.first_seq, row.last_seq, row.epoch, row.encode()) for row in rows)
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", stored)
    return journal.journal_id, rows[-1].hash


def _moved(batch: JournalBatch, last: JournalBatch, by: int) -> JournalBatch:
    """The batch with higher numbers, after the batch `last`."""
    commands, events = np.frombuffer(batch.commands, COMMAND).copy(), np.frombuffer(batch.events, EVENT).copy()
    commands["seq"] += by
    events["seq"] += by
    return replace(
        batch, journal_id=last.journal_id, epoch=last.epoch, first_seq=batch.first_seq + by, last_seq=batch.last_seq + by,
        previous_hash=last.hash, commands=commands.tobytes(), events=events.tobytes(),
    )  # fmt: skip


async def fill(path: Path, url: str, year: YearOfTrades, journal_id: bytes, row_hash: bytes) -> None:
    """Makes the tables in both places and fills them."""
    await open_read_database(path).dispose()
    await make_tables(url)
    small = _small_tables(year, journal_id, row_hash)
    connection = await asyncpg.connect(url)
    try:
        with closing(connect_writer(path)) as file:
            file.execute("PRAGMA journal_mode=OFF")
            file.execute("PRAGMA synchronous=OFF")
            file.execute("BEGIN")
            days: list[DayOfTrades] = []
            await _fill_trades(file, connection, year, days)
            for table, rows in {**small, **_sums(days), **_busts(days)}.items():
                file.executemany(insert_into(table), rows)
                columns = [column.name for column in table.columns]
                await connection.copy_records_to_table(table.name, records=rows, columns=columns)
            file.execute("COMMIT")
            file.execute("ANALYZE")
            file.execute("PRAGMA journal_mode=WAL")
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def _fill_trades(file: sqlite3.Connection, connection: Any, year: YearOfTrades, days: list[DayOfTrades]) -> None:
    """The trades of both, without indexes at first. The days end up in `days`, without their trades."""
    for index in _INDEXES:
        file.execute(f"DROP INDEX {index.name}")
        await connection.execute(f"DROP INDEX {index.name}")
    insert = insert_into(tables.trades, TRADE_COLUMNS)

    async def copied() -> AsyncIterator[bytes]:
        yield _COPY_BEGINS
        for day in year.make():
            file.executemany(insert, _rows(day))
            days.append(day._replace(trades=day.trades[:0]))
            yield day.trades.tobytes()
        yield _COPY_ENDS

    async with connection.transaction():
        await connection.execute("TRUNCATE trades")
        await connection.copy_to_table("trades", source=copied(), columns=TRADE_COLUMNS, format="binary", freeze=True)
    marks = [mark for day in days for mark in day.marks]
    for column in ("busted_seq", "excluded_seq"):
        rows = [(mark.seq, mark.trade_id) for mark in marks if mark.column == column]
        file.executemany(f"UPDATE trades SET {column} = ? WHERE trade_id = ?", rows)
        await connection.executemany(f"UPDATE trades SET {column} = $1 WHERE trade_id = $2", rows)
    of_file, of_server = (
        [str(CreateIndex(index).compile(dialect=dialect)) for index in _INDEXES]
        for dialect in (sqlite.dialect(), postgresql.dialect())  # type: ignore[no-untyped-call]
    )
    in_file = asyncio.to_thread(lambda: [file.execute(sql) for sql in of_file])
    await asyncio.gather(in_file, connection.execute(";".join(of_server)))


def _rows(day: DayOfTrades) -> Iterable[Row]:
    return zip(*(day.trades[name].tolist() for name in TRADE_COLUMNS), strict=True)


def _sums(days: Sequence[DayOfTrades]) -> dict[Table, list[Row]]:
    return {
        tables.daily_turnover: [row for day in days for row in day.turnover],
        tables.daily_members: [row for day in days for row in day.members],
        tables.daily_phases: [row for day in days for row in day.phases],
    }


def _busts(days: Sequence[DayOfTrades]) -> dict[Table, list[Row]]:
    marks = [mark for day in days for mark in day.marks]
    return {
        tables.busts: [(mark.trade_id, mark.seq, 0, 1, "typo") for mark in marks if mark.column == "busted_seq"],
        tables.decided_trades: [(mark.seq, mark.trade_id) for mark in marks if mark.column == "excluded_seq"],
    }


def _small_tables(year: YearOfTrades, journal_id: bytes, row_hash: bytes) -> dict[Table, list[Row]]:
    dates = [int(day.strftime("%Y%m%d")) for day in year.days]
    accounts = range(FIRST_ACCOUNT, FIRST_ACCOUNT + MEMBERS)
    return {
        tables.position: [(1, year.last_seq, 0, dates[-1], row_hash, journal_id, 0)],
        tables.trading_days: [(date, year.first_seq(day), 0) for day, date in enumerate(dates)],
        tables.accounts: [(one, f"member {one}", 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) for one in accounts],
        tables.instruments: [_listed(number, facts) for number, facts in enumerate(year.instruments)],
        tables.instrument_texts: [
            (number, 1, facts.name_en, facts.name_zh, facts.spec, TERMS_ARE_ASSUMED)
            for number, facts in enumerate(year.instruments)
        ],
        tables.decisions: [(seq, 0, 1, "exclude", "", "wash trading", "an auditor") for seq in year.decided_seqs],
    }


def _listed(number: int, facts: InstrumentFacts) -> Row:
    values = {column.name: 0 for column in tables.instruments.columns} | {
        "instrument": number, "tick_size": str(facts.tick_size), "tick_value_fen": facts.tick_value_fen,
        "first_reference_ticks": facts.reference_ticks, "reference_ticks": facts.reference_ticks,
        "note": TERMS_ARE_ASSUMED, "max_quantity_lots": 100, "settlement_source": None, "listed_seq": 1,
    }  # fmt: skip
    same = ["symbol", "name_en", "name_zh", "category", "family", "unit", "lot_size", "band_ppm", "spec"]
    facts_of = {name: getattr(facts, name) for name in [*same, "reference_price_source"]}
    return tuple((values | facts_of).values())
