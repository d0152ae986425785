"""Is the read database true? Compared, at its position, with an engine that has done the journal's commands and with the rows.

The engine knows all that decides the future: money, goods, open orders, the day's trades, phases, limits, the turnover of each
year. What it does not keep (names, keys, targets, reasons) comes from the journal's rows (`Journaled`). Of orders and trades
that are past, the number and the turnover are compared here; row by row only a rebuilt database tells.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any, Protocol

from matching_engine.records import OrderType, Phase, Side
from matching_engine.state import State
from services.read_database import make_tables
from services.reporting.journaled import Columns, Journaled

MAX_DIFFERENCES = 20
"""How many are named."""


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
    found = list(islice(_schema(connection), MAX_DIFFERENCES))
    if found:
        return found  # Nothing else can be asked for.
    found = list(islice(_all(connection, engine, journaled), MAX_DIFFERENCES + 1))
    return found if len(found) <= MAX_DIFFERENCES else [*found[:MAX_DIFFERENCES], "and more"]


def _all(connection: sqlite3.Connection, engine: AuditedEngine, journaled: Journaled) -> Iterator[str]:
    state = engine.state()
    yield from _position(connection, state, journaled)
    yield from _accounts(connection, state, journaled)
    yield from _instruments(connection, state, journaled)
    yield from _orders(connection, state)
    yield from _levels(connection, state)
    yield from _day_trades(connection, state)
    yield from _turnover(connection, engine, state)
    yield from _words(connection, state, journaled)


_Label = Callable[[Any], str]


def _compare(
    label: _Label, names: str, found: Mapping[Any, Columns], true: Mapping[Any, Columns], source: str = "engine"
) -> Iterator[str]:
    """Names what differs between two tables of the same columns, by key."""
    if found == true:
        return
    for key, row in true.items():
        there = found.get(key)
        if there is None:
            yield f"{label(key)} is missing in the read database"
        elif there != row:
            for name, ours, theirs in zip(names.split(), there, row, strict=True):
                if ours != theirs:
                    yield f"{label(key)}: {name} {_shown(ours)} in the read database, {_shown(theirs)} in the {source}"
    for key in found:
        if key not in true:
            yield f"{label(key)} is in the read database, not in the {source}"


def _shown(value: object) -> str:
    return value.hex()[:16] if isinstance(value, bytes) else str(value)[:60]


def _table(connection: sqlite3.Connection, key_columns: int, query: str, *values: object) -> dict[Any, Columns]:
    """A query's rows by their first columns."""
    rows = connection.execute(query, values)
    if key_columns == 1:
        return {key: tuple(columns) for key, *columns in rows}
    return {row[:key_columns]: row[key_columns:] for row in rows}


def _schema(connection: sqlite3.Connection) -> Iterator[str]:
    """Tables and indexes as this version makes them, and nothing beside them: a trigger would write what nobody projected."""
    query = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        make_tables(model)
        true = _table(model, 1, query)
    yield from _compare(str, "definition", _table(connection, 1, query), true, "version of REX that reads it")


def _position(connection: sqlite3.Connection, state: State, journaled: Journaled) -> Iterator[str]:
    row, venue = journaled.last_row, state.venue[0]
    last = (0, bytes(32)) if row is None else (row.command_list[-1].time_ns, row.hash)
    true = {1: (int(venue["last_seq"]), int(venue["trading_date"]), int(venue["kill_switch"]), *last)}
    query = "SELECT id, seq, trading_date, kill_switch, time_ns, row_hash FROM position"
    names = "seq trading_date kill_switch time_ns row_hash"
    yield from _compare(lambda _: "the position", names, _table(connection, 1, query), true)


def _accounts(connection: sqlite3.Connection, state: State, journaled: Journaled) -> Iterator[str]:
    names = "cash_fen reserved_fen max_order_lots max_order_fen max_day_fen max_open_orders account_class kill_switch"
    columns = state.accounts[names.split()].tolist()
    groups = [owner or number for number, owner in enumerate(state.accounts["owner"].tolist(), start=1)]
    true = {number: (*row, groups[number - 1]) for number, row in enumerate(columns, start=1)}
    query = f"SELECT account, {', '.join(names.split())}, CASE owner WHEN 0 THEN account ELSE owner END FROM accounts"
    yield from _compare("account {}".format, f"{names} owner", _table(connection, 1, query), true)
    query = "SELECT account, instrument, lots, reserved_lots FROM holdings WHERE lots <> 0 OR reserved_lots <> 0"
    held = {row[:2]: row[2:] for row in state.holdings.tolist()}
    label: _Label = lambda key: f"account {key[0]}, instrument {key[1]}"  # noqa: E731
    yield from _compare(label, "lots reserved_lots", _table(connection, 2, query), held)
    query = "SELECT * FROM fees WHERE maker_rate_ppm <> 0 OR taker_rate_ppm <> 0"
    fees = {row[0]: row[1:] for row in state.fees.tolist()}
    yield from _compare("fees of class {}".format, "maker_rate_ppm taker_rate_ppm", _table(connection, 1, query), fees)
    query = "SELECT account, name, opened_seq FROM accounts"
    yield from _compare("account {}".format, "name opened_seq", _table(connection, 1, query), journaled.accounts, "journal")


def _instruments(connection: sqlite3.Connection, state: State, journaled: Journaled) -> Iterator[str]:
    names = "tick_value_fen reference_ticks max_quantity_lots band_ppm collar_ppm volatility_ppm auction_s".split()
    query = f"""
    SELECT instrument, {", ".join(names)}, phase, CASE WHEN auction_ends_ns > time_ns THEN auction_ends_ns ELSE 0 END
    FROM instruments, position
    """
    time_ns = 0 if journaled.last_row is None else journaled.last_row.command_list[-1].time_ns
    moving = [_phase(*row, time_ns) for row in state.instruments[_PHASES].tolist()]
    true = {number: (*row, *moving[number]) for number, row in enumerate(state.instruments[names].tolist())}
    label: _Label = "instrument {}".format
    yield from _compare(label, f"{' '.join(names)} phase auction_ends_ns", _table(connection, 1, query), true)
    words = (
        "symbol name_en name_zh category family unit lot_size tick_size reference_price_source spec note "
        "first_reference_ticks"
    )
    found = _table(connection, 1, f"SELECT instrument, {', '.join(words.split())} FROM instruments")
    yield from _compare(label, words, found, journaled.instruments, "journal")


_PHASES = ["phase", "halted", "in_auction", "auction_ends_ns"]


def _phase(phase: int, halted: int, in_auction: int, ends_ns: int, time_ns: int) -> tuple[int, int]:
    """The phase in force, and when a volatility auction ends that goes on."""
    scheduled = Phase.CALL_AUCTION if in_auction else phase
    return Phase.HALTED if halted else scheduled, ends_ns if in_auction and ends_ns > time_ns else 0


_OPEN_ORDERS = """
SELECT order_id, account, instrument, side, price_ticks, leaves_lots, filled_lots, quantity_lots - filled_lots, reserved_fen,
    display_lots, time_in_force, self_trade, flags, expires_s,
    CASE triggered_seq WHEN 0 THEN order_type ELSE ?1 END, CASE triggered_seq WHEN 0 THEN trigger_ticks ELSE 0 END
FROM orders WHERE leaves_lots > 0
"""


def _orders(connection: sqlite3.Connection, state: State) -> Iterator[str]:
    names = (
        "account instrument side price_ticks leaves_lots filled_lots unfilled_lots reserved_fen display_lots time_in_force "
        "self_trade flags expires_s order_type trigger_ticks"
    )
    orders = state.orders
    leaves = orders["shown_lots"].astype("i8") + orders["hidden_lots"]
    reserved = [lots * fen for lots, fen in zip(leaves.tolist(), orders["lot_reserve_fen"].tolist(), strict=True)]
    lots = leaves.tolist()
    columns = [orders[name].tolist() for name in ("account", "instrument", "side", "price_ticks")]
    columns += [lots, orders["filled_lots"].tolist(), lots, reserved]
    rest = ("display_lots", "time_in_force", "self_trade", "flags", "time_s", "order_type", "trigger_ticks")
    columns += [orders[name].tolist() for name in rest]
    true = dict(zip(orders["order_id"].tolist(), zip(*columns, strict=True), strict=True))
    found = _table(connection, 1, _OPEN_ORDERS, int(OrderType.LIMIT))
    yield from _compare("open order {}".format, names, found, true)


def _levels(connection: sqlite3.Connection, state: State) -> Iterator[str]:
    """What the books show: the shown lots of what rests; waiting stops are not in the book."""
    shown: dict[tuple[int, int, int], tuple[int, int]] = {}
    columns = [state.orders[name].tolist() for name in ("instrument", "side", "price_ticks", "shown_lots", "trigger_ticks")]
    for instrument, side, price_ticks, lots, trigger_ticks in zip(*columns, strict=True):
        if not trigger_ticks:
            there = shown.get((instrument, side, price_ticks), (0, 0))
            shown[instrument, side, price_ticks] = there[0] + lots, there[1] + 1
    found = _table(connection, 3, "SELECT instrument, side, price_ticks, quantity_lots, orders FROM levels")
    label: _Label = lambda key: f"instrument {key[0]}, {Side(key[1]).name} level at {key[2]} ticks"  # noqa: E731
    yield from _compare(label, "quantity_lots orders", found, shown)


def _day_trades(connection: sqlite3.Connection, state: State) -> Iterator[str]:
    names = "price_ticks quantity_lots amount_fen taker_fee_fen maker_fee_fen taker_account maker_account instrument side busted"
    true = {row[0]: row[1:] for row in state.trades.tolist()}
    query = """
    SELECT trade_id, price_ticks, quantity_lots, amount_fen, taker_fee_fen, maker_fee_fen, taker_account, maker_account,
        instrument, taker_side, busted_seq IS NOT NULL
    FROM trades WHERE trading_date = ?
    """
    found = _table(connection, 1, query, int(state.venue[0]["trading_date"]))
    yield from _compare("trade {}".format, names, found, true)


def _turnover(connection: sqlite3.Connection, engine: AuditedEngine, state: State) -> Iterator[str]:
    """Of each year, by the single trades and by the sums of the days."""
    years = {int(state.venue[0]["trading_date"]) // 10_000, *state.years["year"].tolist()}
    true = {year: (fen,) for year in years if (fen := engine.turnover_fen(year))}
    stands = "SELECT trading_date / 10000, sum(amount_fen) FROM trades WHERE busted_seq IS NULL GROUP BY 1"
    days = "SELECT trading_date / 10000, sum(amount_fen) FROM daily_turnover GROUP BY 1 HAVING sum(amount_fen) <> 0"
    yield from _compare("year {}".format, "turnover_fen", _table(connection, 1, stands), true)
    yield from _compare("days of the year {}".format, "turnover_fen", _table(connection, 1, days), true)


def _words(connection: sqlite3.Connection, state: State, journaled: Journaled) -> Iterator[str]:
    for table, label, names, true in (
        ("api_keys", "key {}", "key_hash account name scopes revoked_seq", journaled.api_keys),
        ("targets", "target of {}", "amount_fen name set_seq", journaled.targets),
        ("busts", "bust of trade {}", "seq time_ns actor reason", journaled.busts),
    ):
        yield from _compare(label.format, names, _table(connection, 1, f"SELECT * FROM {table}"), true, "journal")
    for table, count in (("orders", journaled.orders), ("trades", journaled.trades)):
        found = _table(connection, 1, f"SELECT 'table {table}', count(*) FROM {table}")
        yield from _compare(str, "rows", found, {f"table {table}": (count,)}, "journal")
