"""Law: candles are what the trades say, in both kinds of read database, whatever is busted and however they are read."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import Side
from services.commands import administrative as admin
from services.commands.attachments import BustText
from services.journal.batch import JournalBatch
from services.read_model.candle_reading import DAY, INTERVALS_S, Places, StoredCandle, read_candles
from services.read_model.flat_candles import read_flat_candles
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import write_in_parts
from tests.long import examples, some
from tests.unit.read_model.daily_laws import Dump, rows_of
from tests.unit.read_model.history import REFERENCE_TICKS, SENDER, START_NS, History, day_roll, opening, order
from tests.unit.read_model.test_daily_sums import dump
from tests.unit.read_model.test_write_batch import empty_database, project

INTERVALS = [*INTERVALS_S, DAY]
_S = 10**9


def clocked_batches(seed: int, steps: int) -> list[JournalBatch]:
    """Trades of two instruments at moving prices, minutes and hours apart. Some are busted; days roll, also within a minute."""
    chance, history = Random(seed), History()
    date, batches = 20230103, [history.batch(opening(20230103))]
    trade_ids: list[int] = []
    now_ns = START_NS
    for _ in range(steps):
        now_ns += chance.choice((1, 20, 20, 20, 61, 61, 400, 4_000)) * _S
        history.start_ns = now_ns - (history.engine.last_seq + 1)
        kind = chance.random()
        if kind < 0.75:
            instrument, ticks = chance.randint(0, 1), REFERENCE_TICKS + chance.randint(-9, 9)
            parts = [order(2, Side.SELL, ticks, lots := chance.randint(1, 3), instrument=instrument)]
            parts.append(order(3, Side.BUY, ticks, lots, instrument=instrument))
        elif kind < 0.9 and trade_ids:
            parts = [admin.bust_trade(SENDER, chance.choice(trade_ids[-4:]), BustText(reason="a mistake"))]
        else:
            date += 1
            parts = [day_roll(SENDER, date)]
        batches.append(history.batch(parts))
        trade_ids += [event.trade_id for event in batches[-1].event_list if event.trade_id]
    return batches


def candles_of(found: Dump, instrument: int, interval: str) -> list[StoredCandle]:
    """The candles that a plain reader of the trades makes."""

    def place(trade: dict[str, int]) -> int:
        if interval == DAY:
            return trade["trading_date"]
        return trade["time_ns"] // _S // INTERVALS_S[interval] * INTERVALS_S[interval]

    trades = [row for row in rows_of(found, "trades") if row["instrument"] == instrument and row["busted_seq"] is None]
    return [candle(at, list(some)) for at, some in groupby(sorted(trades, key=lambda row: row["trade_id"]), place)]


def minutes_of(found: Dump) -> list[tuple[int, ...]]:
    """The rows of the table that a plain reader of the trades makes."""
    rows: list[tuple[int, ...]] = []
    for instrument in (0, 1):
        trades = [
            row for row in rows_of(found, "trades") if row["instrument"] == instrument and row["busted_seq"] is None
        ]
        for date, of_day in groupby(trades, lambda row: row["trading_date"]):
            for minute, of_minute in groupby(of_day, lambda row: row["time_ns"] // (60 * _S)):
                rows.append((instrument, date, *candle(minute * 60, list(of_minute))))
    return rows


def candle(place: int, trades: list[dict[str, int]]) -> StoredCandle:
    prices = [trade["price_ticks"] for trade in trades]
    lots, fen = (sum(trade[name] for trade in trades) for name in ("quantity_lots", "amount_fen"))
    return StoredCandle(place, prices[0], max(prices), min(prices), prices[-1], lots, fen, len(trades))


def flattened(candles: Iterable[StoredCandle], places: Iterable[int]) -> list[StoredCandle]:
    at, last, filled = {one.place: one for one in candles}, None, []
    for place in places:
        last = at.get(place) or (last and StoredCandle(place, *(last.close_ticks,) * 4, 0, 0, 0))
        filled += [last] if last else []
    return filled


@given(seed=st.integers(0, 10**6), cuts=st.sets(st.integers(0, 40)))
@settings(max_examples=examples(25))
def test_candles_are_those_of_the_trades_wherever_transactions_end(seed: int, cuts: set[int]) -> None:
    batches = clocked_batches(seed, 40)
    with empty_database() as connection:
        waiting: list[JournalBatch] = []
        for number, batch in enumerate(batches):
            waiting.append(batch)
            if number in cuts or number == len(batches) - 1:
                project(connection, waiting)
                waiting = []
        found = dump(connection)
        with empty_database() as rebuilt:
            project(rebuilt, batches)
            assert dump(rebuilt)["candles"] == found["candles"]
    assert found["candles"] == minutes_of(found)


@pytest.mark.anyio
@pytest.mark.parametrize("seed", some(range(2)))
async def test_pages_of_every_interval_are_the_candles_of_the_trades(read_database: ReadDatabase, seed: int) -> None:
    await write_in_parts(read_database.writer(), clocked_batches(seed, 150), Random(seed))
    found = await read_database.dump()
    assert any(row["busted_seq"] for row in rows_of(found, "trades"))
    async with read_database.opened() as engine, engine.connect() as connection:
        for interval in INTERVALS:
            for instrument in (0, 1):
                true = candles_of(found, instrument, interval)
                assert await paged(connection, instrument, interval, forward=True) == true
                assert await paged(connection, instrument, interval, forward=False) == true
                some = Places(true[2].place, true[-2].place)
                page = await read_candles(connection, instrument, interval, some, 1_000, forward=True)
                assert page == (true[2:-2], True)


async def paged(connection: AsyncConnection, instrument: int, interval: str, *, forward: bool) -> list[StoredCandle]:
    """All candles, in pages of 4."""
    found: list[StoredCandle] = []
    places, length = Places(), INTERVALS_S.get(interval, 1)
    while True:
        page = await read_candles(connection, instrument, interval, places, 4, forward=forward)
        assert len(page.candles) <= 4
        found = found + page.candles if forward else page.candles + found
        if page.is_last:
            return found
        places = Places(since=found[-1].place + length) if forward else Places(before=found[0].place)


@pytest.mark.anyio
async def test_flat_candles_have_no_gaps(read_database: ReadDatabase) -> None:
    await write_in_parts(read_database.writer(), clocked_batches(3, 60), Random(3))
    found = await read_database.dump()
    now_s = rows_of(found, "position")[0]["time_ns"] // _S
    async with read_database.opened() as engine, engine.connect() as connection:
        for interval in INTERVALS:
            true = candles_of(found, 0, interval)
            if interval == DAY:
                places = [row["trading_date"] for row in rows_of(found, "trading_days")]
            else:
                places = list(range(true[0].place, now_s + 1, INTERVALS_S[interval]))
            expected = flattened(true, places)
            for forward in (True, False):
                start = Places(since=true[0].place if forward else None)
                page = await read_flat_candles(connection, 0, interval, start, 10**5, forward=forward)
                assert page.candles == expected, (interval, forward)
                some = await read_flat_candles(connection, 0, interval, start, 3, forward=forward)
                assert some.candles == (expected[:3] if forward else expected[-3:])
                assert some.is_last == (len(expected) <= 3)
            middle = Places(since=expected[len(expected) // 2].place)
            page = await read_flat_candles(connection, 0, interval, middle, 10**5, forward=True)
            assert page.candles == expected[len(expected) // 2 :]
        assert await read_flat_candles(connection, 7, "1m", Places(since=0), 5, forward=True) == ([], True)
        assert (await read_flat_candles(connection, 7, "1m", Places(), 5, forward=False)).candles == []
