"""What the events add up to beside what an engine holds: the read database against an engine's state, at one sequence number.

Events say every change they make, so their sums are a second opinion of the state. What no event says (places in a queue, when
a client order id is forgotten) is not compared.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from matching_engine.records import Phase, Side
from matching_engine.state import State

Rows = Mapping[Any, tuple[Any, ...]]
"""Values by what they belong to."""

_ACCOUNT = (
    "cash_fen", "reserved_fen", "account_class", "kill_switch", "max_order_lots", "max_order_fen", "max_open_orders",
    "max_day_fen",
)  # fmt: skip
_INSTRUMENT = (
    "tick_value_fen", "max_quantity_lots", "reference_ticks", "band_ppm", "collar_ppm", "volatility_ppm", "auction_s",
)  # fmt: skip
_HOLDING = ("lots", "reserved_lots")
_ORDER = (
    "account", "instrument", "side", "price_ticks", "trigger_ticks", "display_lots", "time_in_force", "self_trade", "flags",
)  # fmt: skip
_TRADE = (
    "instrument", "price_ticks", "quantity_lots", "amount_fen", "side", "account", "maker_account", "fee_fen", "maker_fee_fen",
    "busted",
)  # fmt: skip


def compare(state: State, connection: sqlite3.Connection) -> Iterator[str]:
    """What the read database holds otherwise than the state, a sentence each; nothing where they agree.

    Money in fen. Both must stand at one sequence number: that is the first sentence where they don't.
    """
    venue = state.venue[0]
    ((seq, trading_date, kill_switch),) = connection.execute("SELECT seq, trading_date, kill_switch FROM position")
    names = ("seq", "trading_date", "kill_switch")
    here = (int(venue["last_seq"]), int(venue["trading_date"]), int(venue["kill_switch"]))
    yield from _differences("the venue", names, {"": (seq, trading_date, kill_switch)}, {"": here})
    yield from _accounts(state, connection)
    yield from _instruments(state, connection)
    yield from _orders(state, connection)
    yield from _turnover(state, connection, trading_date)


def _differences(what: str, names: tuple[str, ...], events: Rows, engine: Rows) -> Iterator[str]:
    """`what` names the things, `names` their values."""
    for key in sorted(events.keys() | engine.keys()):
        told, held = events.get(key), engine.get(key)
        label = f"{what} {key}".strip()
        if told is None or held is None:
            yield f"{label} is {'unknown to the events' if told is None else 'missing in the state'}"
        elif told != held:
            pairs = zip(names, told, held, strict=True)
            unequal = [
                f"{name} {mine} by the events, {theirs} in the state" for name, mine, theirs in pairs if mine != theirs
            ]
            yield f"{label}: {', '.join(unequal)}"


def _accounts(state: State, connection: sqlite3.Connection) -> Iterator[str]:
    # An account without an owner group is a group of its own.
    columns = f"account, CASE owner WHEN 0 THEN account ELSE owner END, {', '.join(_ACCOUNT)}"
    events = _keyed(connection.execute(f"SELECT {columns} FROM accounts"))
    engine = {n: (int(row["owner"]), *_values(row, _ACCOUNT)) for n, row in enumerate(state.accounts, start=1)}
    yield from _differences("account", ("owner", *_ACCOUNT), events, engine)
    held = connection.execute(
        "SELECT account, instrument, lots, reserved_lots FROM holdings WHERE lots OR reserved_lots"
    )
    holdings = {(account, instrument): tuple(values) for account, instrument, *values in held}
    kept = {_values(row, ("account", "instrument")): _values(row, _HOLDING) for row in state.holdings}
    yield from _differences("the holding of (account, instrument)", _HOLDING, holdings, kept)
    rates = connection.execute("SELECT * FROM fees WHERE maker_rate_ppm OR taker_rate_ppm")
    names = ("maker_rate_ppm", "taker_rate_ppm")
    fees = {int(row["account_class"]): _values(row, names) for row in state.fees}
    yield from _differences("the fees of account class", names, _keyed(rates), fees)


def _instruments(state: State, connection: sqlite3.Connection) -> Iterator[str]:
    events = _keyed(connection.execute(f"SELECT instrument, phase, {', '.join(_INSTRUMENT)} FROM instruments"))
    engine = {n: (_phase(row), *_values(row, _INSTRUMENT)) for n, row in enumerate(state.instruments)}
    yield from _differences("instrument", ("phase", *_INSTRUMENT), events, engine)
    ends = connection.execute("SELECT instrument, auction_ends_ns FROM instruments")
    told = {number: values for number, *values in ends if state.instruments[number : number + 1]["in_auction"].any()}
    auctions = {n: (int(row["auction_ends_ns"]),) for n, row in enumerate(state.instruments) if row["in_auction"]}
    yield from _differences(
        "the volatility auction of instrument", ("ends_ns",), {n: tuple(v) for n, v in told.items()}, auctions
    )


def _phase(instrument: Any) -> int:
    """The phase in force (rule 4.1)."""
    if instrument["halted"]:
        return int(Phase.HALTED)
    return int(Phase.CALL_AUCTION if instrument["in_auction"] else instrument["phase"])


def _orders(state: State, connection: sqlite3.Connection) -> Iterator[str]:
    # A stop that was triggered keeps its trigger in the read database, as part of what was entered; the engine forgets it.
    columns = [
        f"CASE WHEN triggered_seq THEN 0 ELSE {name} END" if name == "trigger_ticks" else name for name in _ORDER
    ]
    names = (*_ORDER, "expires_s", "leaves_lots", "filled_lots", "reserved_fen")
    selected = ", ".join([*columns, *names[len(_ORDER) :]])
    events = _keyed(connection.execute(f"SELECT order_id, {selected} FROM orders WHERE leaves_lots > 0"))
    engine = {}
    for row in state.orders:
        leaves = int(row["shown_lots"]) + int(row["hidden_lots"])
        reserved = leaves * int(row["lot_reserve_fen"]) if row["side"] == Side.BUY else 0
        engine[int(row["order_id"])] = (
            *_values(row, _ORDER), int(row["time_s"]), leaves, int(row["filled_lots"]), reserved
        )  # fmt: skip
    yield from _differences("the open order", names, events, engine)


def _turnover(state: State, connection: sqlite3.Connection, trading_date: int) -> Iterator[str]:
    stands = "FROM trades WHERE busted_seq IS NULL"
    ended = connection.execute(
        f"SELECT trading_date / 10000, sum(amount_fen) {stands} AND trading_date <> ? GROUP BY 1", (trading_date,)
    )
    years = {
        int(row["year"]): (int(row["turnover_low"]) + (int(row["turnover_high"]) << 64),)
        for row in state.years
        if row["turnover_low"] or row["turnover_high"]
    }
    yield from _differences("the turnover of the ended days of", ("amount_fen",), _keyed(ended), years)
    columns = (
        "trade_id, instrument, price_ticks, quantity_lots, amount_fen, taker_side, taker_account, maker_account, taker_fee_fen,"
        " maker_fee_fen, busted_seq IS NOT NULL"
    )
    today = _keyed(connection.execute(f"SELECT {columns} FROM trades WHERE trading_date = ?", (trading_date,)))
    yield from _differences(
        "today's trade", _TRADE, today, {int(row["trade_id"]): _values(row, _TRADE) for row in state.trades}
    )


def _values(row: Any, names: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(int(row[name]) for name in names)


def _keyed(rows: Iterator[tuple[Any, ...]] | sqlite3.Cursor) -> Rows:
    return {key: tuple(values) for key, *values in rows}
