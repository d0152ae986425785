"""When an instrument trades continuously, and its best prices: the day as steps, one for each command that changed either."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from operator import mul

import numpy as np
from numpy.typing import NDArray

from matching_engine.records import EventKind, Phase, Side
from services.market_statistics.contracts import Events, MarketDay

Integers = NDArray[np.int64]

_AT_ONCE = 8_192
"""So many numbers become Python's integers together: one call that makes millions would stop every other thread."""
_Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class LevelChanges:
    """The levels of a book as the day changes them, in the journal's order: first those that stand at the beginning."""

    seq: Integers
    """0 for what stands at the beginning."""
    time_ns: Integers
    side: Integers
    price_ticks: Integers
    quantity_lots: Integers
    """Shown from now on; 0: the level is gone."""

    def by_level(self) -> NDArray[np.intp]:
        """Indices that sort the changes by side and price, those of a level in the journal's order."""
        return np.lexsort((np.arange(len(self.seq)), self.price_ticks, self.side))


@dataclass(frozen=True)
class Steps:
    """What holds after each command that changed it, until the next one. The first step is the beginning of the day."""

    seq: Integers
    starts_ns: Integers
    ends_ns: Integers
    continuous: _Flags
    best_buy_ticks: Integers
    """0: there is none."""
    best_sell_ticks: Integers

    @property
    def two_sided(self) -> _Flags:
        """Where both best prices stand in continuous trading."""
        return self.continuous & (self.best_buy_ticks > 0) & (self.best_sell_ticks > 0)

    @property
    def spread_ticks(self) -> Integers:
        """Best sell − best buy; what it says where the market is not two-sided has no meaning."""
        return self.best_sell_ticks - self.best_buy_ticks

    @property
    def lasts_ns(self) -> Integers:
        """How long each step lasts."""
        return self.ends_ns - self.starts_ns

    def after(self, seq: Integers) -> NDArray[np.intp]:
        """The steps that hold after these commands; those before a command are `after(seq - 1)`."""
        return np.searchsorted(self.seq, seq, side="right") - 1


def sum_of_products(first: Integers, second: Integers) -> int:
    """Exact: a product of times and prices does not fit into 64 bits."""
    return sum(sum(map(mul, *part)) for part in in_parts(first, second))


def in_parts(*columns: Integers) -> Iterator[list[list[int]]]:
    """The columns as Python's integers, some thousand rows at a time."""
    for start in range(0, len(columns[0]), _AT_ONCE):
        yield [column[start : start + _AT_ONCE].tolist() for column in columns]


def level_changes(day: MarketDay, instrument: int, events: Events, times_ns: Integers) -> LevelChanges:
    """The changes of an instrument's levels. `events` are its own and those of all instruments, with their times."""
    standing = day.opening.levels[day.opening.levels["instrument"] == instrument]
    chosen = events["kind"] == EventKind.LEVEL
    changed, none = events[chosen], np.zeros(len(standing), np.int64)

    def both(name: str) -> Integers:
        return np.concatenate((standing[name], changed[name].astype(np.int64)))

    return LevelChanges(
        seq=np.concatenate((none, changed["seq"].astype(np.int64))),
        time_ns=np.concatenate((none + day.opening.began_ns, times_ns[chosen])),
        side=both("side"),
        price_ticks=both("price_ticks"),
        quantity_lots=both("quantity_lots"),
    )


def steps_of(day: MarketDay, instrument: int, events: Events, times_ns: Integers, changes: LevelChanges) -> Steps:
    """The steps of an instrument. One that was listed on this day begins with its listing."""
    phases = _phases(day, instrument, events, times_ns)
    best = _best_prices(changes)
    seq = np.concatenate((phases[0], best[0]))
    times = np.concatenate((phases[1], best[1]))
    order = np.lexsort((np.arange(len(seq)), seq))
    seq, times = seq[order], times[order]
    last = np.append(seq[1:] != seq[:-1], True)
    seq, times = seq[last], times[last]
    continuous = phases[2][np.searchsorted(phases[0], seq, side="right") - 1]
    at = np.searchsorted(best[0], seq, side="right") - 1
    buy, sell = (np.where(at >= 0, np.append(prices, 0)[at], 0) for prices in best[2:])
    ends = np.append(times[1:], day.ended_ns)
    return Steps(seq, starts_ns=times, ends_ns=ends, continuous=continuous, best_buy_ticks=buy, best_sell_ticks=sell)


def _phases(day: MarketDay, instrument: int, events: Events, times_ns: Integers) -> tuple[Integers, Integers, _Flags]:
    """Seq, time, and whether trading is continuous from there on; the first entry is the beginning."""
    opening = day.opening
    seq, times, phases = [0], [opening.began_ns], [opening.phases.get(instrument, opening.phase_of_all)]
    chosen = np.isin(events["kind"], (EventKind.PHASE_CHANGED, EventKind.INSTRUMENT_LISTED))
    for event, time_ns in zip(events[chosen], times_ns[chosen].tolist(), strict=True):
        if event["kind"] == EventKind.INSTRUMENT_LISTED:
            seq, times, phases = [int(event["seq"])], [time_ns], phases[-1:]
        else:
            seq.append(int(event["seq"]))
            times.append(time_ns)
            phases.append(int(event["phase"]))
    numbers = np.array(seq, np.int64)
    last = np.append(numbers[1:] != numbers[:-1], True)
    return numbers[last], np.array(times, np.int64)[last], (np.array(phases) == Phase.CONTINUOUS)[last]


def _best_prices(changes: LevelChanges) -> tuple[Integers, Integers, Integers, Integers]:
    """Seq, time, best buy and best sell after each command that made a level appear or vanish."""
    turned = _appear_or_vanish(changes)
    buys: list[int] = []
    sells: list[int] = []
    best: list[tuple[int, int]] = []
    parts = in_parts(*(column[turned] for column in (changes.side, changes.price_ticks, changes.quantity_lots)))
    for side, price, lots in chain.from_iterable(zip(*part, strict=True) for part in parts):
        prices = buys if side == Side.BUY else sells
        if lots:
            insort(prices, price)
        else:
            del prices[bisect_left(prices, price)]
        best.append((buys[-1] if buys else 0, sells[0] if sells else 0))
    seq = changes.seq[turned]
    last = np.append(seq[1:] != seq[:-1], True)[: len(seq)]
    buy, sell = np.array(best, np.int64).reshape(-1, 2)[last].T
    return seq[last], changes.time_ns[turned][last], buy, sell


def _appear_or_vanish(changes: LevelChanges) -> NDArray[np.intp]:
    """Indices of the changes that make a level appear or vanish, in the journal's order."""
    order = changes.by_level()
    side, price = changes.side[order], changes.price_ticks[order]
    there = changes.quantity_lots[order] > 0
    same = (side[1:] == side[:-1]) & (price[1:] == price[:-1])
    before = np.append(False, there[:-1] & same)[: len(order)]
    return np.sort(order[there != before])
