"""Surveillance reads both kinds of the read database alike, and its SQL agrees with its pure functions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import CommandKind, Phase, Reason, Side, TimeInForce
from services.commands import administrative as admin
from services.read_model import tables
from services.surveillance import reading
from services.surveillance.abnormal_trading import DayCounts
from services.surveillance.changed_hands import changed_hands_by_day, changed_hands_fen
from tests.integration.read_databases import Dump, ReadDatabase
from tests.integration.test_read_database_kinds import flow_of, write_in_parts
from tests.long import some
from tests.unit.read_model.history import REFERENCE_TICKS, SENDER, TICK_VALUE_FEN, History, day_roll, opening, order

EVER = (0, 99_991_231)


def rows_of(dump: Dump, name: str) -> list[dict[str, Any]]:
    """The rows of a table by column name."""
    names = [column.name for column in tables.metadata.tables[name].columns]
    return [dict(zip(names, row, strict=True)) for row in dump[name]]


@pytest.mark.anyio
@pytest.mark.parametrize("seed", some(range(2)))
async def test_what_is_read_are_the_trades_that_were_not_busted_and_what_changed_hands_is_the_same_in_sql(
    read_database: ReadDatabase, seed: int
) -> None:
    await write_in_parts(read_database.writer(), flow_of(seed, 1_000), Random(seed))
    dump = await read_database.dump()
    owner = {row["account"]: row["owner"] or row["account"] for row in rows_of(dump, "accounts")}
    entered = {row["order_id"]: (row["quantity_lots"], row["created_ns"]) for row in rows_of(dump, "orders")}
    async with read_database.opened() as engine, engine.connect() as connection:
        trades = await reading.read_screen_trades(connection, *EVER)
        await check_changed_hands(connection, trades)
    expected = [row for row in rows_of(dump, "trades") if row["busted_seq"] is None]
    assert len(trades) == len(expected) > 50
    for trade, row in zip(sorted(trades.tolist()), expected, strict=True):
        taker, maker = owner[row["taker_account"]], owner[row["maker_account"]]
        buyer, seller = (taker, maker) if row["taker_side"] == Side.BUY else (maker, taker)
        aggressor = 0 if row["phase"] == Phase.CALL_AUCTION else taker
        (maker_lots, maker_ns), (taker_lots, taker_ns) = entered[row["maker_order_id"]], entered[row["taker_order_id"]]
        assert trade == (
            row["trade_id"], row["seq"], row["trading_date"], row["time_ns"], row["instrument"], buyer, seller, aggressor,
            row["amount_fen"], row["quantity_lots"], maker_lots, taker_lots, maker_ns, taker_ns,
        )  # fmt: skip


async def check_changed_hands(connection: AsyncConnection, trades: Any) -> None:
    dates = sorted(set(trades["trading_date"].tolist()))
    assert await reading.read_changed_hands(connection, *EVER) == changed_hands_fen(trades) > 0
    assert await reading.read_changed_hands_by_day(connection, *EVER) == changed_hands_by_day(trades)
    assert len(dates) > 1
    for period in ((dates[0], dates[-2]), (dates[1], dates[-1]), (dates[0], dates[0])):
        part = trades[(trades["trading_date"] >= period[0]) & (trades["trading_date"] <= period[1])]
        assert await reading.read_changed_hands(connection, *period) == changed_hands_fen(part)
        assert (await reading.read_screen_trades(connection, *period) == part).all()


@pytest.mark.anyio
async def test_an_empty_venue_has_nothing_to_read(read_database: ReadDatabase) -> None:
    async with read_database.opened() as engine, engine.connect() as connection:
        assert len(await reading.read_screen_trades(connection, *EVER)) == 0
        assert await reading.read_changed_hands(connection, *EVER) == 0
        assert await reading.read_changed_hands_by_day(connection, *EVER) == {}
        assert await reading.read_day_counts(connection, *EVER) == []
        assert await reading.read_settlements_before(connection, EVER[1]) == {}


@pytest.mark.anyio
async def test_counts_attempts_and_cancels_but_no_ioc(read_database: ReadDatabase) -> None:
    """Accounts 3 and 4 have one owner. Account 3's sells rest; 4's buys would trade with them; 2 enters and cancels."""
    history = History()
    trading = [
        order(3, Side.SELL, REFERENCE_TICKS, 10),
        *[order(4, Side.BUY, REFERENCE_TICKS, 1, time_in_force=TimeInForce.DAY) for _ in range(3)],
        order(4, Side.BUY, REFERENCE_TICKS, 1, time_in_force=TimeInForce.IOC),
        *[order(2, Side.BUY, REFERENCE_TICKS - 5, lots) for lots in (1, 300, 301)],
        order(2, Side.BUY, REFERENCE_TICKS - 5, 1, time_in_force=TimeInForce.IOC),
        admin.submission(SENDER._replace(kind=CommandKind.MASS_CANCEL, account=2, instrument=0, side=2)),
    ]
    await write_in_parts(read_database.writer(), [history.batch([*opening(), *trading])], Random(0))
    ended = Counter(
        row["reason"] for row in rows_of(await read_database.dump(), "orders") if row["state"] == "canceled"
    )
    assert ended == {Reason.SELF_TRADE: 4, Reason.MASS_CANCEL: 3, Reason.IMMEDIATE_OR_CANCEL: 1}
    async with read_database.opened() as engine, engine.connect() as connection:
        counts = await reading.read_day_counts(connection, 20230103, 20230103)
        assert await reading.read_day_counts(connection, 20230104, 20230104) == []
    assert counts == [DayCounts(20230103, 2, 0, 0, 3, 2), DayCounts(20230103, 3, 0, 3, 0, 0)]


@pytest.mark.anyio
async def test_the_settlement_price_before_a_day(read_database: ReadDatabase) -> None:
    """The first day stands on the reference price, the second on the first one's average."""
    history = History()

    def trade(price_ticks: int) -> list[Any]:
        return [order(3, Side.SELL, price_ticks, 5), order(2, Side.BUY, price_ticks, 5)]

    days = [*opening(), *trade(REFERENCE_TICKS + 20), day_roll(SENDER, 20230104), *trade(REFERENCE_TICKS + 7)]
    await write_in_parts(read_database.writer(), [history.batch(days)], Random(0))
    async with read_database.opened() as engine, engine.connect() as connection:
        before = await reading.read_settlements_before(connection, 20230104)
    assert before[20230103, 0] == Fraction(REFERENCE_TICKS * TICK_VALUE_FEN[0])
    assert before[20230104, 0] == Fraction((REFERENCE_TICKS + 20) * TICK_VALUE_FEN[0])
