"""The PrNd index: settlement prices of praseodymium-neodymium oxide and metal, weighted by turnover, chained yearly.

On day t of year Y, with L the last trading day before Y (in the index's first year: its first day):

    index(t) = index(L) · Σ weight(i, Y) · settlement(i, t) / settlement(i, L),   index(first day) = 100

`weight(i, Y)` is product i's share of both products' turnover in year Y − 1. In the first year, and after a year in which
neither traded, both weigh one half: an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

BASE = 100
FEWEST_TRADES = 5
FEWEST_MEMBERS = 3
"""On each side."""


@dataclass(frozen=True)
class IndexInput:
    """A trading day that has ended, of the products of the index, in the same order each day."""

    trading_date: int
    settlement_ticks: tuple[int, ...]
    amount_fen: tuple[int, ...]
    """Turnover that counts."""
    trades: int
    """Of all products together, those that count."""
    buyers: int
    """Members who bought any of the products in these trades."""
    sellers: int


@dataclass(frozen=True)
class IndexDay:
    """The index of a day."""

    trading_date: int
    value: Fraction
    assessed: bool
    """Whether at least 5 trades with at least 3 members on each side stand behind the prices."""
    day: IndexInput


class Weights(NamedTuple):
    """The shares of the products in a year. They add up to 1."""

    shares: tuple[Fraction, ...]
    assumed: bool


@dataclass(frozen=True)
class Index:
    """All days, and the weights by year."""

    days: tuple[IndexDay, ...]
    weights: Mapping[int, Weights]


def prnd_index(days: Sequence[IndexInput]) -> Index:
    """The index of the trading days, which ascend. Its first day is the first of them."""
    turnover: dict[int, tuple[int, ...]] = {}
    for day in days:
        so_far = turnover.get(_year(day), (0,) * len(day.amount_fen))
        turnover[_year(day)] = tuple(map(sum, zip(so_far, day.amount_fen, strict=True)))
    found: list[IndexDay] = []
    weights: dict[int, Weights] = {}
    link = (Fraction(BASE), days[0].settlement_ticks) if days else (Fraction(BASE), ())
    for day in days:
        year = _year(day)
        if year not in weights:
            weights[year] = _weights(turnover.get(year - 1, ()), len(day.amount_fen))
            if found:
                link = found[-1].value, found[-1].day.settlement_ticks
        shares = weights[year].shares
        moved = sum(
            share * Fraction(now, then) for share, now, then in zip(shares, day.settlement_ticks, link[1], strict=True)
        )
        found.append(IndexDay(day.trading_date, link[0] * moved, _is_assessed(day), day))
    return Index(tuple(found), weights)


def _weights(turnover: Sequence[int], products: int) -> Weights:
    whole = sum(turnover)
    if not whole:
        return Weights((Fraction(1, products),) * products, assumed=True)
    return Weights(tuple(Fraction(amount, whole) for amount in turnover), assumed=False)


def _is_assessed(day: IndexInput) -> bool:
    return day.trades >= FEWEST_TRADES and min(day.buyers, day.sellers) >= FEWEST_MEMBERS


def _year(day: IndexInput) -> int:
    return day.trading_date // 10_000
