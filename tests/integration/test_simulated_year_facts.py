"""A whole simulated year has the facts of real markets, ends on its plan, and holds what was planted. 100,000 commands."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matching_engine.records import COMMAND, CommandKind
from services.alerts.judging import connected
from services.alerts.reading import CompletedDays, conditions_of_days, read_completed_days
from services.data.calendar import TradingCalendar
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal.sqlite import SqliteJournal
from services.simulator.year import day_shape
from services.simulator.year.fair_prices import JANUARY_YUAN, YEAR_END_YUAN
from services.surveillance.screen import screen
from services.venue.simulated_year import SimulatedYear, YearWish, prove, simulate_year

pytestmark = [pytest.mark.slow, pytest.mark.rig, pytest.mark.long]

LIQUID_SHARE = 0.045
MOVES = (CommandKind.RECEIVE, CommandKind.RELEASE, CommandKind.DEPOSIT, CommandKind.WITHDRAW)
CLOSES = """
SELECT price_ticks FROM (
    SELECT trading_date AS day, max(last_id) OVER (ORDER BY trading_date) AS trade_id
    FROM (SELECT DISTINCT trading_date FROM trades)
    LEFT JOIN (SELECT trading_date, max(trade_id) AS last_id FROM trades WHERE instrument = ? GROUP BY trading_date)
    USING (trading_date)
) JOIN trades USING (trade_id) ORDER BY day
"""
"""The last price up to each day. In a year of so few commands a product of 5 % has five trades a day: on a day without any it
keeps the price before."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("year")


@pytest.fixture(scope="module")
def made(folder: Path) -> SimulatedYear:
    return asyncio.run(simulate_year(folder, YearWish(2023, 7, commands=100_000), TradingCalendar.load()))


@pytest.fixture
def database(folder: Path, made: SimulatedYear) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as connection:
        yield connection


def returns(database: sqlite3.Connection) -> Any:
    """Daily returns of closing prices, a row for each of the most traded products."""
    shares = "SELECT instrument, sum(amount_fen) * 1.0 / (SELECT sum(amount_fen) FROM trades) FROM trades GROUP BY 1"
    liquid = [number for number, share in database.execute(shares) if share >= LIQUID_SHARE]
    closes = [[row[0] for row in database.execute(CLOSES, (number,))] for number in liquid]
    assert len(closes) >= 7
    assert {len(prices) for prices in closes} == {242}
    return np.diff(np.log(np.array(closes, dtype=float)), axis=1)


def correlation_with_next(values: Any) -> float:
    return float(np.corrcoef(values[1:], values[:-1])[0, 1])


def test_the_year_ends_on_its_plan_and_is_proven(folder: Path, made: SimulatedYear) -> None:
    assert made.days == 242
    assert made.turnover_fen == pytest.approx(made.plan.target_fen, rel=0.001)
    assert made.reached_on is not None
    assert made.reached_on.month == 12
    assert asyncio.run(prove(folder, made)).agree


def test_returns_have_fat_tails_and_clustered_volatility(database: sqlite3.Connection) -> None:
    daily = returns(database)
    centred = daily - daily.mean(axis=1, keepdims=True)
    kurtosis = (centred**4).mean(axis=1) / (centred**2).mean(axis=1) ** 2 - 3
    assert np.median(kurtosis) > 1
    assert np.median([correlation_with_next(np.abs(row)) for row in daily]) > 0.1
    assert abs(np.median([correlation_with_next(row) for row in daily])) < 0.15


def test_days_that_move_are_days_that_trade(database: sqlite3.Connection) -> None:
    days = "SELECT sum(amount_fen) FROM daily_turnover WHERE trades > 0 GROUP BY trading_date ORDER BY trading_date"
    turnover = np.array([row[0] for row in database.execute(days)], dtype=float)
    daily = returns(database)
    assert np.median([np.corrcoef(np.abs(row), turnover[1:])[0, 1] for row in daily]) > 0.2


def test_the_first_and_the_last_slice_of_a_day_trade_most(database: sqlite3.Connection) -> None:
    day_s, shanghai_s, slice_s = 86_400, 28_800, day_shape.SLICE_NS // 10**9
    slices = f"""
    SELECT (time_ns / 1000000000 + {shanghai_s}) % {day_s} / {slice_s}, sum(amount_fen) FROM trades WHERE phase = 1 GROUP BY 1
    ORDER BY 1
    """
    amounts = [amount for _, amount in database.execute(slices)]
    assert len(amounts) == day_shape.SLICES
    mean = sum(amounts) / len(amounts)
    assert min(amounts[0], amounts[-1]) >= 1.5 * mean


def test_magnets_and_their_feedstock_are_91_percent(database: sqlite3.Connection) -> None:
    magnets = """
    SELECT sum(amount_fen) FROM trades JOIN instruments USING (instrument) WHERE symbol LIKE 'PRND%'
    OR category = 'magnetic_material' AND symbol NOT IN ('DYFE-80', 'GDFE-75', 'HOFE-80')
    """
    (of_magnets,), (of_all,) = (
        database.execute(query).fetchone() for query in (magnets, "SELECT sum(amount_fen) FROM trades")
    )
    assert of_magnets / of_all == pytest.approx(0.91, abs=0.03)


def test_oxide_begins_and_ends_at_the_published_prices(database: sqlite3.Connection) -> None:
    settled = """
    SELECT settlement_ticks * 100 FROM daily_turnover JOIN instruments USING (instrument) WHERE symbol = 'PRND-OX'
    AND settlement_ticks NOT NULL ORDER BY trading_date
    """
    prices = [row[0] for row in database.execute(settled)]
    assert prices[0] == pytest.approx(JANUARY_YUAN, rel=0.05)
    assert prices[-1] == pytest.approx(YEAR_END_YUAN, rel=0.03)


def test_the_ring_is_an_alert_until_its_trades_are_excluded(folder: Path, made: SimulatedYear) -> None:
    labels, calendar = made.labels, TradingCalendar.load()
    ring = set(labels.ring_trade_ids)

    async def read() -> CompletedDays | None:
        async with connected(folder / READ_DATABASE_FILE) as connection:
            return await read_completed_days(connection, calendar, 20240102, {})

    found = asyncio.run(read())
    assert found is not None
    conditions = conditions_of_days(found, calendar, {})
    findings = screen(found.screened, names=found.names)
    of_ring = [one.sentence_en for one in findings if ring & set(one.trade_ids)]
    assert of_ring
    # The flow is thin, and yet no finding is of honest members alone.
    assert all(ring & set(one.trade_ids) for one in findings)
    alerts = [one for one in conditions if one.kind == "wash_finding"]
    assert {one.sentence for one in alerts} >= set(of_ring)
    excluded = replace(found, excluded=frozenset(found.screened["trade_id"].tolist()))
    assert [one for one in conditions_of_days(excluded, calendar, {}) if one.kind == "wash_finding"] == []


def test_the_ring_trades_in_a_circle_and_is_labelled(database: sqlite3.Connection, made: SimulatedYear) -> None:
    labels = made.labels
    trades = [
        database.execute(
            "SELECT taker_account, maker_account, trading_date, taker_side FROM trades WHERE trade_id = ?", (trade_id,)
        ).fetchone()
        for trade_id in labels.ring_trade_ids
    ]
    one, two, three = labels.ring_accounts
    assert {(seller, buyer) for buyer, seller, _, _ in trades} == {(one, two), (two, three), (three, one)}
    assert len({day for _, _, day, _ in trades}) == 15
    assert len(trades) > 150


def test_one_trade_is_busted_and_leaves_the_turnover(database: sqlite3.Connection, made: SimulatedYear) -> None:
    assert database.execute("SELECT trade_id FROM busts").fetchall() == [(made.labels.busted_trade_id,)]
    (standing,) = database.execute("SELECT sum(amount_fen) FROM trades WHERE busted_seq IS NULL").fetchone()
    assert standing == made.turnover_fen


def test_nothing_happens_in_the_outage(database: sqlite3.Connection, made: SimulatedYear) -> None:
    window = made.labels.outage_from_ns, made.labels.outage_to_ns
    query = "SELECT count(*) FROM orders WHERE created_ns >= ? AND created_ns < ?"
    assert database.execute(query, window).fetchone() == (0,)
    after = window[1], window[1] + 15 * 60 * 10**9
    assert database.execute(query, after).fetchone() > (0,)


def test_the_crash_begins_with_a_volatility_auction(database: sqlite3.Connection, made: SimulatedYear) -> None:
    day = made.plan.days[made.plan.story.crash[0]]
    assert made.labels.volatility_auction_date == day.year * 10_000 + day.month * 100 + day.day


def test_the_venue_has_little_to_refuse(database: sqlite3.Connection) -> None:
    (refused,) = database.execute("SELECT count(*) FROM orders WHERE state = 'rejected'").fetchone()
    (orders,) = database.execute("SELECT count(*) FROM orders").fetchone()
    assert refused < 0.002 * orders


def test_goods_come_in_and_are_taken_out_and_money_follows(folder: Path, made: SimulatedYear) -> None:
    async def moved() -> dict[int, int]:
        """By kind: the lots and fen of all receipts, releases, deposits and withdrawals after the first start."""
        journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
        found: dict[int, int] = dict.fromkeys(MOVES, 0)
        try:
            async for batch in journal.read(2_000):
                commands = np.frombuffer(batch.commands, COMMAND)
                for kind in MOVES:
                    of_kind = commands[commands["kind"] == kind]
                    found[kind] += int(of_kind["quantity_lots"].sum() + of_kind["amount_fen"].sum())
        finally:
            await journal.close()
        return found

    assert all(amount > 0 for amount in asyncio.run(moved()).values())
