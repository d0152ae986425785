"""What is read from a read database is the same for both kinds: state, market, history, reports, as of one position."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine.records import SettlementSource, Side
from services.data.calendar import TradingCalendar
from services.gateway.order_entry.history import OrderHistory
from services.market_data import load_market
from services.read_model import tables
from services.read_model.errors import ReadDatabaseAway, ReadDatabaseFailed, ReadDatabaseUnmigrated
from services.read_model.past_trades import ListPage
from services.read_model.position_watch import PositionWatch
from services.read_model.postgres.database import make_tables, open_read_database
from services.read_model.postgres.writer import PostgresWriter
from services.read_model.seq_waiters import ProjectorStopped
from services.read_model.tables import READ_FORMAT
from services.read_model.write_batch import WriteBatch
from services.reporting.exports.turnover_sheet import csv_text
from services.reporting.queries import read_daily, read_year, sum_of_busts, sum_of_trades
from services.reporting.report import build_report
from services.venue_state.loading import load_state
from services.venue_state.state import VenueState
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_market_loading import seen
from tests.integration.test_read_database_kinds import flow_of, write_in_parts
from tests.long import some
from tests.patience import PATIENCE_S
from tests.unit.read_model.daily_laws import assert_daily_laws
from tests.unit.read_model.history import JOURNAL_ID, REFERENCE_TICKS, SENDER, History, day_roll, opening, order
from tests.unit.venue_state.test_state import as_state_says

pytestmark = pytest.mark.anyio

YEAR = 2023


async def never_waits(_seq: int) -> None:
    """The read database is current."""


async def all_that_is_read(engine: AsyncEngine) -> dict[str, Any]:
    """The results of every reader."""
    state = await load_state(engine)
    async with engine.connect() as connection:
        found = await read_year(connection, YEAR)
        assert found is not None
        daily = [dict(row) for row in await read_daily(connection, YEAR)]
        sums = [await read(connection, YEAR, 100, 900) for read in (sum_of_trades, sum_of_busts)]
    report = build_report(YEAR, found, TradingCalendar.load())
    return {
        "state": as_state_says(state),
        "market": seen(await load_market(engine)),
        "history": await history_of(engine, state),
        "report": report.to_json(),
        "csv": csv_text(report, found.instruments, daily),
        "year": [found.net_by_day, {number: dict(row) for number, row in found.by_instrument.items()}],
        "sums": sums,
    }


async def history_of(engine: AsyncEngine, state: VenueState) -> list[Any]:
    history = OrderHistory(state, engine, never_waits)
    pages: list[Any] = []
    for account in (None, 2, 3):
        if account is not None:
            pages.append([dict(row) for row in await history.fills(account, page=ListPage(50))])
        for options in ({}, {"is_open": True}, {"is_open": False}, {"instrument": 1}, {"client_order_id": "7"}):
            found = await history.orders(account, page=ListPage(40), **options)
            pages.append([[getattr(one, name) for name in one.__struct_fields__] for one in found])
    return pages


OF_DAYS = ("trading_days", "daily_turnover", "daily_members", "daily_phases", "goods_movements")


@pytest.mark.parametrize("seed", some([6, 0, 1, 2, 3]))
async def test_both_kinds_hold_the_same_rows_and_answer_the_same(tmp_path: Path, postgres_url: str, seed: int) -> None:
    """Wherever their transactions end."""
    batches, answers, dumps = flow_of(seed, 1_000), [], []
    for number, database in enumerate((ReadDatabase(tmp_path), ReadDatabase(tmp_path, postgres_url))):
        await database.make()
        await write_in_parts(database.writer(), batches, Random(seed * 10 + number))
        dumps.append(await database.dump())
        async with database.opened() as engine:
            answers.append(await all_that_is_read(engine))
    rows, in_sqlite, in_postgres = dumps[0], *answers
    assert dumps[1] == rows
    assert all(rows[name] for name in ("orders", "trades", "levels", "holdings", "fees", *OF_DAYS))
    assert_daily_laws(rows)
    for name, found in in_sqlite.items():
        assert in_postgres[name] == found, name
    assert types_of(in_postgres) == types_of(in_sqlite)
    assert in_sqlite["report"]["trades"] > 0


async def test_the_csv_says_where_a_settlement_price_comes_from(read_database: ReadDatabase) -> None:
    """Of three days one had seven lots, the next one lot. The third has not ended, and one lot was traded."""
    history = History()
    batches = [history.batch(opening(20230103))]
    for lots, price, next_date in ((7, 1005, 20230104), (1, 1009, 20230105), (1, 1011, 0)):
        both = [order(account, side, price, lots) for account, side in ((2, Side.SELL), (3, Side.BUY))]
        batches.append(history.batch([*both, *([day_roll(SENDER, next_date)] if next_date else [])]))
    await write_in_parts(read_database.writer(), batches, Random(0))
    async with read_database.opened() as engine:
        text = (await all_that_is_read(engine))["csv"]
        rows = list(csv.DictReader(line for line in text[1:].splitlines() if not line.startswith("#")))
        state = await load_state(engine)
    assert [(row["trading_date"], row["settlement_price"], row["settlement_source"]) for row in rows] == [
        ("2023-01-03", "10050.00", "day_vwap"), ("2023-01-04", "10050.00", "previous"), ("2023-01-05", "", ""),
    ]  # fmt: skip
    assert [instrument.settlement_source for instrument in state.instruments] == [SettlementSource.PREVIOUS] * 2


def types_of(value: Any) -> Any:
    """The types of everything in it: an equal Decimal is not an int."""
    match value:
        case dict():
            return {key: types_of(one) for key, one in value.items()}
        case list() | tuple():
            return [types_of(one) for one in value]
    return type(value)


async def test_sums_are_exact_integers_beyond_what_a_float_holds(read_database: ReadDatabase) -> None:
    """2^53 + 1 is the first integer that a float does not hold; the year's sum is beyond it by far."""
    history = History()
    await write_in_parts(read_database.writer(), [history.batch(opening())], Random(0))
    fen = 2**61 + 1
    for trade in (1, 2, 3):
        values = {column.name: trade for column in tables.trades.columns}
        values |= {"amount_fen": fen, "trading_date": 20230103, "instrument": 0}
        values |= {"taker_account": 2, "maker_account": 3}
        columns = [name for name in values if name != "busted_seq"]
        await read_database.execute(
            f"INSERT INTO trades ({', '.join(columns)}) VALUES ({', '.join(str(values[name]) for name in columns)})"
        )
    await read_database.execute("UPDATE position SET trading_date = 20230103")
    async with read_database.opened() as engine:
        state, market = await load_state(engine), await load_market(engine)
        async with engine.connect() as connection:
            found = await sum_of_trades(connection, YEAR, 0, 100)
    turnover = [state.accounts[2].day_fen, market.of_instrument[0].turnover_fen, found.amount_fen]
    assert turnover == [3 * fen] * 3
    assert {type(one) for one in turnover} == {int}


async def test_an_empty_database_is_a_venue_before_its_first_command(read_database: ReadDatabase) -> None:
    """A gateway that starts before the projector reads all of it from the journal."""
    async with read_database.opened() as engine:
        state, market = await load_state(engine), await load_market(engine)
    assert (state.last_seq, market.seq) == (0, 0)
    history = History()
    for batch in (history.batch(opening()), history.batch([order(2, 1, REFERENCE_TICKS, 5)])):
        state.apply(batch)
        market.apply(batch)
    assert state.last_seq == market.seq == history.engine.last_seq
    assert len(state.orders.open) == 1


async def test_every_read_of_a_transaction_is_of_one_position(read_database: ReadDatabase) -> None:
    history, writer = History(), read_database.writer()
    changes = WriteBatch(await writer.start(JOURNAL_ID))
    changes.add(history.batch(opening()))
    await writer.write(changes)
    async with read_database.opened() as engine, engine.connect() as connection:
        before = await connection.scalar(select(tables.position.c.seq))
        later = WriteBatch(changes.position)
        later.add(history.batch([order(2, 1, REFERENCE_TICKS, 5)]))
        await writer.write(later)
        assert await connection.scalar(select(tables.position.c.seq)) == before
        assert (await connection.execute(select(tables.orders))).all() == []
        async with engine.connect() as another:
            assert await another.scalar(select(tables.position.c.seq)) == later.position.seq
    await writer.close()


async def test_a_watch_waits_for_the_position(read_database: ReadDatabase) -> None:
    history, writer = History(), read_database.writer()
    position = await writer.start(JOURNAL_ID)
    async with read_database.opened() as engine:
        watch = PositionWatch(engine)
        for batch in (history.batch(opening()), history.batch([order(2, 1, REFERENCE_TICKS, 5)])):
            waiting = [asyncio.create_task(watch.reached(seq)) for seq in (batch.first_seq, batch.last_seq)]
            await watch.reached(position.seq)
            assert not any(task.done() for task in waiting)
            changes = WriteBatch(position)
            changes.add(batch)
            await writer.write(changes)
            position = changes.position
            await asyncio.gather(*waiting)
        await watch.close()
    await writer.close()


async def test_a_watch_gives_up_on_a_projector_that_is_away(read_database: ReadDatabase) -> None:
    async with read_database.opened() as engine:
        watch = PositionWatch(engine, patience_s=0.1)
        with pytest.raises(ProjectorStopped, match="stands at seq 0"):
            await watch.reached(1)
        await watch.close()


async def test_a_watch_forgets_what_it_saw_on_another_connection(read_database: ReadDatabase) -> None:
    """It may lead to a server that has taken over and lacks the last transactions: they are not reached any more."""
    await write_in_parts(read_database.writer(), [History().batch(opening())], Random(0))
    async with read_database.opened() as engine:
        watch = PositionWatch(engine, patience_s=PATIENCE_S)
        await watch.reached(1)
        await read_database.execute("UPDATE position SET seq = 0")
        await watch.reached(1)
        await engine.dispose()
        await load_state(engine)
        watch._patience_s = 0.1  # what it waits for now never comes
        with pytest.raises(ProjectorStopped):
            await watch.reached(1)
        await watch.close()


async def test_a_database_for_queries_refuses_to_write(postgres_url: str) -> None:
    await make_tables(postgres_url)
    engine = await open_read_database(postgres_url)
    async with engine.connect() as connection:
        with pytest.raises(ReadDatabaseFailed, match="read-only transaction"):
            await connection.execute(tables.fees.delete())
    await engine.dispose()


async def test_a_database_without_tables_or_with_others_is_refused(tmp_path: Path, postgres_url: str) -> None:
    await refused(postgres_url, "Run `rex migrate`")
    await make_tables(postgres_url)
    await ReadDatabase(tmp_path, postgres_url).execute("UPDATE read_format SET format = 99")
    await refused(postgres_url, f"has tables of format 99, and this version of REX reads {READ_FORMAT}")


async def refused(url: str, reason: str) -> None:
    """Neither a reader nor a projector uses the database."""
    with pytest.raises(ReadDatabaseUnmigrated, match=reason):
        await open_read_database(url)
    writer = PostgresWriter(url)
    with pytest.raises(ReadDatabaseUnmigrated, match=reason):
        await writer.start(JOURNAL_ID)
    await writer.close()


async def test_a_server_that_refuses_is_named_without_its_password(postgres_url: str) -> None:
    for url, reason in (
        (postgres_url.replace("postgres:", "postgres:x", 1), "refuses the user or the password"),
        (postgres_url + "x", "has no such database"),
        ("postgresql://postgres:secret@127.0.0.1:1/rex", "cannot be reached"),
    ):
        with pytest.raises(ReadDatabaseAway, match=reason) as refused:
            await open_read_database(url)
        assert "REX_DATABASE_URL" in str(refused.value)
        password = url.split("://")[1].split("@")[0].split(":")[1]
        assert password not in str(refused.value)
