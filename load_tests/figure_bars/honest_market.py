"""A year of trades of honest members. Every parameter is an assumption: no venue publishes its members' trades.

38 members send orders, of sizes by rank^-0.8, and 6 makers quote; the top 5 make about 40 % of the turnover. Producers sell,
consumers buy, dealers do both. Each member is active in some of 32 products, so that members of a small product meet often.
Orders are filled in several trades; long-term pairs trade one way. The level of a day has months, a dip around Lunar New Year,
and fast and slow autocorrelation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from services.data.calendar import TradingCalendar

YEAR = 2023
MEMBERS, MAKERS, PRODUCTS = 44, 6, 32
"""Makers have the first numbers."""
TRADES_PER_DAY = 343
"""83,000 a year."""
MEAN_FEN = 28_000_000
"""0.28 M yuan a trade."""
BIG_PRODUCTS = 8
"""Magnets and PrNd: together 91 % of the turnover."""
SESSION_S = 300 * 60
FILLS = 1.5
"""Trades of an order, in the mean."""

NOBODY = -1
"""The taker of a trade where it may be either side."""

LEG = np.dtype(
    [
        ("day", "i8"),  # the place in the year
        ("second", "f8"),
        ("product", "i8"),
        ("seller", "i8"),
        ("buyer", "i8"),
        ("amount_fen", "f8"),  # before it is rounded to lots
        ("taker", "i8"),  # whose order met the other's, or NOBODY
        ("matched", "?"),  # both orders entered together, filled whole
        ("label", "i8"),
    ]
)
"""A trade before it has a price, lots and orders."""

Legs = NDArray[np.void]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Market:
    """Who trades what. `chance` is the one source of randomness of a year."""

    chance: Generator
    dates: tuple[date, ...]
    day_weight: Floats
    product_weight: Floats
    size: Floats
    """How much a member's own orders take, summing up to 1."""
    active: NDArray[np.bool_]
    """member × product"""
    sells: Floats
    """The probability that a member's order sells."""

    @classmethod
    def make(cls, seed: int) -> Market:
        """A market of the trading days of YEAR."""
        chance, dates = np.random.default_rng(seed), TradingCalendar.load().days(YEAR)
        big, small = chance.lognormal(0, 0.5, BIG_PRODUCTS), chance.lognormal(0, 0.9, PRODUCTS - BIG_PRODUCTS)
        weight = np.concatenate((big * 0.91 / big.sum(), small * 0.09 / small.sum()))
        size = np.concatenate((np.full(MAKERS, 0.05), np.arange(1, MEMBERS - MAKERS + 1) ** -0.8))
        active = chance.random((MEMBERS, PRODUCTS)) < chance.uniform(0.06, 0.4, (MEMBERS, 1))
        active[np.arange(MEMBERS), chance.integers(0, BIG_PRODUCTS, MEMBERS)] = True
        active[:MAKERS] = chance.random((MAKERS, PRODUCTS)) < 0.6
        active[:2] = True
        sells = chance.choice((0.12, 0.5, 0.88), MEMBERS, p=(0.35, 0.3, 0.35))
        sells[:MAKERS] = 0.5
        return cls(chance, dates, _day_weights(chance, dates), weight, size / size.sum(), active, sells)


def _day_weights(chance: Generator, dates: Sequence[date]) -> Floats:
    fast = slow = 0.0
    month = chance.normal(0, 0.13, 13)
    logs = []
    for day in dates:
        fast = 0.5 * fast + 0.3 * chance.normal()
        slow = 0.985 * slow + 0.2 * np.sqrt(1 - 0.985**2) * chance.normal()
        lunar = -np.log(2) if date(YEAR, 1, 13) <= day <= date(YEAR, 2, 2) else 0.0
        logs.append(fast + slow + month[day.month] + lunar)
    weights = np.exp(np.array(logs))
    return np.asarray(weights / weights.mean(), np.float64)


def legs(chance: Generator, day: NDArray[np.int64], **fields: Any) -> Legs:
    """Trades on these days at random times; each field is a value or an array."""
    made = np.zeros(len(day), LEG)
    made["day"], made["second"], made["taker"] = day, chance.random(len(day)) * SESSION_S, NOBODY
    for name, values in fields.items():
        made[name] = values
    return made


def honest_legs(market: Market, trades_per_day: int = TRADES_PER_DAY) -> Legs:
    """The trades of honest members, labelled 0: orders against makers and other members, and long-term pairs. The pairs deliver
    as often however few trades there are besides."""
    chance = market.chance
    orders = chance.poisson(market.day_weight * trades_per_day / 1.35)  # 1.35: fills, less those with oneself
    made = legs(chance, np.repeat(np.arange(len(market.dates)), orders))
    made["product"] = chance.choice(PRODUCTS, len(made), p=market.product_weight)
    taker = _by_product(chance, made["product"], market.active * market.size[:, None])
    sells = chance.random(len(made)) < market.sells[taker]
    fills = np.minimum(chance.geometric(1 / FILLS, len(made)), 6)
    made, taker, sells = np.repeat(made, fills), np.repeat(taker, fills), np.repeat(sells, fills)
    other = _counterparties(market, made["product"])
    made["amount_fen"] = chance.lognormal(-0.5, 1.0, len(made)) * MEAN_FEN
    made["seller"], made["buyer"] = np.where(sells, taker, other), np.where(sells, other, taker)
    made["taker"] = taker
    made["matched"] = chance.random(len(made)) < 0.02
    kept = made[taker != other]  # self-trade prevention
    return np.concatenate((kept, *_long_term_pairs(market)))


def _by_product(chance: Generator, product: NDArray[np.int64], weight: Floats) -> NDArray[np.int64]:
    """A member for each entry, by the weights (member × product) of its product."""
    chosen = np.zeros(len(product), np.int64)
    for one in range(PRODUCTS):
        at = np.flatnonzero(product == one)
        chosen[at] = chance.choice(len(weight), len(at), p=weight[:, one] / weight[:, one].sum())
    return chosen


def _counterparties(market: Market, product: NDArray[np.int64]) -> NDArray[np.int64]:
    """Three in four trades are with a maker, by how much of the product each maker quotes; the others with anybody active."""
    chance = market.chance
    quotes = np.zeros(market.active.shape)
    quotes[:MAKERS] = market.active[:MAKERS] * chance.lognormal(0, 0.6, (MAKERS, PRODUCTS))
    with_maker = _by_product(chance, product, quotes)
    with_anybody = _by_product(chance, product, market.active * market.size[:, None])
    return np.where(chance.random(len(product)) < 0.75, with_maker, with_anybody)


def _long_term_pairs(market: Market) -> list[Legs]:
    """Six producers deliver to one consumer each, about every third day."""
    chance, found = market.chance, []
    producers, consumers = np.flatnonzero(market.sells > 0.8), np.flatnonzero(market.sells < 0.2)
    pairs = min(6, len(producers)) if len(consumers) else 0
    for seller in chance.choice(producers, pairs, replace=False):
        day = np.flatnonzero(chance.random(len(market.dates)) < 0.3)
        made = legs(chance, day, seller=seller, buyer=chance.choice(consumers), product=chance.integers(PRODUCTS))
        made["amount_fen"] = chance.lognormal(0.5, 0.3, len(day)) * MEAN_FEN
        made["matched"] = chance.random(len(day)) < 0.3
        found.append(made)
    return found
