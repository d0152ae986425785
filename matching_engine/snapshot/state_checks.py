"""The checks of a state before an engine is restored from it: every number is within its bounds, and every sum is right.

`Engine.from_state` detects what these checks do not, such as rows out of order: the restored engine's state must be equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matching_engine.limits import (
    MAX_ACCOUNTS,
    MAX_AUCTION_S,
    MAX_DAY_AMOUNT_FEN,
    MAX_HELD_LOTS,
    MAX_INSTRUMENTS,
    MAX_OPEN_ORDERS,
    MAX_TICK_VALUE_FEN,
)
from matching_engine.records import (
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    MAX_RATE_PPM,
    Flag,
    OrderType,
    Phase,
    Side,
    TimeInForce,
)
from matching_engine.snapshot.state import LAYOUTS, State, StateError

I64_MAX = 2**63 - 1

BOUNDS: dict[str, dict[str, tuple[int, int]]] = {
    "venue": {"phase": (0, 4), "halted": (0, 1), "kill_switch": (0, 1), "trading_date": (0, 9999_12_31)},
    "fees": {"maker_rate_ppm": (0, MAX_RATE_PPM), "taker_rate_ppm": (0, MAX_RATE_PPM)},
    "instruments": {
        "tick_value_fen": (1, MAX_TICK_VALUE_FEN),
        "reference_ticks": (1, MAX_PRICE_TICKS),
        "last_ticks": (0, MAX_PRICE_TICKS),
        "max_quantity_lots": (1, MAX_QUANTITY_LOTS),
        "best_buy_ticks": (0, MAX_PRICE_TICKS),
        "best_sell_ticks": (0, MAX_PRICE_TICKS),
        "day_lots": (0, I64_MAX),
        "day_amount_fen": (0, MAX_DAY_AMOUNT_FEN + MAX_AMOUNT_FEN),
        "band_ppm": (0, MAX_RATE_PPM),
        "collar_ppm": (0, MAX_RATE_PPM),
        "volatility_ppm": (0, MAX_RATE_PPM),
        "auction_s": (0, MAX_AUCTION_S),
        "phase": (0, Phase.DELISTED),
        "halted": (0, 1),
        "in_auction": (0, 1),
    },
    "accounts": {
        "cash_fen": (0, MAX_AMOUNT_FEN),
        "reserved_fen": (0, MAX_AMOUNT_FEN),
        "day_fen": (0, MAX_DAY_AMOUNT_FEN),
        "max_order_lots": (0, MAX_QUANTITY_LOTS),
        "max_order_fen": (0, MAX_AMOUNT_FEN),
        "max_day_fen": (0, MAX_DAY_AMOUNT_FEN),
        "owner": (1, 2**32 - 1),
        "kill_switch": (0, 1),
    },
    "holdings": {"lots": (1, MAX_HELD_LOTS), "reserved_lots": (0, MAX_HELD_LOTS)},
    "orders": {
        "price_ticks": (1, MAX_PRICE_TICKS),
        "trigger_ticks": (0, MAX_PRICE_TICKS),
        "lot_reserve_fen": (0, 2 * MAX_AMOUNT_FEN),
        "shown_lots": (1, MAX_QUANTITY_LOTS),
        "hidden_lots": (0, MAX_QUANTITY_LOTS),
        "display_lots": (0, MAX_QUANTITY_LOTS),
        "filled_lots": (0, MAX_QUANTITY_LOTS),
        "side": (0, 1),
        "self_trade": (0, 3),
        "flags": (0, Flag.POST_ONLY),
    },
    "trades": {
        "price_ticks": (1, MAX_PRICE_TICKS),
        "quantity_lots": (1, MAX_QUANTITY_LOTS),
        "amount_fen": (1, MAX_AMOUNT_FEN),
        "fee_fen": (0, MAX_AMOUNT_FEN),
        "maker_fee_fen": (0, MAX_AMOUNT_FEN),
        "side": (0, 1),
        "busted": (0, 1),
    },
}
"""The least and the greatest value of each field, by section."""


def check(kept: State) -> None:
    """Raises StateError for a state that no engine can reach."""
    for name, layout in LAYOUTS._asdict().items():
        demand(getattr(kept, name).dtype == layout, f"the section {name!r} has another layout")
    demand(len(kept.venue) == 1, "a state has one venue")
    demand(1 <= len(kept.accounts) <= MAX_ACCOUNTS, "there are too few or too many accounts")
    demand(len(kept.instruments) <= MAX_INSTRUMENTS, "there are too many instruments")
    for name, bounds in BOUNDS.items():
        for field, (low, high) in bounds.items():
            column = getattr(kept, name)[field]
            demand(
                bool(((column >= low) & (column <= high)).all()), f"{field} in the section {name!r} is out of bounds"
            )
    demand(not np.isin([*kept.venue["phase"], *kept.instruments["phase"]], Phase.HALTED).any(), "no schedule halts")
    for name in ("holdings", "orders", "trades", "client_ids"):
        _check_numbers(name, getattr(kept, name), kept)
    _check_instruments(kept)
    _check_orders(kept)
    _check_books(kept)
    _check_sums(kept)


def demand(holds: bool, otherwise: str) -> None:
    """Raises StateError with the sentence `otherwise` unless `holds`."""
    if not holds:
        raise StateError(f"this state cannot be: {otherwise}")


def _check_numbers(name: str, rows: Any, kept: State) -> None:
    """The accounts, instruments and commands that the rows name exist."""
    fields = rows.dtype.names
    for field in ("account", "maker_account"):
        if field in fields:
            known = (rows[field] >= 1) & (rows[field] <= len(kept.accounts))
            demand(bool(known.all()), f"the section {name!r} names an unknown account")
    if "instrument" in fields:
        demand(
            bool((rows["instrument"] < len(kept.instruments)).all()),
            f"the section {name!r} names an unknown instrument",
        )
    if "order_id" in fields:
        known = (rows["order_id"] >= 1) & (rows["order_id"] <= kept.venue["last_seq"][0])
        demand(bool(known.all()), f"the section {name!r} names an order of a later command")
    if "trade_id" in fields:
        demand(bool((rows["trade_id"] >> 20 <= kept.venue["last_seq"][0]).all()), "a trade is of a later command")
    number = {"trades": "trade_id", "client_ids": "order_id"}.get(name)
    if number is not None:
        demand(bool((rows[number][1:] > rows[number][:-1]).all()), f"the section {name!r} is out of order")


def _check_instruments(kept: State) -> None:
    """Volatility auctions run only where they can, and the day's volume and turnover are the sums of its unbusted trades."""
    rows, trades = kept.instruments, kept.trades[kept.trades["busted"] == 0]
    lasts = rows["in_auction"] == 1
    demand(bool((lasts <= (rows["phase"] == Phase.CONTINUOUS)).all()), "a volatility auction goes on in no such phase")
    demand(bool((lasts | (rows["auction_ends_ns"] == 0)).all()), "a volatility auction ends that has not begun")
    demand(bool(((rows["volatility_ppm"] > 0) == (rows["auction_s"] > 0)).all()), "a volatility band has no length")
    delisted = rows["phase"] == Phase.DELISTED
    demand(not (delisted & (rows["halted"] == 1)).any(), "a delisted instrument is halted")
    demand(not delisted[kept.orders["instrument"]].any(), "an order of a delisted instrument is open")
    demand(bool((rows["closing_seq"] <= kept.venue["last_seq"][0]).all()), "a closing auction is of a later command")
    days = [[0, 0] for _ in rows]
    for instrument, lots, amount in trades[["instrument", "quantity_lots", "amount_fen"]].tolist():
        days[instrument][0] += lots
        days[instrument][1] += amount
    so_far = [list(day) for day in rows[["day_lots", "day_amount_fen"]].tolist()]
    demand(so_far == days, "the day of an instrument is not what its trades make")


def _check_books(kept: State) -> None:
    """No book is crossed where it must not be, the best prices of continuous trading are those of its orders, and each buy has
    reserved more than the value of a lot (the fee is ≥ 1 fen)."""
    rows, orders = kept.instruments, kept.orders[kept.orders["trigger_ticks"] == 0]
    buys, sells = orders[orders["side"] == Side.BUY], orders[orders["side"] == Side.SELL]
    best_buy = np.zeros(len(rows), "i8")
    best_sell = np.full(len(rows), MAX_PRICE_TICKS + 1, "i8")
    np.maximum.at(best_buy, buys["instrument"], buys["price_ticks"])
    np.minimum.at(best_sell, sells["instrument"], sells["price_ticks"])
    free = (rows["halted"] == 1) | (rows["in_auction"] == 1) | (rows["phase"] == Phase.CALL_AUCTION)
    demand(bool((free | (best_buy < best_sell)).all()), "a book is crossed outside a call auction")
    best_sell[best_sell > MAX_PRICE_TICKS] = 0
    quoted = (rows["best_buy_ticks"] == best_buy) & (rows["best_sell_ticks"] == best_sell)
    untraded = free | (rows["phase"] != Phase.CONTINUOUS)
    demand(bool((untraded | quoted).all()), "a best price is not that of its orders")
    demand(bool((untraded | (rows["closing_seq"] == 0)).all()), "an instrument trades on after its closing auction")
    buys = kept.orders[kept.orders["side"] == Side.BUY]
    values = buys["price_ticks"] * rows["tick_value_fen"][buys["instrument"]]
    demand(bool((buys["lot_reserve_fen"] > values).all()), "a buy has reserved less than it may cost")


def _check_orders(kept: State) -> None:
    orders = kept.orders
    waits = orders["trigger_ticks"] > 0
    stop = (orders["order_type"] == OrderType.STOP) | (orders["order_type"] == OrderType.STOP_LIMIT)
    demand(bool((waits == stop).all()), "an order waits that is no stop, or the other way round")
    demand(bool((stop | (orders["order_type"] == OrderType.LIMIT)).all()), "an order of its type isn't open")
    times = np.isin(orders["time_in_force"], (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD))
    demand(bool(times.all()), "an order of its time in force isn't open")
    demand(bool((stop <= (orders["display_lots"] == 0)).all()), "a stop is an iceberg")
    hides = orders["hidden_lots"] > 0
    demand(bool((hides <= (orders["shown_lots"] <= orders["display_lots"])).all()), "an iceberg shows more than it may")
    total = orders["shown_lots"].astype("i8") + orders["hidden_lots"] + orders["filled_lots"]
    demand(bool((total <= MAX_QUANTITY_LOTS).all()), "an order is too large")
    ids = np.sort(orders["order_id"])
    demand(bool((ids[1:] > ids[:-1]).all()), "two orders have one id")
    display = np.maximum(orders["display_lots"], 1)
    refills = int(-(-orders["hidden_lots"].astype("i8") // display).sum())
    demand(len(orders) + refills <= MAX_OPEN_ORDERS, "there are too many open orders")


def _check_sums(kept: State) -> None:
    """Each account's reserves are the sums of its orders' reserves, and no account holds less than it has reserved."""
    accounts, holdings, orders = kept.accounts, kept.holdings, kept.orders
    demand(sum(accounts["cash_fen"].tolist()) <= MAX_AMOUNT_FEN, "there is too much cash")
    demand(bool((accounts["reserved_fen"] <= accounts["cash_fen"]).all()), "an account has reserved more than it has")
    demand(bool((holdings["reserved_lots"] <= holdings["lots"]).all()), "an account has reserved more lots than it has")
    cash = dict.fromkeys(range(1, len(accounts) + 1), 0)
    lots: dict[tuple[int, int], int] = {}
    columns = ("account", "instrument", "side", "shown_lots", "hidden_lots", "lot_reserve_fen")
    for account, instrument, side, shown, hidden, reserve in zip(
        *(orders[name].tolist() for name in columns), strict=True
    ):
        if side == Side.BUY:
            cash[account] += (shown + hidden) * reserve
        else:
            lots[account, instrument] = lots.get((account, instrument), 0) + shown + hidden
            demand(reserve == 0, "a sell has reserved cash")
    demand(
        list(cash.values()) == accounts["reserved_fen"].tolist(), "an account has reserved other cash than its orders"
    )
    reserved = {
        (account, instrument): held
        for account, instrument, _, held in holdings.tolist()
        if held
    }  # fmt: skip
    demand(reserved == lots, "an account has reserved other lots than its orders")
    held: dict[int, int] = {}
    for _, instrument, count, _ in holdings.tolist():
        held[instrument] = held.get(instrument, 0) + count
    demand(max(held.values(), default=0) <= MAX_HELD_LOTS, "there are too many lots of an instrument")
