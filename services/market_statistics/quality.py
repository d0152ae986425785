"""The quality of each product's market on a trading day, from the day's events."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from matching_engine.records import ALL_INSTRUMENTS, EventKind, Phase, Side
from services.market_statistics.continuous_time import Integers, Steps, level_changes, steps_of, sum_of_products
from services.market_statistics.contracts import Events, MarketDay, Quality
from services.market_statistics.depth import depths
from services.market_statistics.large_trades import median_spread, recovery

MILLION_YUAN_FEN = 100_000_000


def day_quality(day: MarketDay) -> dict[int, Quality]:
    """The quality of each product that was listed before the day's end, by its number."""
    events, found = day.events, {}
    number = events["instrument"]
    new = number[events["kind"] == EventKind.INSTRUMENT_LISTED].tolist()
    for instrument in sorted(day.opening.listed.union(new)):
        chosen = (number == instrument) | (number == ALL_INSTRUMENTS)
        found[instrument] = _quality(day, instrument, events[chosen], day.times_ns[chosen])
    return found


def _quality(day: MarketDay, instrument: int, events: Events, times_ns: Integers) -> Quality:
    changes = level_changes(day, instrument, events, times_ns)
    steps = steps_of(day, instrument, events, times_ns, changes)
    two_sided_ns = steps.lasts_ns[steps.two_sided]
    spread = sum_of_products(two_sided_ns, steps.spread_ticks[steps.two_sided])
    twice = sum_of_products(two_sided_ns, (steps.best_buy_ticks + steps.best_sell_ticks)[steps.two_sided])
    whole_ns, depth, median = int(two_sided_ns.sum()), depths(changes, steps, day.ended_ns), median_spread(steps)
    traded = _stands(events)
    trades, traded_ns = events[traded], times_ns[traded]
    continuous = trades["phase"] == Phase.CONTINUOUS
    seq, lots = (trades[name][continuous].astype(np.int64) for name in ("seq", "quantity_lots"))
    recovered = recovery(steps, seq, traded_ns[continuous], lots, median)
    return Quality(
        instrument=instrument,
        continuous_ns=int(steps.lasts_ns[steps.continuous].sum()),
        two_sided_ns=whole_ns,
        spread_ticks=_ratio(spread, whole_ns),
        spread_share=_ratio(2 * spread, twice),
        median_spread_ticks=median,
        buy_depth_lots=depth[Side.BUY],
        sell_depth_lots=depth[Side.SELL],
        trades=int(continuous.sum()),
        **_effective_spread(steps, trades[continuous]),
        large_trades=recovered.large_trades,
        unrecovered_trades=recovered.unrecovered_trades,
        recovery_ns=recovered.recovery_ns,
        amihud=_amihud(events, trades),
    )


def _stands(events: Events) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The trades that were not busted. A trade can be busted on its own day only."""
    busted = events["order_id"][events["kind"] == EventKind.TRADE_BUSTED]
    trade_ids = events["seq"] << np.uint64(20) | events["number"].astype(np.uint64)
    stands: np.ndarray[Any, np.dtype[np.bool_]] = (events["kind"] == EventKind.TRADE) & ~np.isin(trade_ids, busted)
    return stands


def _effective_spread(steps: Steps, trades: Events) -> dict[str, Fraction | None]:
    """Trades of a command before which the market was not two-sided are left out: there was no middle."""
    before = steps.after(trades["seq"].astype(np.int64) - 1)
    there = (before >= 0) & steps.two_sided[before]
    of, trades = before[there], trades[there]
    twice_middle = steps.best_buy_ticks[of] + steps.best_sell_ticks[of]
    twice_away = 2 * trades["price_ticks"] - twice_middle
    twice_away[trades["side"] == Side.SELL] *= -1
    lots = trades["quantity_lots"]
    away, middle = sum_of_products(twice_away, lots), sum_of_products(twice_middle, lots)
    return {
        "effective_spread_ticks": _ratio(away, int(lots.sum())),
        "effective_spread_share": _ratio(2 * away, middle),
    }


def _amihud(events: Events, trades: Events) -> Fraction | None:
    """The reference price is that of the day roll, or of the listing on this day: the event with a price that comes first."""
    settled = events["price_ticks"][np.isin(events["kind"], (EventKind.SETTLED, EventKind.INSTRUMENT_LISTED))]
    amount_fen = sum(trades["amount_fen"].tolist())
    if not amount_fen:
        return None
    before = int(settled[0])
    return Fraction(abs(int(trades["price_ticks"][-1]) - before) * MILLION_YUAN_FEN, before * amount_fen)


def _ratio(numerator: int, denominator: int) -> Fraction | None:
    return Fraction(numerator, denominator) if denominator else None
