"""The naive engine's state, in the sections of `matching_engine/snapshot/state.py`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import starmap
from operator import itemgetter
from struct import Struct
from typing import Any

import numpy as np

from matching_engine.snapshot import state
from tests.model.naive_refusals import Refusals


def pack_of(layout: np.dtype[Any]) -> Struct:
    """Packs a row of a layout. The state is made after every command, and `np.array` takes several times as long."""
    codes = {"|u1": "B", "<u2": "H", "<u4": "I", "<u8": "Q", "<i8": "q", "|S36": "36s"}
    return Struct("<" + "".join(codes[field[1]] for field in layout.descr))


PACKS = state.State(*map(pack_of, state.LAYOUTS))


def section(layout: np.dtype[Any], rows: Iterable[tuple[Any, ...]], pack: Struct) -> Any:
    return np.frombuffer(b"".join(starmap(pack.pack, rows)), layout)


def state_of(e: Refusals) -> state.State:
    """The complete state of a naive engine."""
    venue = (
        e.last_seq, e.trading_date, e.trading_day, e.venue_phase, e.venue_halted, e.venue_kill_switch,
    )  # fmt: skip
    fees = [(number, *rates) for number, rates in sorted(e.fees.items()) if rates != (0, 0)]
    instruments = [
        (
            i.tick_value, i.reference, i.last, i.max_quantity, i.day_lots, i.day_amount, i.auction_ends_ns, *i.quotes,
            i.quotes_since_ns, i.quotes_until_ns, i.closing_seq, i.band_ppm, i.collar_ppm, i.volatility_ppm, i.auction_s,
            i.phase, i.halted, i.in_auction,
        )
        for i in e.listed
    ]  # fmt: skip
    accounts = [
        (
            a.cash, a.reserved, a.day_amount, a.max_order_lots, a.max_order_fen, a.max_day_fen, a.owner,
            a.max_open_orders, a.account_class, a.kill_switch,
        )
        for _, a in sorted(e.ledger.items())
    ]  # fmt: skip
    holdings = [(*key, h.lots, h.reserved) for key, h in sorted(e.held.items()) if h.lots]
    orders = [
        (
            o.order_id, o.price, o.trigger, o.lot_reserve, o.shown, o.hidden, o.display, o.filled, o.account, o.time_s,
            o.instrument, o.side, o.order_type, o.time_in_force, o.self_trade, o.flags,
        )
        for o in e.open_orders()
    ]  # fmt: skip
    trades = [
        (
            t.trade_id, t.price, t.lots, t.amount, t.fee, t.maker_fee, t.account, t.maker_account, t.instrument, t.side,
            t.busted,
        )
        for _, t in sorted(e.trades.items())
    ]  # fmt: skip
    ids = [(text, account, i.order_id, i.digest, i.day) for (account, text), i in e.client_ids.items()]
    ids.sort(key=itemgetter(2))
    sections = state.State([venue], fees, ended_years(e), instruments, accounts, holdings, orders, trades, ids)
    return state.State(*map(section, state.LAYOUTS, sections, PACKS))


def ended_years(e: Refusals) -> list[tuple[int, int, int]]:
    """The turnover of ended trading days by year: the total less the current day's."""
    ended = dict(e.turnover)
    year = e.trading_date // 10_000
    ended[year] = ended.get(year, 0) - sum(i.day_amount for i in e.listed)
    return [(year, fen % 2**64, fen >> 64) for year, fen in sorted(ended.items()) if fen]
