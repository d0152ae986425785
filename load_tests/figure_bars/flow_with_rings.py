"""Rings of members who trade in circles, planted among honest trades, and the labels of all trades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from load_tests.figure_bars.honest_market import MEAN_FEN, NOBODY, PRODUCTS, Legs, Market, legs
from services.surveillance.contracts import SCREEN_TRADE, ScreenTrades

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
COMMANDS_PER_TRADE = 60
FIRST_ACCOUNT = 2
"""Member 0 of a market is account 2: account 1 is the venue's own."""


@dataclass(frozen=True)
class LabelledFlow:
    """Trades with a label each: 0 honest, n > 0 a trade within ring n, −n a trade of ring n that went to an outsider.
    TOLL a trade of toll processing."""

    trades: ScreenTrades
    labels: NDArray[np.int64]

    @property
    def is_wash(self) -> NDArray[np.bool_]:
        """Which trades are wash trades: both sides in the ring, and meant so."""
        return np.asarray(self.labels > 0, np.bool_)

    def fen(self, chosen: NDArray[np.bool_]) -> int:
        """The sum of the chosen trades."""
        return int(self.trades["amount_fen"][chosen].sum())


@dataclass(frozen=True)
class Ring:
    """How a ring of members trades. The defaults are a plain ring: rounds A → B → C → A, in one product each."""

    number: int
    members: tuple[int, ...]
    turnover_fen: float
    """Meant for the whole year."""
    leak: float = 0.08
    """The share of trades in which an outsider gets in between: he buys what the ring's next member should have bought."""
    days: NDArray[np.int64] | None = None
    """On which days it trades, by their place in the year; None: each day with probability 0.5."""
    evasive: bool = False
    """Trades between random pairs of the ring, of random sizes and products, split; the money is evened now and then."""
    latest_days: int = 3
    """An evasive trade is done up to so many days later."""
    matched: float = 0.5
    """How many of the trades are of orders entered together that fill each other whole."""
    quotes: int | None = None
    """The one product in which it trades: outsiders meet nobody else there. None: three products, which others quote."""


def quoted(market: Market, ring: Ring, honest: Legs) -> Legs:
    """The honest trades, if the ring alone quotes its product: there outsiders meet its members, each as often, and nobody
    else. In one of four such trades the ring's member takes."""
    made, chance, members = honest.copy(), market.chance, np.array(ring.members)
    of_ring = np.isin(made["buyer"], members) | np.isin(made["seller"], members)
    met = np.flatnonzero((made["product"] == ring.quotes) & ~of_ring)
    side = np.where(made["taker"][met] == made["seller"][met], "buyer", "seller")
    for name in ("buyer", "seller"):
        replaced = met[side == name]
        made[name][replaced] = chance.choice(members, len(replaced))
        takes = replaced[chance.random(len(replaced)) < 0.25]
        made["taker"][takes] = made[name][takes]
    return made


def ring_legs(market: Market, ring: Ring) -> Legs:
    """The trades of a ring. A trade that leaked is labelled −number: the ring wanted it, but its buyer is honest."""
    chance, days = market.chance, ring.days
    if days is None:
        days = np.flatnonzero(chance.random(len(market.dates)) < 0.5)
    some = chance.choice(PRODUCTS, 3, p=market.product_weight) if ring.quotes is None else [ring.quotes]
    products = np.asarray(some, np.int64)
    rounds = max(1, round(ring.turnover_fen / (1.5 * MEAN_FEN) / len(ring.members)))
    made = legs(chance, np.sort(chance.choice(days, rounds)))
    made["product"] = chance.choice(products, rounds)
    made["amount_fen"] = chance.lognormal(-0.125, 0.5, rounds) * 1.5 * MEAN_FEN
    made = _evasive(market, ring, made, products) if ring.evasive else _circles(market, ring, made)
    made["label"], made["matched"] = ring.number, chance.random(len(made)) < ring.matched
    return _leaked(market, ring, made)


def _circles(market: Market, ring: Ring, rounds: Legs) -> Legs:
    """A trade from each member to the next, a minute apart, of about the same size."""
    parts = []
    for at, seller in enumerate(ring.members):
        part = rounds.copy()
        part["seller"], part["buyer"] = seller, ring.members[(at + 1) % len(ring.members)]
        part["second"] += 60 * at
        part["amount_fen"] *= market.chance.uniform(0.95, 1.05, len(part))
        parts.append(part)
    return np.concatenate(parts)


def _evasive(market: Market, ring: Ring, rounds: Legs, products: NDArray[np.int64]) -> Legs:
    """As many trades as in circles, but between random pairs; two in three go the way that evens the money."""
    chance, size = market.chance, len(ring.members)
    made = legs(chance, np.repeat(rounds["day"], size), product=chance.choice(products, len(rounds) * size))
    made["day"] = np.minimum(made["day"] + chance.integers(0, ring.latest_days + 1, len(made)), len(market.dates) - 1)
    made["amount_fen"] = np.repeat(rounds["amount_fen"], size) * chance.lognormal(-0.18, 0.6, len(made))
    bought = dict.fromkeys(ring.members, 0.0)
    for at, amount in enumerate(made["amount_fen"].tolist()):
        seller, buyer = chance.choice(ring.members, 2, replace=False).tolist()
        if bought[seller] < bought[buyer] and chance.random() < 2 / 3:
            seller, buyer = buyer, seller
        bought[seller] -= amount
        bought[buyer] += amount
        made["seller"][at], made["buyer"][at] = seller, buyer
    parts = chance.integers(1, 4, len(made))
    made["amount_fen"] /= parts
    return np.repeat(made, parts)


def _leaked(market: Market, ring: Ring, made: Legs) -> Legs:
    chance = market.chance
    outsiders = np.setdiff1d(np.arange(len(market.size)), ring.members)
    size = market.size[outsiders]
    leaks = chance.random(len(made)) < ring.leak
    strangers = chance.choice(outsiders, len(made), p=size / size.sum())
    made["buyer"] = np.where(leaks, strangers, made["buyer"])
    made["label"] = np.where(leaks, -made["label"], made["label"])
    made["matched"] &= ~leaks
    return made


def labelled(market: Market, made: Legs) -> LabelledFlow:
    """The trades in order of time, with prices, lots, orders and numbers."""
    chance, n = market.chance, len(made)
    made = made[np.lexsort((made["second"], made["day"]))]
    price = 4_000_000 * np.exp(np.cumsum(chance.normal(0, 0.01, (len(market.dates), PRODUCTS)), axis=0))
    lot_fen = np.rint(price[made["day"], made["product"]]).astype(np.int64)
    lots = np.maximum(1, np.floor(made["amount_fen"] / lot_fen + chance.random(n))).astype(np.int64)
    trades = np.zeros(n, SCREEN_TRADE)
    trades["trade_id"] = np.arange(1, n + 1)
    trades["seq"] = trades["trade_id"] * COMMANDS_PER_TRADE
    trades["trading_date"] = np.array([int(f"{day:%Y%m%d}") for day in market.dates])[made["day"]]
    midnight = np.array([day.toordinal() for day in market.dates], np.int64)[made["day"]] * DAY_NS
    trades["time_ns"] = midnight + (made["second"] * SECOND_NS).astype(np.int64)
    trades["instrument"] = made["product"]
    trades["buyer"], trades["seller"] = made["buyer"] + FIRST_ACCOUNT, made["seller"] + FIRST_ACCOUNT
    either = np.where(chance.random(n) < 0.5, trades["buyer"], trades["seller"])
    trades["aggressor"] = np.where(made["taker"] == NOBODY, either, made["taker"] + FIRST_ACCOUNT)
    trades["amount_fen"], trades["quantity_lots"] = lots * lot_fen, lots
    _orders(chance, trades, made["matched"])
    return LabelledFlow(trades, made["label"])


def _orders(chance: Generator, trades: ScreenTrades, matched: NDArray[np.bool_]) -> None:
    """Order sizes and times of entry: of matched orders equal and seconds apart, of others as they come."""
    n, lots, now = len(trades), trades["quantity_lots"], trades["time_ns"]
    trades["taker_order_lots"] = np.where(matched | (chance.random(n) < 0.6), lots, lots + chance.integers(1, 20, n))
    trades["maker_order_lots"] = np.where(matched | (chance.random(n) < 0.3), lots, lots + chance.integers(1, 50, n))
    waited = np.where(matched, chance.uniform(0.1, 4, n), chance.exponential(600, n))
    trades["taker_entered_ns"] = now
    trades["maker_entered_ns"] = now - (waited * SECOND_NS).astype(np.int64)
