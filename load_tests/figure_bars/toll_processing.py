"""Honest toll processing: a member sells a raw product to a processor and buys what was made of it back. Two members trade much
with each other, money comes back, and goods, too, but in another form. Every parameter is an assumption."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from load_tests.figure_bars.honest_market import MAKERS, MEAN_FEN, PRODUCTS, Legs, Market, legs

TOLL = -1_000
"""The label of a trade of toll processing: honest, and below those of trades that leaked from a ring."""
CHAINS = (2, 2, 2, 2, 3)
"""Members of each chain. In one of three the first sells oxide to the second, that sells metal to the third, and the first buys
magnets of it."""


def toll_legs(market: Market, honest: Legs, others: Collection[int] = ()) -> Legs:
    """Chains of members who are neither makers nor `others`, whose processing is as much as what they trade besides.

    Each product is sold one way. A batch goes in about every fifth day, comes back 3 to 15 days later, and is worth 2 to 15 %
    more after each step.
    """
    drawn = market.chance.permutation(np.setdiff1d(np.arange(MAKERS, len(market.size)), list(others)))
    ends = np.cumsum(CHAINS)
    parts = np.split(drawn[: ends[-1]], ends[:-1])
    return np.concatenate([_chain(market, honest, part.tolist()) for part in parts])


def _chain(market: Market, honest: Legs, members: list[int]) -> Legs:
    chance, days = market.chance, len(market.dates)
    sides = np.isin(honest["buyer"], members) * 1.0 + np.isin(honest["seller"], members)
    own_fen = float((honest["amount_fen"] * sides).sum() / 2)
    day = np.flatnonzero(chance.random(days) < 0.2)
    size = chance.lognormal(-0.08, 0.4, len(day)) * own_fen / len(day) / len(members)
    products = chance.choice(PRODUCTS, len(members), replace=False, p=market.product_weight)
    parts = []
    for at, seller in enumerate(members):
        made = legs(chance, day, seller=seller, buyer=members[(at + 1) % len(members)], product=products[at])
        made["amount_fen"] = size
        parts.append(made)
        day, size = day + chance.integers(3, 16, len(day)), size * chance.uniform(1.02, 1.15, len(day))
    made = np.concatenate(parts)
    made["label"], made["matched"] = TOLL, chance.random(len(made)) < 0.3
    return _in_orders(made[made["day"] < days])


def _in_orders(made: Legs) -> Legs:
    """A batch is traded in orders of a usual size."""
    orders = np.maximum(1, np.rint(made["amount_fen"] / (2 * MEAN_FEN))).astype(np.int64)
    made["amount_fen"] /= orders
    return np.repeat(made, orders)
