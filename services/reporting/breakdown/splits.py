"""The year's trades split into parts, in yuan, tonnes and trades, with shares that add up to exactly 1.

A product, a category, a family or a phase splits the trades themselves: the parts add up to the net turnover. A member or an
account class splits the two sides of each trade: what all bought is the net turnover, and so is what all sold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.reporting.breakdown.contracts import NOTHING, AccountYear, Quantity
from services.reporting.shares import shares_of

Key = TypeVar("Key")


@dataclass(frozen=True)
class Part:
    """A part of the trades. Shares are decimal fractions with six places."""

    traded: Quantity
    share: str
    """Of the turnover in yuan."""
    tonnes_share: str
    trades_share: str


@dataclass(frozen=True)
class SidedPart:
    """What a part of the members bought and sold."""

    bought: Part
    sold: Part
    share: str
    """Of both sides together, in yuan."""


def split(parts: Mapping[Key, Quantity]) -> dict[Key, Part]:
    """The parts with their shares, in the same order."""
    return dict(zip(parts, _parts(tuple(parts.values())), strict=True))


def split_sides(traded: Iterable[AccountYear], key: Callable[[AccountYear], int]) -> dict[int, SidedPart]:
    """What each part of the accounts bought and sold; the largest of both sides together first, equals by number.

    `key` gives the number of the part: of the member, or of the account class.
    """
    bought: dict[int, Quantity] = {}
    sold: dict[int, Quantity] = {}
    for line in traded:
        part = key(line)
        bought[part] = bought.get(part, NOTHING) + line.bought
        sold[part] = sold.get(part, NOTHING) + line.sold
    both = {part: bought[part].amount_fen + sold[part].amount_fen for part in bought}
    by_size = sorted(both, key=lambda part: (-both[part], part))
    parts = [part for part in by_size if bought[part].trades or sold[part].trades]
    shares = shares_of([both[part] for part in parts])
    sides = zip(_parts([bought[part] for part in parts]), _parts([sold[part] for part in parts]), shares, strict=True)
    return {part: SidedPart(*sided) for part, sided in zip(parts, sides, strict=True)}


def group(parts: Iterable[tuple[Key, Quantity]]) -> dict[Key, Quantity]:
    """The sums of the parts with the same key, in the order of the first of each."""
    found: dict[Key, Quantity] = {}
    for key, traded in parts:
        found[key] = found.get(key, NOTHING) + traded
    return found


def _parts(traded: Sequence[Quantity]) -> list[Part]:
    shares = zip(
        shares_of([part.amount_fen for part in traded]),
        shares_of([part.kilograms for part in traded]),
        shares_of([part.trades for part in traded]),
        strict=True,
    )
    return [Part(part, *of) for part, of in zip(traded, shares, strict=True)]
