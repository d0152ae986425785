"""Law: after any journal, the read database equals the engine that made it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.records import (
    CommandKind,
    EventKind,
    Flag,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    SettlementSource,
    Side,
    TimeInForce,
)
from services.commands import administrative as admin
from services.commands.attachments import BustText, KeyRevoked
from services.journal.batch import JournalBatch
from services.messaging import Submission
from services.read_model.audit.differences import differences
from services.read_model.audit.rebuilt import SCHEMA, Rebuilt
from services.read_model.database import make_tables
from services.read_model.sqlite_writer import read_position, write
from services.read_model.write_batch import WriteBatch
from tests.long import some
from tests.property.engine_flow import Flow, terms, venue
from tests.unit.read_model.history import (
    JOURNAL_ID,
    REFERENCE_TICKS,
    SENDER,
    History,
    batches_of,
    cancel,
    day_roll,
    opening,
    order,
    requests,
)


@contextmanager
def empty_database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        make_tables(connection)
        yield connection


def project(connection: sqlite3.Connection, batches: list[JournalBatch]) -> None:
    changes = WriteBatch(read_position(connection, JOURNAL_ID))
    for batch in batches:
        changes.add(batch)
    write(connection, changes)


def select(connection: sqlite3.Connection, sql: str) -> list[Any]:
    return connection.execute(sql).fetchall()


def expected_states(batches: list[JournalBatch]) -> dict[int, tuple[str, int]]:
    """State and reason of every order, one event after another."""
    states: dict[int, tuple[str, int]] = {}
    leaves: dict[int, int] = {}
    filled: dict[int, int] = defaultdict(int)

    def goes_on(order_id: int) -> None:
        states[order_id] = ("partially_filled" if filled[order_id] else "new", 0)

    for batch in batches:
        for event in batch.event_list:
            match event.kind:
                case EventKind.ACCEPTED:
                    states[event.order_id], leaves[event.order_id] = ("new", 0), event.quantity_lots
                case EventKind.REJECTED if (
                    batch.command_list[event.seq - batch.first_seq].kind == CommandKind.NEW_ORDER
                ):
                    if event.reason != Reason.CLIENT_ORDER_ID_REUSED:
                        states[event.order_id] = ("rejected", event.reason)
                case EventKind.REPLACED:
                    leaves[event.order_id] = event.leaves_lots
                    goes_on(event.order_id)
                case EventKind.TRADE:
                    for order_id in (event.order_id, event.maker_order_id):
                        leaves[order_id] -= event.quantity_lots
                        filled[order_id] += event.quantity_lots
                        goes_on(order_id)
                        if not leaves[order_id]:
                            states[order_id] = ("filled", 0)
                case EventKind.SELF_TRADE_PREVENTED if event.leaves_lots:
                    leaves[event.order_id] = event.leaves_lots
                    goes_on(event.order_id)
                case EventKind.CANCELED | EventKind.SELF_TRADE_PREVENTED:
                    states[event.order_id] = ("canceled", event.reason)
                case EventKind.EXPIRED:
                    states[event.order_id] = ("expired", event.reason)
    return states


def table(section: Any, *names: str) -> list[tuple[Any, ...]]:
    """These columns of a section of the state."""
    return [tuple(int(batch[name]) for name in names) for batch in section]


def assert_equals_engine(connection: sqlite3.Connection, engine: Any, batches: list[JournalBatch]) -> None:
    state = engine.state()
    columns = (
        "cash_fen", "reserved_fen", "owner", "account_class", "kill_switch", "max_order_lots", "max_order_fen",
        "max_open_orders", "max_day_fen",
    )  # fmt: skip
    accounts = select(connection, f"SELECT {', '.join(columns)} FROM accounts ORDER BY account")
    # An account without an owner group is a group of its own.
    owned = [(*batch[:2], batch[2] or number, *batch[3:]) for number, batch in enumerate(accounts, start=1)]
    assert owned == [
        (*batch[:2], batch[2] or number, *batch[3:])
        for number, batch in enumerate(table(state.accounts, *columns), start=1)
    ]
    held = select(connection, "SELECT * FROM holdings WHERE lots <> 0 ORDER BY account, instrument")
    assert held == table(state.holdings, "account", "instrument", "lots", "reserved_lots")
    assert select(connection, "SELECT * FROM holdings WHERE lots = 0 AND reserved_lots <> 0") == []
    guards = ("reference_ticks", "tick_value_fen", "band_ppm", "collar_ppm", "volatility_ppm", "auction_s")
    listed = select(connection, f"SELECT {', '.join(guards)} FROM instruments ORDER BY instrument")
    assert listed == table(state.instruments, *guards)
    phases = select(connection, "SELECT phase, auction_ends_ns FROM instruments ORDER BY instrument")
    for (phase, ends_ns), instrument in zip(phases, state.instruments, strict=True):
        scheduled = Phase.CALL_AUCTION if instrument["in_auction"] else instrument["phase"]
        assert phase == (Phase.HALTED if instrument["halted"] else scheduled)
        assert not instrument["in_auction"] or ends_ns == instrument["auction_ends_ns"]
    position, (venue,) = read_position(connection, JOURNAL_ID), state.venue
    assert (position.seq, position.trading_date) == (venue["last_seq"], venue["trading_date"])
    assert position.kill_switch == venue["kill_switch"]
    fees = "SELECT * FROM fees WHERE maker_rate_ppm + taker_rate_ppm > 0 ORDER BY account_class"
    assert select(connection, fees) == table(state.fees, "account_class", "maker_rate_ppm", "taker_rate_ppm")
    assert_orders_equal_state(connection, state, batches)
    assert_levels_equal_events(connection, batches)
    assert_turnover_equals_state(connection, state, batches)
    assert audited(connection, engine, batches) == []


def audited(connection: sqlite3.Connection, engine: Any, batches: list[JournalBatch]) -> list[str]:
    """The differences that a start finds which compares all."""
    with Rebuilt(JOURNAL_ID) as rebuilt:
        for batch in batches:
            rebuilt.add(batch)
        try:
            return differences(connection, engine, rebuilt)
        finally:
            connection.execute(f"DETACH {SCHEMA}")


def assert_orders_equal_state(connection: sqlite3.Connection, state: Any, batches: list[JournalBatch]) -> None:
    columns = (
        "order_id, account, instrument, side, price_ticks, trigger_ticks, display_lots, time_in_force, self_trade, flags, "
        "expires_s, leaves_lots, filled_lots"
    )
    found = select(connection, f"SELECT {columns}, triggered_seq FROM orders WHERE leaves_lots > 0 ORDER BY order_id")
    # A stop that was triggered keeps its trigger here, as part of what was entered; the engine forgets it.
    resting = [(*batch[:5], 0 if batch[-1] else batch[5], *batch[6:-1]) for batch in found]
    names = (
        "order_id", "account", "instrument", "side", "price_ticks", "trigger_ticks", "display_lots", "time_in_force",
        "self_trade", "flags", "time_s",
    )  # fmt: skip
    assert resting == sorted(
        (*values, int(order["shown_lots"]) + int(order["hidden_lots"]), int(order["filled_lots"]))
        for values, order in zip(table(state.orders, *names), state.orders, strict=True)
    )
    states = select(connection, "SELECT order_id, state, reason FROM orders")
    assert {order_id: (state, reason) for order_id, state, reason in states} == expected_states(batches)
    fills: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    columns = "taker_order_id, maker_order_id, quantity_lots, amount_fen, taker_fee_fen, maker_fee_fen"
    for taker, maker, lots, fen, taker_fee, maker_fee in select(connection, f"SELECT {columns} FROM trades"):
        for order_id, fee in ((taker, taker_fee), (maker, maker_fee)):
            fills[order_id] = [a + b for a, b in zip(fills[order_id], (lots, fen, fee), strict=True)]
    lot_reserves = dict(table(state.orders, "order_id", "lot_reserve_fen"))
    columns = "order_id, side, quantity_lots, leaves_lots, filled_lots, filled_fen, fees_fen, reserved_fen"
    for order_id, side, quantity, leaves, *filled, reserved in select(connection, f"SELECT {columns} FROM orders"):
        assert filled == fills[order_id]
        assert reserved == (leaves * lot_reserves[order_id] if leaves and side == Side.BUY else 0)
        assert not leaves or leaves + filled[0] == quantity


def assert_levels_equal_events(connection: sqlite3.Connection, batches: list[JournalBatch]) -> None:
    levels: dict[tuple[int, int, int], tuple[int, int]] = {}
    for batch in batches:
        for event in batch.event_list:
            if event.kind == EventKind.LEVEL:
                levels[event.instrument, event.side, event.price_ticks] = event.quantity_lots, event.number
    shown = sorted((*place, *now) for place, now in levels.items() if now != (0, 0))
    assert sorted(select(connection, "SELECT * FROM levels")) == shown


def assert_turnover_equals_state(connection: sqlite3.Connection, state: Any, batches: list[JournalBatch]) -> None:
    daily = "SELECT trading_date, instrument, sum(amount_fen) AS fen FROM {} GROUP BY 1, 2 HAVING fen > 0"
    days = "(SELECT trading_date, instrument, amount_fen + excluded_fen AS amount_fen FROM daily_turnover)"
    per_day = {(date, number): fen for date, number, fen in select(connection, daily.format(days))}
    standing = "(SELECT * FROM trades WHERE busted_seq IS NULL)"
    assert per_day == {(date, number): fen for date, number, fen in select(connection, daily.format(standing))}
    today = int(state.venue["trading_date"][0])
    ended: dict[int, int] = defaultdict(int)
    for (date, _), fen in per_day.items():
        ended[date // 10_000] += fen if date != today else 0
    years = {
        int(batch["year"]): int(batch["turnover_low"]) + (int(batch["turnover_high"]) << 64) for batch in state.years
    }
    assert {year: fen for year, fen in ended.items() if fen} == {year: fen for year, fen in years.items() if fen}
    of_today = {number: fen for (date, number), fen in per_day.items() if date == today}
    assert of_today == {
        n: int(batch["day_amount_fen"]) for n, batch in enumerate(state.instruments) if batch["day_amount_fen"]
    }
    sums = "count(*), sum(quantity_lots), sum(amount_fen)"
    for condition, columns in (
        ("busted_seq IS NULL AND excluded_seq IS NULL", "trades, quantity_lots, amount_fen"),
        ("excluded_seq IS NOT NULL", "excluded, excluded_lots, excluded_fen"),
        ("busted_seq IS NOT NULL", "busted, busted_lots, busted_fen"),
    ):
        made = f"SELECT trading_date, instrument, {sums} FROM trades WHERE {condition} GROUP BY 1, 2"
        count = columns.split(",")[0]
        kept = f"SELECT trading_date, instrument, {columns} FROM daily_turnover WHERE {count} > 0"
        assert sorted(select(connection, made)) == sorted(select(connection, kept))
    largest = "SELECT trading_date, instrument, largest_fen, largest_trade_id FROM daily_turnover WHERE trades > 0"
    counting = "(SELECT * FROM trades WHERE busted_seq IS NULL AND excluded_seq IS NULL)"
    first_largest = f"""
        SELECT trading_date, instrument, amount_fen, min(trade_id) FROM {counting} t WHERE amount_fen = (
            SELECT max(amount_fen) FROM {counting} WHERE trading_date = t.trading_date AND instrument = t.instrument
        ) GROUP BY trading_date, instrument"""
    assert sorted(select(connection, largest)) == sorted(select(connection, first_largest))
    of_day = "trade_id, instrument, price_ticks, quantity_lots, amount_fen, taker_side, taker_account, maker_account"
    found = select(connection, f"SELECT {of_day}, busted_seq IS NOT NULL FROM trades WHERE trading_date = {today}")
    names = (
        "trade_id",
        "instrument",
        "price_ticks",
        "quantity_lots",
        "amount_fen",
        "side",
        "account",
        "maker_account",
        "busted",
    )
    assert sorted(found) == table(state.trades, *names)
    prevented = sum(
        event.quantity_lots
        for batch in batches
        for event in batch.event_list
        if event.kind == EventKind.SELF_TRADE_PREVENTED
    )
    assert select(connection, "SELECT coalesce(sum(prevented_lots), 0) FROM daily_turnover") == [(prevented,)]


@given(requests=requests, cuts=st.sets(st.integers(0, 12)))
@settings(deadline=None)
def test_database_equals_engine_wherever_transactions_end(requests: list[list[Submission]], cuts: set[int]) -> None:
    history = History()
    batches: list[JournalBatch] = []
    waiting: list[JournalBatch] = []
    with empty_database() as connection:
        for number, submissions in enumerate([opening(), *requests]):
            batches.append(history.batch(submissions))
            waiting.append(batches[-1])
            if number in cuts or number == len(requests):
                project(connection, waiting)
                waiting = []
                assert_equals_engine(connection, history.engine, batches)


@pytest.mark.parametrize("seed", some(range(12), 3))
def test_database_equals_engine_whatever_the_full_engine_is_asked(seed: int) -> None:
    """Every kind of command: icebergs, stops, amends, auctions, busts, limits, and invalid commands."""
    flow, chance = Flow(seed), Random(seed)
    flow.extend(venue())
    flow.extend(terms(flow.chance))
    while len(flow.commands) < 500:
        flow.stretch()
    batches: list[JournalBatch] = []
    waiting: list[JournalBatch] = []
    with empty_database() as connection:
        for engine, batch in batches_of(flow.commands, chance):
            batches.append(batch)
            waiting.append(batch)
            if batch.last_seq == len(flow.commands) or chance.random() < 0.3:
                project(connection, waiting)
                waiting = []
                assert_equals_engine(connection, engine, batches)
    kinds = {event.kind for batch in batches for event in batch.event_list}
    assert kinds >= {
        EventKind.REPLACED,
        EventKind.TRIGGERED,
        EventKind.SELF_TRADE_PREVENTED,
        EventKind.TRADE,
        EventKind.LEVEL,
    }


@given(requests=requests)
def test_one_transaction_or_many_make_the_same_database(requests: list[list[Submission]]) -> None:
    history = History()
    batches = [history.batch(submissions) for submissions in [opening(), *requests]]
    with empty_database() as at_once, empty_database() as one_by_one:
        project(at_once, batches)
        for batch in batches:
            project(one_by_one, [batch])
        assert sorted(at_once.iterdump()) == sorted(one_by_one.iterdump())


def test_a_trade_reaches_every_table() -> None:
    history = History()
    batches = [history.batch(opening())]
    first = history.engine.last_seq + 1
    batches.append(history.batch([order(2, Side.SELL, REFERENCE_TICKS, 10, client_order_id=b"mine")]))
    batches.append(history.batch([order(3, Side.BUY, REFERENCE_TICKS + 1, 4), order(4, Side.SELL, REFERENCE_TICKS, 7)]))
    with empty_database() as connection:
        project(connection, batches)
        columns = (
            "order_id, client_order_id, state, leaves_lots, filled_lots, filled_fen, fees_fen, reserved_fen, actor"
        )
        assert select(connection, f"SELECT {columns} FROM orders ORDER BY order_id") == [
            (first, "mine", "partially_filled", 6, 4, 4_000_000, 1_200, 0, 5),
            (first + 1, "", "filled", 0, 4, 4_000_000, 2_800, 0, 5),
            (first + 2, "", "new", 7, 0, 0, 0, 0, 5),
        ]
        (trade,) = select(connection, "SELECT * FROM trades")
        assert trade == (
            (first + 1) << 20 | 1, first + 1, batches[2].command_list[0].time_ns, 20230103, 0, REFERENCE_TICKS, 4, 4_000_000,
            Phase.CONTINUOUS, Side.BUY, first + 1, 3, 2_800, first, 2, 1_200, -4_006_804, None, None,
        )  # fmt: skip
        assert select(connection, "SELECT cash_fen, reserved_fen FROM accounts ORDER BY account") == [
            (4_000, 0), (1_000_000_000 + 4_000_000 - 1_200, 0), (1_000_000_000 - 4_000_000 - 2_800, 0), (1_000_000_000, 0),
        ]  # fmt: skip
        minute = trade[2] // 60_000_000_000 * 60
        assert select(connection, "SELECT * FROM candles") == [
            (0, 20230103, minute, *(REFERENCE_TICKS,) * 4, 4, 4_000_000, 1)
        ]
        assert select(connection, "SELECT first_reserve FROM orders ORDER BY order_id") == [(10,), (4_006_804,), (7,)]
        assert select(connection, "SELECT * FROM daily_turnover") == [
            (20230103, 0, 1, 4, 4_000_000, *(0,) * 8, 4_000_000, (first + 1) << 20 | 1, None, None)
        ]


def test_of_equal_trades_the_first_stays_the_largest() -> None:
    history = History()
    batches = [history.batch(opening())]
    for _ in range(2):
        batches.append(history.batch([order(2, Side.SELL, REFERENCE_TICKS, 4), order(3, Side.BUY, REFERENCE_TICKS, 4)]))
    with empty_database() as connection:
        for batch in batches:
            project(connection, [batch])
        assert select(connection, "SELECT largest_trade_id FROM daily_turnover") == [(batches[1].last_seq << 20 | 1,)]


def test_a_prevented_self_trade_is_counted_and_is_no_turnover() -> None:
    history = History()
    batches = [history.batch(opening())]
    batches.append(history.batch([order(3, Side.SELL, REFERENCE_TICKS, 5), order(4, Side.BUY, REFERENCE_TICKS, 5)]))
    with empty_database() as connection:
        project(connection, batches)
        assert select(connection, "SELECT * FROM daily_turnover") == [
            (20230103, 0, *(0,) * 9, 1, 5, 0, None, None, None)
        ]
        assert select(connection, "SELECT state, reason FROM orders ORDER BY order_id") == [
            ("new", Reason.NONE), ("canceled", Reason.SELF_TRADE),
        ]  # fmt: skip


def test_the_day_roll_settles_the_day_that_ended() -> None:
    history = History()
    batches = [history.batch(opening())]
    day = order(2, Side.SELL, REFERENCE_TICKS + 9, 1, time_in_force=TimeInForce.DAY)
    batches.append(
        history.batch([order(2, Side.SELL, REFERENCE_TICKS + 5, 7), order(3, Side.BUY, REFERENCE_TICKS + 5, 7), day])
    )
    trade_id = history.engine.last_seq - 1 << 20 | 1
    batches.append(history.batch([day_roll(SENDER, 20230104)]))
    with empty_database() as connection:
        project(connection, batches)
        assert select(connection, "SELECT * FROM daily_turnover") == [
            (20230103, 0, 1, 7, 7_035_000, *(0,) * 8, 7_035_000, trade_id, REFERENCE_TICKS + 5, 1),
            (20230103, 1, *(0,) * 12, None, REFERENCE_TICKS, 4),
        ]  # fmt: skip
        assert select(connection, "SELECT reference_ticks, settlement_source FROM instruments") == [
            (REFERENCE_TICKS + 5, SettlementSource.DAY_VWAP),
            (REFERENCE_TICKS, SettlementSource.PREVIOUS),
        ]
        assert select(connection, "SELECT state, reason, leaves_lots FROM orders WHERE time_in_force = 1") == [
            ("expired", Reason.END_OF_DAY, 0)
        ]


def test_a_reused_client_order_id_makes_no_order() -> None:
    history = History()
    batches = [history.batch(opening())]
    same = b"one"
    batches.append(
        history.batch([order(2, Side.BUY, REFERENCE_TICKS, n, client_order_id=same) for n in (1, 1, 2)] + [cancel(999)])
    )
    with empty_database() as connection:
        project(connection, batches)
        assert select(connection, "SELECT client_order_id, quantity_lots, state FROM orders") == [("one", 1, "new")]


def test_names_keys_and_targets_come_from_attachments() -> None:
    history = History()
    batches = [history.batch(opening()), history.batch([admin.record(SENDER, KeyRevoked(key_id=3))])]
    with empty_database() as connection:
        project(connection, batches)
        assert select(
            connection, "SELECT key_hash, account, name, scopes FROM api_keys WHERE revoked_seq IS NOT NULL"
        ) == [(b"\xab" * 32, 2, "first", "read trade")]
        assert select(connection, "SELECT scope, metric, year, month, amount, name FROM targets") == [
            ("venue", "net_traded", 2023, 0, 2_300_000_000_000, "23 billion")
        ]
        assert select(connection, "SELECT account, name, owner FROM accounts") == [
            (1, "venue", 0), (2, "trader 2", 0), (3, "trader 3", 0), (4, "trader 4", 3),
        ]  # fmt: skip
        assert select(connection, "SELECT symbol, name_zh, unit, tick_value_fen, band_ppm FROM instruments") == [
            ("ND-OX", "氧化钕", "t", 1_000, 50_000), ("NDFEB-N42", "烧结钕铁硼", "kg", 333, 50_000),
        ]  # fmt: skip


def test_a_transaction_that_fails_changes_nothing() -> None:
    history = History()
    first, second = history.batch(opening()), history.batch([order(2, Side.BUY, REFERENCE_TICKS, 1)])
    with empty_database() as connection:
        project(connection, [first])
        before = list(connection.iterdump())
        connection.execute("CREATE TEMP TRIGGER full BEFORE INSERT ON levels BEGIN SELECT raise(ABORT, 'full'); END")
        with pytest.raises(sqlite3.IntegrityError, match="full"):
            project(connection, [second])
        connection.execute("DROP TRIGGER full")
        assert list(connection.iterdump()) == before
        project(connection, [second])
        assert_equals_engine(connection, history.engine, [first, second])


def test_what_makes_a_transaction_fail_is_what_is_raised() -> None:
    batches = [History().batch(opening())]
    with empty_database() as connection:
        read_position(connection, JOURNAL_ID)
        # As on a full device, SQLite has ended the transaction by itself when the error comes.
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON api_keys BEGIN SELECT RAISE(ROLLBACK, 'the device is full'); END"
        )
        with pytest.raises(sqlite3.DatabaseError, match="the device is full"):
            project(connection, batches)
        assert select(connection, "SELECT seq FROM position") == [(0,)]


def amend(order_id: int, account: int, **changes: int) -> Submission:
    names = {
        "price_ticks": Flag.CHANGE_PRICE,
        "quantity_lots": Flag.CHANGE_QUANTITY,
        "trigger_ticks": Flag.CHANGE_TRIGGER,
    }
    flags = sum(names[name] for name in changes)
    return admin.submission(
        SENDER._replace(kind=CommandKind.AMEND, order_id=order_id, account=account, flags=flags, **changes)  # type: ignore[arg-type]
    )


def test_an_amend_changes_price_and_quantity_and_keeps_what_is_filled() -> None:
    history = History()
    batches = [history.batch(opening())]
    first = history.engine.last_seq + 1
    batches.append(history.batch([order(2, Side.BUY, REFERENCE_TICKS, 10), order(3, Side.SELL, REFERENCE_TICKS, 4)]))
    batches.append(history.batch([amend(first, 2, price_ticks=REFERENCE_TICKS + 1, quantity_lots=7)]))
    with empty_database() as connection:
        for batch in batches:
            project(connection, [batch])
        columns = "order_id, state, price_ticks, quantity_lots, leaves_lots, filled_lots, updated_seq"
        assert select(connection, f"SELECT {columns} FROM orders WHERE order_id = {first}") == [
            (first, "partially_filled", REFERENCE_TICKS + 1, 7, 3, 4, batches[-1].last_seq)
        ]
        assert select(connection, "SELECT side, price_ticks, quantity_lots, orders FROM levels") == [
            (Side.BUY, REFERENCE_TICKS + 1, 3, 1)
        ]


def test_a_stop_waits_out_of_sight_and_says_when_it_was_triggered() -> None:
    history = History()
    batches = [history.batch(opening())]
    first = history.engine.last_seq + 1
    stop = SENDER._replace(
        kind=CommandKind.NEW_ORDER, account=2, side=Side.BUY, quantity_lots=3, order_type=OrderType.STOP_LIMIT,
        time_in_force=TimeInForce.GTC, price_ticks=REFERENCE_TICKS, trigger_ticks=REFERENCE_TICKS + 2,
    )  # fmt: skip
    batches.append(history.batch([admin.submission(stop)]))
    columns = "order_type, state, price_ticks, trigger_ticks, triggered_seq, leaves_lots"
    with empty_database() as connection:
        project(connection, batches)
        waits = (OrderType.STOP_LIMIT, "new", REFERENCE_TICKS, REFERENCE_TICKS + 2, 0, 3)
        assert select(connection, f"SELECT {columns} FROM orders WHERE order_id = {first}") == [waits]
        assert select(connection, "SELECT * FROM levels") == []
        batch = history.batch([order(3, Side.SELL, REFERENCE_TICKS + 2, 1), order(2, Side.BUY, REFERENCE_TICKS + 2, 1)])
        project(connection, [batch])
        assert select(connection, f"SELECT {columns} FROM orders WHERE order_id = {first}") == [
            (*waits[:4], batch.last_seq, 3)
        ]
        assert select(connection, "SELECT side, price_ticks, quantity_lots FROM levels") == [
            (Side.BUY, REFERENCE_TICKS, 3)
        ]


def test_an_auction_s_trades_say_that_nobody_took() -> None:
    history = History()
    batches = [history.batch([*opening(), admin.set_phase(SENDER, Phase.CALL_AUCTION)])]
    batches.append(history.batch([order(2, Side.SELL, REFERENCE_TICKS, 4), order(3, Side.BUY, REFERENCE_TICKS + 2, 4)]))
    sell, buy = batches[1].first_seq, batches[1].last_seq
    batches.append(history.batch([admin.set_phase(SENDER, Phase.AUCTION_MATCHING)]))
    with empty_database() as connection:
        project(connection, batches)
        columns = "phase, price_ticks, taker_side, taker_order_id, maker_order_id, taker_fee_fen, maker_fee_fen"
        assert select(connection, f"SELECT {columns} FROM trades") == [
            (Phase.CALL_AUCTION, REFERENCE_TICKS, Side.BUY, buy, sell, 1_200, 1_200)
        ]
        assert select(connection, "SELECT DISTINCT phase FROM instruments") == [(Phase.AUCTION_MATCHING,)]


def test_a_bust_leaves_the_minute_also_before_1970() -> None:
    """SQL divides towards zero: it looked for the candle of a minute before 1970 in the minute after."""
    history = History()
    history.start_ns = -(10**9)
    batches = [history.batch(opening())]
    sell = order(2, Side.SELL, REFERENCE_TICKS, 5)
    first = history.engine.last_seq + 2
    batches.append(
        history.batch([sell, order(3, Side.BUY, REFERENCE_TICKS, 2), order(3, Side.BUY, REFERENCE_TICKS, 3)])
    )
    batches.append(history.batch([admin.bust_trade(SENDER, first << 20 | 1, BustText(reason="a mistake"))]))
    with empty_database() as connection:
        for batch in batches:
            project(connection, [batch])
        assert select(connection, "SELECT start_s, quantity_lots, trades FROM candles") == [(-60, 3, 1)]


def test_a_bust_returns_money_goods_and_turnover_and_the_trade_stays_on_record() -> None:
    history = History()
    batches = [history.batch(opening())]
    trades = []
    for lots in (5, 4, 5):
        batches.append(
            history.batch([order(2, Side.SELL, REFERENCE_TICKS, lots), order(3, Side.BUY, REFERENCE_TICKS, lots)])
        )
        trades.append(batches[-1].last_seq << 20 | 1)
    with empty_database() as connection:
        project(connection, batches)
        balances = "SELECT account, cash_fen, reserved_fen FROM accounts"
        before = select(connection, balances)
        batches += [history.batch([admin.bust_trade(SENDER, trades[0], BustText(reason="typed a zero too many"))])]
        project(connection, batches[-1:])
        seq, command = batches[-1].last_seq, batches[-1].command_list[0]
        assert select(connection, "SELECT trade_id, busted_seq FROM trades ORDER BY trade_id") == [
            (trades[0], seq), (trades[1], None), (trades[2], None),
        ]  # fmt: skip
        assert select(connection, "SELECT * FROM busts") == [
            (trades[0], seq, command.time_ns, SENDER.actor, "typed a zero too many")
        ]
        moved = [
            (a, after - was) for (a, was, _), (_, after, _) in zip(before, select(connection, balances), strict=True)
        ]
        assert moved == [(1, -5_000), (2, -(5_000_000 - 1_500)), (3, 5_000_000 + 3_500), (4, 0)]
        assert select(connection, "SELECT account, lots FROM holdings WHERE instrument = 0 AND account < 4") == [
            (2, 500 - 9), (3, 500 + 9),
        ]  # fmt: skip
        day = "trades, quantity_lots, amount_fen, busted, busted_lots, busted_fen, largest_fen, largest_trade_id"
        assert select(connection, f"SELECT {day} FROM daily_turnover") == [
            (2, 9, 9_000_000, 1, 5, 5_000_000, 5_000_000, trades[2])
        ]
        for trade in trades[1:]:
            batches.append(history.batch([admin.bust_trade(SENDER, trade, BustText(reason="all of it"))]))
        project(connection, batches[-2:])
        assert select(connection, f"SELECT {day} FROM daily_turnover") == [(0, 0, 0, 3, 14, 14_000_000, 0, None)]
        assert_equals_engine(connection, history.engine, batches)


def test_a_self_trade_that_costs_both_orders_is_one() -> None:
    history = History()
    batches = [history.batch(opening())]
    taker = SENDER._replace(
        kind=CommandKind.NEW_ORDER, account=4, side=Side.BUY, quantity_lots=3, price_ticks=REFERENCE_TICKS,
        order_type=OrderType.LIMIT, time_in_force=TimeInForce.GTC, self_trade=SelfTrade.DECREMENT,
    )  # fmt: skip
    batches.append(history.batch([order(3, Side.SELL, REFERENCE_TICKS, 5), admin.submission(taker)]))
    with empty_database() as connection:
        project(connection, batches)
        assert select(connection, "SELECT prevented, prevented_lots, trades FROM daily_turnover") == [(1, 6, 0)]
        assert select(connection, "SELECT state, quantity_lots, leaves_lots FROM orders ORDER BY order_id") == [
            ("new", 2, 2), ("canceled", 3, 0),
        ]  # fmt: skip


def test_switches_limits_fees_and_guards_stand_where_queries_find_them() -> None:
    history = History()
    batches = [
        history.batch(
            [
                *opening(),
                admin.set_fees(SENDER, maker_rate_ppm=100, taker_rate_ppm=200, account_class=3),
                admin.set_limits(SENDER, 2, max_order_lots=7, max_order_fen=8, max_open_orders=9, max_day_fen=10),
                admin.kill_switch(SENDER, 3, on=True),
                admin.kill_switch(SENDER, on=True),
                admin.set_collar(SENDER, 0, 30_000),
                admin.set_volatility_band(SENDER, 1, 20_000, 120),
            ]
        )
    ]
    with empty_database() as connection:
        project(connection, batches)
        assert select(connection, "SELECT * FROM fees") == [(0, 300, 700), (3, 100, 200)]
        limits = "max_order_lots, max_order_fen, max_open_orders, max_day_fen, kill_switch"
        assert select(connection, f"SELECT {limits} FROM accounts WHERE account IN (2, 3)") == [
            (7, 8, 9, 10, 0), (0, 0, 0, 0, 1),
        ]  # fmt: skip
        assert select(connection, "SELECT collar_ppm, volatility_ppm, auction_s FROM instruments") == [
            (30_000, 0, 0), (0, 20_000, 120),
        ]  # fmt: skip
        assert select(connection, "SELECT kill_switch FROM position") == [(1,)]
