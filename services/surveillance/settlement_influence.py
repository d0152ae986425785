"""An alert: members whose aggressive trades late in the day moved the settlement price. It never excludes anything.

The settlement price of a day with at least 5 lots is its volume-weighted average (rule 4.10 of the rulebook). A member
*influences* it in a product on a day if his aggressive trades of the last 7 % of the day's commands are at least 30 % of the
product's late turnover, and without them the price would have been at least 0.5 % away. Two such days of twenty in a product
are an alert. The thresholds are an assumption.

Only trades are known here. With fewer than 5 lots the rule takes the price of the closing auction, then the middle of standing
quotes, then the price in force before the day; here the last stands for all three. So whoever moves the price of a closing
auction or the quotes is not found, and the average that late trades made is compared with the price before the day where the
rule might have taken an auction's or the quotes'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from services.surveillance.contracts import ScreenTrades, by_day

LATE = Fraction(7, 100)
MOVED = Fraction(50, 10_000)
LATE_SHARE = Fraction(30, 100)
INFLUENCED_DAYS, WINDOW_DAYS = 2, 20
FEWEST_LOTS = 5
"""With fewer lots a day has no average price."""

Settlements = Mapping[tuple[int, int], Fraction]
"""The settlement price in force before a day, in fen per lot, by trading date and instrument."""


@dataclass(frozen=True)
class Influence:
    """A member who moved the settlement price of a product on a day."""

    trading_date: int
    member: int
    instrument: int
    moved: float
    """Signed: how much higher the settlement price is with his late aggressive trades than without, as a fraction."""
    trade_ids: tuple[int, ...]


@dataclass(frozen=True)
class InfluenceAlert:
    """A member who did so on at least two of twenty trading days: the days of a window, and all windows that overlap."""

    member: int
    instrument: int
    influences: tuple[Influence, ...]


def influences(trades: ScreenTrades, before: Settlements) -> list[Influence]:
    """Who moved which settlement price, by date, product and member. The day's commands are those between the first and the
    last trade of any product; auctions have no aggressor. A product whose other trades are fewer than FEWEST_LOTS is compared
    with the price before the day, and left out where `before` has none."""
    found: list[Influence] = []
    for _, day in by_day(trades):
        first, last = int(day["seq"].min()), int(day["seq"].max())
        is_late = (day["seq"] - first) * LATE.denominator >= (LATE.denominator - LATE.numerator) * (last - first)
        for instrument in np.unique(day["instrument"][is_late & (day["aggressor"] > 0)]):
            chosen = day["instrument"] == instrument
            found += _of_product(day[chosen], is_late[chosen], before)
    return found


def _of_product(trades: ScreenTrades, is_late: NDArray[np.bool_], before: Settlements) -> Iterator[Influence]:
    date, instrument = int(trades["trading_date"][0]), int(trades["instrument"][0])
    with_all = _price(trades, before.get((date, instrument)))
    late_fen = int(trades["amount_fen"][is_late].sum())
    for member in np.unique(trades["aggressor"][is_late & (trades["aggressor"] > 0)]):
        his = is_late & (trades["aggressor"] == member)
        without = _price(trades[~his], before.get((date, instrument)))
        share = Fraction(int(trades["amount_fen"][his].sum()), max(late_fen, 1))
        if with_all is None or without is None or share < LATE_SHARE or abs(with_all - without) < MOVED * without:
            continue
        ids = tuple(sorted(trades["trade_id"][his].tolist()))
        yield Influence(date, int(member), instrument, float(with_all / without - 1), ids)


def _price(trades: ScreenTrades, before: Fraction | None) -> Fraction | None:
    """The average price in fen per lot, or with too few lots the one before the day; None where it is not known."""
    lots = int(trades["quantity_lots"].sum())
    return Fraction(int(trades["amount_fen"].sum()), lots) if lots >= FEWEST_LOTS else before


def influence_alerts(found: Iterable[Influence], trading_dates: Sequence[int]) -> list[InfluenceAlert]:
    """The alerts, by member and product. `trading_dates` are all trading days of the period, ascending, even without trades."""
    place = {date: at for at, date in enumerate(trading_dates)}
    by_member: dict[tuple[int, int], list[Influence]] = {}
    for influence in sorted(found, key=lambda one: one.trading_date):
        by_member.setdefault((influence.member, influence.instrument), []).append(influence)
    alerts = []
    for (member, instrument), all_of_member in sorted(by_member.items()):
        days = [place[one.trading_date] for one in all_of_member]
        close = [
            one
            for one, day in zip(all_of_member, days, strict=True)
            if sum(abs(day - other) < WINDOW_DAYS for other in days) >= INFLUENCED_DAYS
        ]
        if close:
            alerts.append(InfluenceAlert(member, instrument, tuple(close)))
    return alerts
