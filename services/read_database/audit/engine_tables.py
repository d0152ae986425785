"""The tables of the read database as an engine has them that has done the journal's commands: all that decides the future."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from matching_engine.records import OrderType, Phase
from matching_engine.snapshot.state import State
from services.read_database.audit.comparison import Table
from services.read_database.audit.journaled import Journaled


class AuditedEngine(Protocol):
    """An engine that shows its state; `matching_engine.Engine` is one."""

    @property
    def last_seq(self) -> int:
        """The last command's sequence number."""

    def turnover_fen(self, year: int) -> int:
        """The turnover of a year's trading days, single-sided."""

    def state(self) -> State:
        """Everything that determines its future."""


def engine_tables(engine: AuditedEngine, journaled: Journaled) -> Iterator[Table]:
    """Money, goods, instruments, open orders, books, the day's trades, the turnover of each year."""
    state = engine.state()
    time_ns = 0 if journaled.last_batch is None else journaled.last_batch.time_ns
    yield _position(state, journaled, time_ns)
    yield from _accounts(state)
    yield _instruments(state, time_ns)
    yield _open_orders(state)
    yield _levels(state)
    yield _day_trades(state)
    yield from _turnover(engine, state)


def _position(state: State, journaled: Journaled, time_ns: int) -> Table:
    venue, columns = state.venue[0], ["seq", "trading_date", "kill_switch", "time_ns", "row_hash"]
    row_hash = bytes(32) if journaled.last_batch is None else journaled.last_batch.hash
    here = (*venue[["last_seq", "trading_date", "kill_switch"]].item(), time_ns, row_hash)
    query = f"SELECT id, {', '.join(columns)} FROM position"
    return Table("position {}", columns, query, [(1, *here)])


def _accounts(state: State) -> Iterator[Table]:
    names = ["cash_fen", "reserved_fen", "account_class", "kill_switch"]
    names += ["max_order_lots", "max_order_fen", "max_open_orders", "max_day_fen"]
    accounts = zip(state.accounts[names].tolist(), state.accounts["owner"].tolist(), strict=True)
    # Without an owner group an account is a group of its own.
    true = [(number, *batch, owner or number) for number, (batch, owner) in enumerate(accounts, start=1)]
    owner_group = "CASE owner WHEN 0 THEN account ELSE owner END"
    query = f"SELECT account, {', '.join(names)}, {owner_group} FROM accounts ORDER BY 1"
    yield Table("account {}", [*names, "owner"], query, true)
    query = "SELECT * FROM holdings WHERE lots <> 0 OR reserved_lots <> 0 ORDER BY 1, 2"
    held = state.holdings.tolist()
    yield Table("account {}, instrument {}", ["lots", "reserved_lots"], query, held, key_columns=2)
    query = "SELECT * FROM fees WHERE maker_rate_ppm <> 0 OR taker_rate_ppm <> 0 ORDER BY 1"
    yield Table("account class {}", ["maker_rate_ppm", "taker_rate_ppm"], query, state.fees.tolist())


def _instruments(state: State, time_ns: int) -> Table:
    names = ["tick_value_fen", "reference_ticks", "max_quantity_lots"]
    names += ["band_ppm", "collar_ppm", "volatility_ppm", "auction_s"]
    true = []
    for number, (batch, fixed) in enumerate(zip(state.instruments, state.instruments[names].tolist(), strict=True)):
        scheduled = Phase.CALL_AUCTION if batch["in_auction"] else int(batch["phase"])
        # When an auction ends is kept beyond its end; what counts is whether one goes on.
        goes_on = batch["in_auction"] and batch["auction_ends_ns"] > time_ns
        ends_ns = int(batch["auction_ends_ns"]) if goes_on else 0
        true.append((number, *fixed, Phase.HALTED if batch["halted"] else scheduled, ends_ns))
    query = f"""
    SELECT instrument, {", ".join(names)}, phase, CASE WHEN auction_ends_ns > time_ns THEN auction_ends_ns ELSE 0 END
    FROM instruments, position ORDER BY 1
    """
    return Table("instrument {}", [*names, "phase", "auction_ends_ns"], query, true)


def _open_orders(state: State) -> Table:
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
    return Table("open order {}", names, query, list(zip(*columns, leaves, leaves, reserved, strict=True)))


def _levels(state: State) -> Table:
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
    return Table(label, ["quantity_lots", "orders"], query, true, key_columns=3)


def _day_trades(state: State) -> Table:
    columns = ["price_ticks", "quantity_lots", "amount_fen", "taker_fee_fen", "maker_fee_fen"]
    columns += ["taker_account", "maker_account", "instrument", "taker_side"]
    today = int(state.venue[0]["trading_date"])
    query = f"""
    SELECT trade_id, {", ".join(columns)}, busted_seq IS NOT NULL FROM trades WHERE trading_date = {today} ORDER BY 1
    """
    return Table("trade {}", [*columns, "busted"], query, state.trades.tolist())


def _turnover(engine: AuditedEngine, state: State) -> Iterator[Table]:
    """Of each year, by the single trades and by the sums of the days."""
    years = sorted({int(state.venue[0]["trading_date"]) // 10_000, *state.years["year"].tolist()})
    true = [(year, fen) for year in years if (fen := engine.turnover_fen(year))]
    standing = "trades WHERE busted_seq IS NULL"
    for label, batches in (("turnover of {}", standing), ("turnover of the days of {}", "daily_turnover")):
        summed = f"SELECT trading_date / 10000, sum(amount_fen) FROM {batches} GROUP BY 1 HAVING sum(amount_fen) <> 0"
        yield Table(label, ["fen"], f"{summed} ORDER BY 1", true)
