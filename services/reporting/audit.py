"""Is the read database true? Compared, at its position, with an engine that has done the journal's commands and with the rows.

The engine knows all that decides the future: money, goods, open orders, the day's trades, phases, limits, the turnover of each
year. What it does not keep (names, keys, targets, reasons, who entered an open order and what it paid, the trades of past days)
comes from the journal's rows (`Journaled`). Of the trades of a past day its sums by instrument are compared, of orders that
ended their number and sums; not the single ones, nor what self-trade prevention and the largest trade of a day say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from itertools import islice
from typing import Any, NamedTuple, Protocol

from matching_engine.records import OrderType, Phase
from matching_engine.state import State
from services.read_database import make_tables
from services.reporting.dealings import Dealings
from services.reporting.journaled import Journaled

MAX_DIFFERENCES = 20
"""How many are named."""

Rows = list[Any]
"""Tuples, the key first, in the order of the key."""


class AuditedEngine(Protocol):
    """An engine that shows its state; `matching_engine.Engine` is one."""

    @property
    def last_seq(self) -> int:
        """The last command's sequence number."""

    def turnover_fen(self, year: int) -> int:
        """The turnover of a year's trading days, single-sided."""

    def state(self) -> State:
        """Everything that determines its future."""


def differences(connection: sqlite3.Connection, engine: AuditedEngine, journaled: Journaled) -> list[str]:
    """What differs, a sentence each, MAX_DIFFERENCES at most; empty where the read database is true.

    The connection stands in a transaction, or nobody writes; the engine and `journaled` stand at the database's position.
    Raises sqlite3.Error where the file cannot be read.
    """
    found = list(_compare(connection, _schema())) or _damage(connection)
    found = found or list(islice(_all(connection, engine, journaled), MAX_DIFFERENCES + 1))
    return found if len(found) <= MAX_DIFFERENCES else [*found[:MAX_DIFFERENCES], "and more"]


def _damage(connection: sqlite3.Connection) -> list[str]:
    """What SQLite finds wrong with the file's pages, and with indexes beside their tables, in one sentence.

    A query that takes an index finds what the index holds, whatever the table does.
    """
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return [] if found == "ok" else [f"its pages are damaged: {' '.join(str(found).split())[:200]}"]


class _Table(NamedTuple):
    """A table as it should be; `query` gives the key and the columns as they are."""

    label: str
    """What a row is called, to be filled in with its key."""
    columns: list[str]
    query: str
    true: Rows
    source: str = "engine"
    key_columns: int = 1


def _all(connection: sqlite3.Connection, engine: AuditedEngine, journaled: Journaled) -> Iterator[str]:
    state = engine.state()
    time_ns = 0 if journaled.last_row is None else journaled.last_row.time_ns
    for table in (
        _position(state, journaled, time_ns),
        *_accounts(state),
        _instruments(state, time_ns),
        _open_orders(state),
        _levels(state),
        _day_trades(state),
        *_turnover(engine, state),
        *_journaled(journaled),
        _journaled_orders(journaled.dealings),
        *_journaled_days(journaled.dealings),
    ):
        yield from _compare(connection, table)


def _compare(connection: sqlite3.Connection, table: _Table) -> Iterator[str]:
    found = connection.execute(table.query).fetchall()
    if found == table.true:
        return
    ours, theirs = _by_key(found, table.key_columns), _by_key(table.true, table.key_columns)
    for key, row in theirs.items():
        there = ours.get(key)
        if there is None:
            yield f"{table.label.format(*key)} is missing in the read database"
            continue
        for name, one, other in zip(table.columns, there, row, strict=True):
            if one != other:
                said = f"{name} {_shown(one)} in the read database, {_shown(other)} in the {table.source}"
                yield f"{table.label.format(*key)}: {said}"
    for key in ours:
        if key not in theirs:
            yield f"{table.label.format(*key)} is in the read database, not in the {table.source}"


def _by_key(rows: Rows, key_columns: int) -> dict[Any, Any]:
    return {row[:key_columns]: row[key_columns:] for row in rows}


def _shown(value: object) -> str:
    return value.hex()[:16] if isinstance(value, bytes) else str(value)[:60]


@cache
def _schema() -> _Table:
    """Tables and indexes as this version makes them, and nothing beside them: a trigger would write what nobody projected."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT GLOB 'sqlite_*' ORDER BY 1, 2"
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        make_tables(model)
        true = model.execute(query).fetchall()
    return _Table("{} {}", ["definition"], query, true, "tables of this version of REX", key_columns=2)


def _position(state: State, journaled: Journaled, time_ns: int) -> _Table:
    venue, columns = state.venue[0], ["seq", "trading_date", "kill_switch", "time_ns", "row_hash"]
    row_hash = bytes(32) if journaled.last_row is None else journaled.last_row.hash
    here = (*venue[["last_seq", "trading_date", "kill_switch"]].item(), time_ns, row_hash)
    query = f"SELECT id, {', '.join(columns)} FROM position"
    return _Table("position {}", columns, query, [(1, *here)])


def _accounts(state: State) -> Iterator[_Table]:
    names = ["cash_fen", "reserved_fen", "account_class", "kill_switch"]
    names += ["max_order_lots", "max_order_fen", "max_open_orders", "max_day_fen"]
    accounts = zip(state.accounts[names].tolist(), state.accounts["owner"].tolist(), strict=True)
    # Without an owner group an account is a group of its own.
    true = [(number, *row, owner or number) for number, (row, owner) in enumerate(accounts, start=1)]
    owner_group = "CASE owner WHEN 0 THEN account ELSE owner END"
    query = f"SELECT account, {', '.join(names)}, {owner_group} FROM accounts ORDER BY 1"
    yield _Table("account {}", [*names, "owner"], query, true)
    query = "SELECT * FROM holdings WHERE lots <> 0 OR reserved_lots <> 0 ORDER BY 1, 2"
    held = state.holdings.tolist()
    yield _Table("account {}, instrument {}", ["lots", "reserved_lots"], query, held, key_columns=2)
    query = "SELECT * FROM fees WHERE maker_rate_ppm <> 0 OR taker_rate_ppm <> 0 ORDER BY 1"
    yield _Table("account class {}", ["maker_rate_ppm", "taker_rate_ppm"], query, state.fees.tolist())


def _instruments(state: State, time_ns: int) -> _Table:
    names = ["tick_value_fen", "reference_ticks", "max_quantity_lots"]
    names += ["band_ppm", "collar_ppm", "volatility_ppm", "auction_s"]
    true = []
    for number, (row, fixed) in enumerate(zip(state.instruments, state.instruments[names].tolist(), strict=True)):
        scheduled = Phase.CALL_AUCTION if row["in_auction"] else int(row["phase"])
        # When an auction ends is kept beyond its end; what counts is whether one goes on.
        goes_on = row["in_auction"] and row["auction_ends_ns"] > time_ns
        ends_ns = int(row["auction_ends_ns"]) if goes_on else 0
        true.append((number, *fixed, Phase.HALTED if row["halted"] else scheduled, ends_ns))
    query = f"""
    SELECT instrument, {", ".join(names)}, phase, CASE WHEN auction_ends_ns > time_ns THEN auction_ends_ns ELSE 0 END
    FROM instruments, position ORDER BY 1
    """
    return _Table("instrument {}", [*names, "phase", "auction_ends_ns"], query, true)


def _open_orders(state: State) -> _Table:
    """A stop that was triggered is a limit order to the engine, which forgets its trigger."""
    orders = state.orders[state.orders["order_id"].argsort()]
    same = ["account", "instrument", "side", "price_ticks", "filled_lots"]
    same += ["display_lots", "time_in_force", "self_trade", "flags"]
    leaves = (orders["shown_lots"].astype("i8") + orders["hidden_lots"]).tolist()
    reserved = [lots * fen for lots, fen in zip(leaves, orders["lot_reserve_fen"].tolist(), strict=True)]
    columns = [orders[name].tolist() for name in ("order_id", *same, "time_s", "order_type", "trigger_ticks")]
    query = f"""
    SELECT order_id, {", ".join(same)}, expires_s, CASE triggered_seq WHEN 0 THEN order_type ELSE {OrderType.LIMIT:d} END,
        CASE triggered_seq WHEN 0 THEN trigger_ticks ELSE 0 END, leaves_lots, quantity_lots - filled_lots, reserved_fen
    FROM orders WHERE leaves_lots > 0 ORDER BY 1
    """
    names = [*same, "expires_s", "order_type", "trigger_ticks", "leaves_lots", "unfilled_lots", "reserved_fen"]
    return _Table("open order {}", names, query, list(zip(*columns, leaves, leaves, reserved, strict=True)))


def _levels(state: State) -> _Table:
    """What the books show: the shown lots of what rests; waiting stops are not in the book."""
    levels: dict[tuple[int, ...], list[int]] = {}
    resting = state.orders[state.orders["trigger_ticks"] == 0]
    for *level, lots in resting[["instrument", "side", "price_ticks", "shown_lots"]].tolist():
        shown = levels.setdefault(tuple(level), [0, 0])
        shown[0] += lots
        shown[1] += 1
    true = sorted((*level, *shown) for level, shown in levels.items())
    query = "SELECT * FROM levels ORDER BY 1, 2, 3"
    label = "instrument {}, side {}, level at {} ticks"
    return _Table(label, ["quantity_lots", "orders"], query, true, key_columns=3)


def _day_trades(state: State) -> _Table:
    columns = ["price_ticks", "quantity_lots", "amount_fen", "taker_fee_fen", "maker_fee_fen"]
    columns += ["taker_account", "maker_account", "instrument", "taker_side"]
    today = int(state.venue[0]["trading_date"])
    query = f"""
    SELECT trade_id, {", ".join(columns)}, busted_seq IS NOT NULL FROM trades WHERE trading_date = {today} ORDER BY 1
    """
    return _Table("trade {}", [*columns, "busted"], query, state.trades.tolist())


def _turnover(engine: AuditedEngine, state: State) -> Iterator[_Table]:
    """Of each year, by the single trades and by the sums of the days."""
    years = sorted({int(state.venue[0]["trading_date"]) // 10_000, *state.years["year"].tolist()})
    true = [(year, fen) for year in years if (fen := engine.turnover_fen(year))]
    standing = "trades WHERE busted_seq IS NULL"
    for label, rows in (("turnover of {}", standing), ("turnover of the days of {}", "daily_turnover")):
        summed = f"SELECT trading_date / 10000, sum(amount_fen) FROM {rows} GROUP BY 1 HAVING sum(amount_fen) <> 0"
        yield _Table(label, ["fen"], f"{summed} ORDER BY 1", true)


def _journaled(journaled: Journaled) -> Iterator[_Table]:
    """What the engine does not keep."""
    words = ["symbol", "name_en", "name_zh", "category", "family", "unit", "lot_size", "tick_size"]
    words += ["reference_price_source", "spec", "note", "first_reference_ticks"]
    for table, label, key, columns, true in (
        ("accounts", "account {}", "account", ["name", "opened_seq"], journaled.accounts),
        ("instruments", "instrument {}", "instrument", words, journaled.instruments),
        ("api_keys", "key {}", "key_id", ["key_hash", "account", "name", "scopes", "revoked_seq"], journaled.api_keys),
        ("targets", "target of {}", "year", ["amount_fen", "name", "set_seq"], journaled.targets),
        ("busts", "bust of trade {}", "trade_id", ["seq", "time_ns", "actor", "reason"], journaled.busts),
    ):
        query = f"SELECT {key}, {', '.join(columns)} FROM {table} ORDER BY 1"
        yield _Table(label, columns, query, sorted((key, *row) for key, row in true.items()), "journal")
    lots, fen, *fees_fen = (
        sum(column) for column in zip((0,) * 4, *(d[1:] for d in journaled.dealings.trades.values()), strict=True)
    )
    query = """
    SELECT 'orders', count(*), coalesce(sum(filled_lots), 0), coalesce(sum(filled_fen), 0), coalesce(sum(fees_fen), 0)
    FROM orders
    """
    sums = ("orders", journaled.orders, 2 * lots, 2 * fen, sum(fees_fen))
    yield _Table("table {}", ["rows", "filled_lots", "filled_fen", "fees_fen"], query, [sums], "journal")


def _journaled_orders(dealings: Dealings) -> _Table:
    """What the engine does not keep of an open order."""
    true = [
        (
            order_id,
            name.decode("latin-1"),
            "partially_filled" if filled_fen else "new",
            *rest,
            filled_fen,
            fees_fen,
            leaves,
        )
        for order_id, (name, *rest, filled_fen, fees_fen, leaves) in sorted(dealings.orders.items())
    ]
    columns = ["client_order_id", "state", "actor", "created_ns", "filled_fen", "fees_fen", "leaves_lots"]
    query = f"SELECT order_id, {', '.join(columns)} FROM orders WHERE leaves_lots > 0 ORDER BY 1"
    return _Table("open order {}", columns, query, true, "journal")


def _journaled_days(dealings: Dealings) -> Iterator[_Table]:
    """Of each day and instrument, by the single trades and by the day's sums."""
    label, busts = "{}, instrument {}", dealings.busts
    days = sorted(dealings.trades.items())
    columns = ["quantity_lots", "amount_fen", "taker_fee_fen", "maker_fee_fen"]
    query = f"SELECT trading_date, instrument, count(*), {', '.join(f'sum({name})' for name in columns)} FROM trades"
    true = [(*day, *sums) for day, sums in days]
    yield _Table(f"trades of {label}", ["trades", *columns], f"{query} GROUP BY 1, 2 ORDER BY 1, 2", true, "journal", 2)
    columns = ["trades", "quantity_lots", "amount_fen", "busted", "busted_lots", "busted_fen"]
    query = (
        f"SELECT trading_date, instrument, {', '.join(columns)} FROM daily_turnover WHERE trades <> 0 OR busted <> 0"
    )
    true = [
        (*day, *(all_of_it - gone for all_of_it, gone in zip(sums[:3], busted, strict=True)), *busted)
        for day, sums, busted in ((*day, busts.get(day[0], [0, 0, 0])) for day in days)
    ]
    yield _Table(f"turnover of {label}", columns, f"{query} ORDER BY 1, 2", true, "journal", 2)
