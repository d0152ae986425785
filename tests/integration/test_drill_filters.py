"""The drill's queries, in SQLite and PostgreSQL: every combination of filters finds the trades that a plain reading finds."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing
from datetime import date as Date
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from matching_engine.records import EventKind, Phase, Side
from services.commands import administrative as admin
from services.commands.attachments import BustText, TradesDecided
from services.files.data_folder import READ_DATABASE_FILE
from services.journal.batch import JournalBatch
from services.read_model.errors import ReadDatabaseSilent
from services.read_model.tables import trades
from services.reporting.drill import trade_pages
from services.reporting.drill.days import Amounts, read_year_days
from services.reporting.drill.filters import TradeFilter, Wanted, resolve
from services.reporting.drill.trade_pages import read_page, read_sum
from services.reporting.in_time import AT_ONCE, connect_in_time, turn_in_time
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import write_in_parts
from tests.integration.test_surveillance_reading import rows_of
from tests.patience import PATIENCE_S
from tests.unit.read_model.history import SENDER, History, day_roll, opening, order

pytestmark = pytest.mark.anyio

DAYS = (20230103, 20230104, 20231229, 20240102, 20240103)
SYMBOLS = ("ND-OX", "NDFEB-N42")
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


def deal(chance: Random) -> list[Any]:
    """A buy and a sell of two owners around one price, of either product; 4 is an account of owner 3."""
    buyer, seller = chance.sample((2, 3), 2)
    if chance.random() < 0.3:
        buyer, seller = (4 if one == 3 else one for one in (buyer, seller))
    number, ticks = chance.randint(0, 1), 1_000 + chance.randint(-3, 3)
    sides = [
        order(buyer, Side.BUY, ticks, chance.randint(1, 5), instrument=number),
        order(seller, Side.SELL, ticks, chance.randint(1, 5), instrument=number),
    ]
    return chance.sample(sides, 2)


def history(seed: int) -> list[JournalBatch]:
    """Some days of trades, one auction, busts of the day, exclusions and inclusions of any day."""
    chance, made, batches = Random(seed), History(), []
    batches.append(made.batch(opening(DAYS[0])))
    trade_ids: list[int] = []
    for number, day in enumerate(DAYS):
        if number:
            batches.append(made.batch([day_roll(SENDER, day)]))
        today = _trade(made, batches, chance, in_auction=number == 2)
        trade_ids += today
        for one in chance.sample(today, min(2, len(today))):
            batches.append(made.batch([admin.bust_trade(SENDER, one, BustText(reason="a mistake"))]))
        for decision in ("exclude", "exclude", "include"):
            some = tuple(chance.sample(trade_ids, min(4, len(trade_ids))))
            decided = TradesDecided(decision=decision, trade_ids=some, finding="F-1", reason="a ring", name="Li Na")
            batches.append(made.batch([admin.record(SENDER, decided)]))
    return batches


def _trade(made: History, batches: list[JournalBatch], chance: Random, *, in_auction: bool) -> list[int]:
    first = len(batches)
    if in_auction:
        batches.append(made.batch([admin.set_phase(SENDER, Phase.CALL_AUCTION)]))
    for _ in range(8):
        batches.append(made.batch(deal(chance)))
    if in_auction:
        batches.append(made.batch([admin.set_phase(SENDER, Phase.CONTINUOUS)]))
    events = [event for batch in batches[first:] for event in batch.event_list]
    return [event.trade_id for event in events if event.kind == EventKind.TRADE]


def wanted_filters(order_ids: list[int], decision: int) -> list[Wanted]:
    """Some of every combination of the filters that combine, and orders and decisions with some of them."""
    years, dates = (None, 2023, 2024, 2022), (None, None, Date(2023, 1, 4), Date(2024, 1, 2))
    members = ((None, None), (2, None), (3, None), (4, "sell"), (3, "buy"))
    kinds, phases = (None, "yes", "no", "busted", "excluded"), (None, None, "call_auction")
    combined = list(product(years, dates, (None, *SYMBOLS), members, phases, kinds))
    found = [
        Wanted(year, date, symbol, member, side, phase, counted)  # type: ignore[arg-type]
        for year, date, symbol, (member, side), phase, counted in Random(1).sample(combined, 120)
    ]
    for order_id, one_decision in ((None, decision), *((order_id, None) for order_id in order_ids)):
        for counted, (member, side) in product(kinds, members):
            found.append(Wanted(None, None, None, member, side, None, counted, None, one_decision, order_id))  # type: ignore[arg-type]
    return found


def holds(row: dict[str, Any], wanted: Wanted, decided: set[int], owner: dict[int, int]) -> bool:
    """A plain reading of the filter."""
    busted, excluded = row["busted_seq"] is not None, row["excluded_seq"] is not None
    taker_buys = row["taker_side"] == Side.BUY
    roles = ("taker", "maker") if taker_buys else ("maker", "taker")
    parties = [row[f"{role}_account"] for role in roles]
    if wanted.side is not None:
        parties = parties[:1] if wanted.side == "buy" else parties[1:]
    return all(
        (
            wanted.year in (None, row["trading_date"] // 10_000),
            wanted.date is None or f"{wanted.date:%Y%m%d}" == str(row["trading_date"]),
            wanted.product is None or SYMBOLS[row["instrument"]] == wanted.product,
            wanted.member is None or any(wanted.member in (party, owner[party]) for party in parties),
            wanted.phase is None or Phase[wanted.phase.upper()] == row["phase"],
            {None: True, "yes": not busted and not excluded, "no": busted or excluded}.get(
                wanted.counted, busted if wanted.counted == "busted" else excluded
            ),
            wanted.order in (None, row["taker_order_id"], row["maker_order_id"]),
            wanted.decision is None or row["trade_id"] in decided,
        )
    )


async def pages(connection: AsyncConnection, chosen: TradeFilter, limit: int) -> list[int]:
    """The ids of all pages."""
    found: list[int] = []
    while page := await read_page(connection, chosen, found[-1] if found else 0, limit):
        assert len(page) <= limit
        found += [row["trade_id"] for row in page]
    return found


def sum_of(rows: list[dict[str, Any]]) -> Amounts:
    busted = [row["amount_fen"] for row in rows if row["busted_seq"] is not None]
    excluded = [row["amount_fen"] for row in rows if row["excluded_seq"] is not None]
    counted = [row["amount_fen"] for row in rows if row["busted_seq"] is None and row["excluded_seq"] is None]
    return Amounts(
        net_fen=sum(counted),
        gross_fen=sum(row["amount_fen"] for row in rows),
        busted_fen=sum(busted),
        excluded_fen=sum(excluded),
        trades=len(counted),
        busted_trades=len(busted),
        excluded_trades=len(excluded),
    )


async def test_every_filter_finds_what_a_plain_reading_finds(read_database: ReadDatabase) -> None:
    batches = history(7)
    await write_in_parts(read_database.writer(), batches, Random(7))
    dump = await read_database.dump()
    rows = sorted(rows_of(dump, "trades"), key=lambda row: int(row["trade_id"]))
    owner = {row["account"]: row["owner"] for row in rows_of(dump, "accounts")}
    named = rows_of(dump, "decided_trades")
    decision = named[0]["seq"]
    decided = {row["trade_id"] for row in named if row["seq"] == decision}
    states = {(row["busted_seq"] is None, row["excluded_seq"] is None, row["phase"]) for row in rows}
    assert len(states) >= 5, "the history holds counted, busted and excluded trades, of an auction too"
    order_ids = [rows[0]["taker_order_id"], rows[-1]["maker_order_id"]]
    met = 0
    async with read_database.opened() as engine, engine.connect() as connection:
        for number, wanted in enumerate(wanted_filters(order_ids, decision)):
            expected = [row for row in rows if holds(row, wanted, decided, owner)]
            chosen = await resolve(connection, wanted)
            assert await pages(connection, chosen, 1 + number % 5) == [row["trade_id"] for row in expected], wanted
            assert await read_sum(connection, chosen) == sum_of(expected), wanted
            met += bool(expected)
    assert met > 60


async def test_a_decision_combines_with_finding_order_product_and_date(read_database: ReadDatabase) -> None:
    await write_in_parts(read_database.writer(), history(7), Random(7))
    dump = await read_database.dump()
    rows = sorted(rows_of(dump, "trades"), key=lambda row: int(row["trade_id"]))
    named = rows_of(dump, "decided_trades")
    decision = max({row["seq"] for row in named}, key=lambda seq: sum(row["seq"] == seq for row in named))
    decided = {row["trade_id"] for row in named if row["seq"] == decision}
    one = next(row for row in rows if row["trade_id"] in decided)
    orders, dates = (None, one["taker_order_id"]), (None, Date.fromisoformat(str(one["trading_date"])))
    findings = (None, [row["trade_id"] for row in rows[::2]], [one["trade_id"], rows[0]["trade_id"]])
    async with read_database.opened() as engine, engine.connect() as connection:
        for finding, order_id, symbol, date in product(findings, orders, (None, *SYMBOLS), dates):
            wanted = Wanted(date=date, product=symbol, decision=decision, order=order_id)
            of_finding = [row for row in rows if finding is None or row["trade_id"] in finding]
            expected = [row for row in of_finding if holds(row, wanted, decided, {})]
            chosen = await resolve(connection, wanted, finding)
            assert await pages(connection, chosen, 2) == [row["trade_id"] for row in expected], (wanted, finding)
            assert await read_sum(connection, chosen) == sum_of(expected), (wanted, finding)


async def test_a_finding_s_trades_are_read_in_parts(
    read_database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trade_pages, "IDS_AT_ONCE", 3)
    await write_in_parts(read_database.writer(), history(3), Random(3))
    rows = rows_of(await read_database.dump(), "trades")
    named = [row for row in rows if row["trading_date"] != DAYS[1]]
    ids = [row["trade_id"] for row in named if row["trading_date"] < 20240101]
    async with read_database.opened() as engine, engine.connect() as connection:
        chosen = await resolve(connection, Wanted(year=2023), [*(row["trade_id"] for row in reversed(named)), 5])
        assert await pages(connection, chosen, 4) == ids
        found = await read_sum(connection, chosen)
        assert found.trades + found.busted_trades + found.excluded_trades == len(ids) > 6


async def test_the_days_add_up_to_the_sum_of_their_trades(read_database: ReadDatabase) -> None:
    await write_in_parts(read_database.writer(), history(5), Random(5))
    async with read_database.opened() as engine, engine.connect() as connection:
        for year, symbol in product((2022, 2023, 2024), (None, *SYMBOLS)):
            found = await read_year_days(connection, year, symbol)
            assert len(found.days) == (0 if year == 2022 else len([day for day in DAYS if day // 10_000 == year]))
            for day in found.days:
                date = Date.fromisoformat(str(day.trading_date))
                of_trades = await read_sum(connection, await resolve(connection, Wanted(date=date, product=symbol)))
                assert {name: getattr(day, name) for name in Amounts.model_fields} == vars(of_trades)


PLACES = "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
OF_TAKER = "INDEX trades_by_taker (taker_account=? AND trade_id>? AND trade_id<?)"
SEARCHES = [
    (TradeFilter(ids=range(1, 9), dates=(20230101, 20231231)), PLACES),
    (TradeFilter(ids=range(1, 9), phase=3), PLACES),
    (TradeFilter(accounts=(2,), side=0), OF_TAKER),
    (TradeFilter(order=(1, 2)), OF_TAKER),
    (TradeFilter(counted="busted"), "INTEGER PRIMARY KEY (rowid=?)"),
    (TradeFilter(decision=5), "INTEGER PRIMARY KEY (rowid=?)"),
]
"""A page: the filter, and the way to it as SQLite plans it. No page scans or sorts `trades`."""


def plan_of(connection: Any, query: Select[Any]) -> list[str]:
    compiled = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    return [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {compiled}")]


def test_a_page_is_found_by_an_index(tmp_path: Path) -> None:
    asyncio.run(ReadDatabase(tmp_path).make())
    with closing(sqlite3.connect(tmp_path / READ_DATABASE_FILE)) as connection:
        for wanted, branch, way in (
            (one, branch, way) for one, way in SEARCHES for branch in trade_pages.branches(one)
        ):
            clauses = [*trade_pages.ids_clauses(wanted, wanted.ids), *branch, *trade_pages.plain_clauses(wanted)]
            plan = plan_of(connection, trade_pages.page_query(clauses, 101))
            assert any(way.replace("taker", "maker") in step or way in step for step in plan), plan
            assert not [step for step in plan if step.startswith("SCAN trades")], plan
            if "(rowid=?)" not in way:
                assert not [step for step in plan if "ORDER BY" in step], plan


def test_a_page_of_a_product_is_found_by_day_and_product(tmp_path: Path) -> None:
    asyncio.run(ReadDatabase(tmp_path).make())
    of_days = trades.c.trading_date.in_([20230103, 20230104]), trades.c.trade_id > 7
    clauses = [*of_days, *trade_pages.plain_clauses(TradeFilter(instrument=1))]
    of_year = [trades.c.trading_date.between(20230101, 20231231), trades.c.instrument == 1]
    with closing(sqlite3.connect(tmp_path / READ_DATABASE_FILE)) as connection:
        page = plan_of(connection, trade_pages.page_query(clauses, 101))
        assert "SEARCH trades USING INDEX trades_by_date (trading_date=? AND instrument=? AND rowid>?)" in page
        assert plan_of(connection, trade_pages.sum_query(of_year)) == [
            "SEARCH trades USING INDEX trades_by_date (trading_date>? AND trading_date<?)"
        ]


async def test_a_query_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    database = ReadDatabase(tmp_path)
    await database.make()
    async with database.opened() as engine:
        with pytest.raises(ReadDatabaseSilent) as refused:
            async with connect_in_time(engine, 0.05) as connection:
                await connection.execute(text(ENDLESS))
        assert refused.value.waited_s == 0.05
        async with connect_in_time(engine) as connection:
            assert await connection.scalar(text("SELECT 7")) == 7


async def test_the_query_of_who_has_left_is_ended_and_few_are_open_at_once(tmp_path: Path) -> None:
    """Where it is not, the end of the database waits for it."""
    database = ReadDatabase(tmp_path)
    await database.make()
    async with database.opened() as engine, AsyncExitStack() as opened:
        runs = asyncio.Event()
        asking = asyncio.create_task(_asked_without_end(engine, runs))
        await asyncio.wait_for(runs.wait(), PATIENCE_S)
        for _ in range(AT_ONCE - 1):
            await opened.enter_async_context(connect_in_time(engine))
        with pytest.raises(ReadDatabaseSilent, match="others are answered first"):
            await opened.enter_async_context(connect_in_time(engine, 0.05))
        asking.cancel()
        await asyncio.wait([asking])
        connection = await opened.enter_async_context(connect_in_time(engine, PATIENCE_S))
        assert await connection.scalar(text("SELECT 7")) == 7


async def _asked_without_end(engine: AsyncEngine, runs: asyncio.Event) -> None:
    """Sets the event while SQLite computes."""
    loop = asyncio.get_running_loop()

    def tell() -> None:
        loop.call_soon_threadsafe(runs.set)

    async with connect_in_time(engine, PATIENCE_S) as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.set_progress_handler(tell, 1_000)
        await connection.execute(text(ENDLESS))


async def test_nobody_waits_for_a_turn_without_limit() -> None:
    turns = asyncio.Semaphore(1)
    async with turn_in_time(turns):
        with pytest.raises(ReadDatabaseSilent, match=r"no turn within 0\.01 s"):
            async with turn_in_time(turns, 0.01):
                pass
    async with turn_in_time(turns, 0.01):
        assert turns.locked()
    assert not turns.locked()
