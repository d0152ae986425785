"""The true rows of the read database's tables, from the state of an engine that has executed the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from matching_engine.records import OrderType, Phase
from matching_engine.snapshot.state import State
from services.journal.batch import JournalBatch
from services.read_model.audit.comparison import Table


class AuditedEngine(Protocol):
    """The part of `matching_engine.Engine` that an audit reads."""

    @property
    def last_seq(self) -> int:
        """Sequence number of the last command."""

    def turnover_fen(self, year: int) -> int:
        """Single-sided turnover of a year's trading days."""

    def state(self) -> State:
        """The complete state, which determines its future."""


def engine_tables(engine: AuditedEngine, last_batch: JournalBatch | None, *, every_trade: bool) -> Iterator[Table]:
    """Money, goods, instruments, open orders, books, the day's trades, the turnover of each year: by the sums of its days, and
    with `every_trade` also by all its trades, which takes the longer, the older the journal is.

    `last_batch` is the one that holds the engine's last command.
    """
    state = engine.state()
    time_ns = 0 if last_batch is None else last_batch.time_ns
    yield _position(state, last_batch, time_ns)
    yield from _accounts(state)
    yield _instruments(state, time_ns)
    yield _open_orders(state)
    yield _levels(state)
    yield _day_trades(state)
    yield from _turnover(engine, state, every_trade)


def _position(state: State, last_batch: JournalBatch | None, time_ns: int) -> Table:
    venue, columns = state.venue[0], ["seq", "trading_date", "kill_switch", "time_ns", "row_hash"]
    row_hash = bytes(32) if last_batch is None else last_batch.hash
    here = (*venue[["last_seq", "trading_date", "kill_switch"]].item(), time_ns, row_hash)
    query = f"SELECT id, {', '.join(columns)} FROM position"
    return Table("position {}", columns, query, [(1, *here)])


def _accounts(state: State) -> Iterator[Table]:
    names = ["cash_fen", "reserved_fen", "account_class", "kill_switch"]
    names += ["max_order_lots", "max_order_fen", "max_open_orders", "max_day_fen"]
    accounts = zip(state.accounts[names].tolist(), state.accounts["owner"].tolist(), strict=True)
    # Without an owner group an account is a group of its own.
    true = [(number, *values, owner or number) for number, (values, owner) in enumerate(accounts, start=1)]
    owner_group = "CASE owner WHEN 0 THEN account ELSE owner END"
    query = f"SELECT account, {', '.join(names)}, {owner_group} FROM accounts ORDER BY account"
    yield Table("account {}", [*names, "owner"], query, true)
    query = """
    SELECT account, instrument, lots, reserved_lots FROM holdings WHERE lots <> 0 OR reserved_lots <> 0
    ORDER BY account, instrument
    """
    held = state.holdings[["account", "instrument", "lots", "reserved_lots"]].tolist()
    yield Table("account {}, instrument {}", ["lots", "reserved_lots"], query, held, key_columns=2)
    query = """
    SELECT account_class, maker_rate_ppm, taker_rate_ppm FROM fees WHERE maker_rate_ppm <> 0 OR taker_rate_ppm <> 0
    ORDER BY account_class
    """
    rates = state.fees[["account_class", "maker_rate_ppm", "taker_rate_ppm"]].tolist()
    yield Table("account class {}", ["maker_rate_ppm", "taker_rate_ppm"], query, rates)


def _instruments(state: State, time_ns: int) -> Table:
    names = ["tick_value_fen", "reference_ticks", "max_quantity_lots"]
    names += ["band_ppm", "collar_ppm", "volatility_ppm", "auction_s"]
    true = []
    for number, (instrument, fixed) in enumerate(
        zip(state.instruments, state.instruments[names].tolist(), strict=True)
    ):
        scheduled = Phase.CALL_AUCTION if instrument["in_auction"] else int(instrument["phase"])
        # auction_ends_ns is kept after the end of an auction: compare it only while the auction goes on.
        goes_on = instrument["in_auction"] and instrument["auction_ends_ns"] > time_ns
        ends_ns = int(instrument["auction_ends_ns"]) if goes_on else 0
        true.append((number, *fixed, Phase.HALTED if instrument["halted"] else scheduled, ends_ns))
    query = f"""
    SELECT instrument, {", ".join(names)}, phase, CASE WHEN auction_ends_ns > time_ns THEN auction_ends_ns ELSE 0 END
    FROM instruments, position ORDER BY instrument
    """
    return Table("instrument {}", [*names, "phase", "auction_ends_ns"], query, true)


def _open_orders(state: State) -> Table:
    """The engine turns a triggered stop into a limit order and drops its trigger price. Left to itself, SQLite would walk
    through all orders of the past, to read them in their order."""
    orders = state.orders[state.orders["order_id"].argsort()]
    same = ["account", "instrument", "side", "price_ticks", "filled_lots"]
    same += ["display_lots", "time_in_force", "self_trade", "flags"]
    leaves = (orders["shown_lots"].astype("i8") + orders["hidden_lots"]).tolist()
    reserved = [lots * fen for lots, fen in zip(leaves, orders["lot_reserve_fen"].tolist(), strict=True)]
    columns = [orders[name].tolist() for name in ("order_id", *same, "time_s", "order_type", "trigger_ticks")]
    query = f"""
    SELECT order_id, {", ".join(same)}, expires_s, CASE triggered_seq WHEN 0 THEN order_type ELSE {OrderType.LIMIT:d} END,
        CASE triggered_seq WHEN 0 THEN trigger_ticks ELSE 0 END, leaves_lots, quantity_lots - filled_lots, reserved_fen
    FROM orders INDEXED BY orders_open WHERE leaves_lots > 0 ORDER BY order_id
    """
    names = [*same, "expires_s", "order_type", "trigger_ticks", "leaves_lots", "unfilled_lots", "reserved_fen"]
    return Table("open order {}", names, query, list(zip(*columns, leaves, leaves, reserved, strict=True)))


def _levels(state: State) -> Table:
    """Depth: the shown lots of resting orders. Waiting stops are not in the book."""
    shown_lots: Counter[tuple[int, ...]] = Counter()
    orders: Counter[tuple[int, ...]] = Counter()
    resting = state.orders[state.orders["trigger_ticks"] == 0]
    for *level, lots in resting[["instrument", "side", "price_ticks", "shown_lots"]].tolist():
        shown_lots[tuple(level)] += lots
        orders[tuple(level)] += 1
    true = sorted((*level, lots, orders[level]) for level, lots in shown_lots.items())
    query = """
    SELECT instrument, side, price_ticks, quantity_lots, orders FROM levels ORDER BY instrument, side, price_ticks
    """
    label = "instrument {}, side {}, level at {} ticks"
    return Table(label, ["quantity_lots", "orders"], query, true, key_columns=3)


_DAY_TRADE = {
    "price_ticks": "price_ticks",
    "quantity_lots": "quantity_lots",
    "amount_fen": "amount_fen",
    "taker_fee_fen": "fee_fen",
    "maker_fee_fen": "maker_fee_fen",
    "taker_account": "account",
    "maker_account": "maker_account",
    "instrument": "instrument",
    "taker_side": "side",
}
"""The columns of a trade in the read database, and their names in the engine's state."""


def _day_trades(state: State) -> Table:
    today = int(state.venue[0]["trading_date"])
    query = f"""
    SELECT trade_id, {", ".join(_DAY_TRADE)}, busted_seq IS NOT NULL FROM trades WHERE trading_date = {today}
    ORDER BY trade_id
    """
    true = state.trades[["trade_id", *_DAY_TRADE.values(), "busted"]].tolist()
    return Table("trade {}", [*_DAY_TRADE, "busted"], query, true)


def _turnover(engine: AuditedEngine, state: State, every_trade: bool) -> Iterator[Table]:
    """The turnover of each year, compared with the sums of the days and, with `every_trade`, with the single trades."""
    years = sorted({int(state.venue[0]["trading_date"]) // 10_000, *state.years["year"].tolist()})
    true = [(year, fen) for year in years if (fen := engine.turnover_fen(year))]
    traded = "amount_fen + excluded_fen"  # the engine knows no decisions
    sources = [("turnover of {}", "amount_fen", "trades WHERE busted_seq IS NULL")] if every_trade else []
    for label, amount, rows in (*sources, ("turnover of the days of {}", traded, "daily_turnover")):
        query = f"""
        SELECT trading_date / 10000 AS year, sum({amount}) AS fen FROM {rows} GROUP BY year HAVING fen <> 0 ORDER BY year
        """
        yield Table(label, ["fen"], query, true)
