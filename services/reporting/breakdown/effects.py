"""Why a year's turnover differs from the year before: by price, by tonnage, by products that only one of the years traded.

For a product of both years, with quantities q and mean prices p = turnover / quantity:

    price   = (p₁ − p₀) · (q₁ + q₀) / 2
    tonnage = (q₁ − q₀) · (p₁ + p₀) / 2

Both together are p₁q₁ − p₀q₀, exactly: nothing is left over, and neither year's prices or quantities are preferred. The
arithmetic is rational; an amount in fen is rounded once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from services.reporting.breakdown.contracts import NOTHING, Quantity
from services.values.decimals import half_up

Kind = Literal["both", "new", "gone"]
"""Whether a product traded in both periods, only in the later one, or only in the earlier one."""


def price_effect(before: Quantity, now: Quantity) -> Fraction:
    """The part of the difference that prices made, in fen. Both quantities are above zero."""
    return (_price(now) - _price(before)) * Fraction(now.kilograms + before.kilograms, 2)


def _price(traded: Quantity) -> Fraction:
    """Fen per kilogram."""
    return Fraction(traded.amount_fen, traded.kilograms)


@dataclass(frozen=True)
class Effect:
    """The difference of one product's turnover, in fen: the four parts add up to now − before."""

    kind: Kind
    before: Quantity
    now: Quantity
    price_fen: int
    """Rounded half up to the fen."""
    tonnage_fen: int
    """The rest of the difference, so that the parts add up: less than a fen from the exact value."""
    new_fen: int
    """Turnover of a product that did not trade in the earlier period."""
    gone_fen: int
    """Turnover lost, below zero, of a product that did not trade in the later one."""


@dataclass(frozen=True)
class Effects:
    """The effects by instrument, and their sums."""

    products: dict[int, Effect]

    @property
    def price_fen(self) -> int:
        """Of all products that traded in both periods."""
        return sum(effect.price_fen for effect in self.products.values())

    @property
    def tonnage_fen(self) -> int:
        """Of all products that traded in both periods."""
        return sum(effect.tonnage_fen for effect in self.products.values())

    @property
    def new_fen(self) -> int:
        """Of products that only the later period traded."""
        return sum(effect.new_fen for effect in self.products.values())

    @property
    def gone_fen(self) -> int:
        """Of products that only the earlier period traded; below zero."""
        return sum(effect.gone_fen for effect in self.products.values())


def explain(before: Mapping[int, Quantity], now: Mapping[int, Quantity]) -> Effects:
    """The effects of each product that traded in one of the periods, by instrument."""
    return Effects(dict(_effects(before, now)))


def _effects(before: Mapping[int, Quantity], now: Mapping[int, Quantity]) -> Iterator[tuple[int, Effect]]:
    for instrument in sorted(before.keys() | now.keys()):
        old, new = before.get(instrument, NOTHING), now.get(instrument, NOTHING)
        if old.kilograms and new.kilograms:
            exact = price_effect(old, new)
            price_fen = half_up(exact.numerator, exact.denominator)
            yield instrument, Effect("both", old, new, price_fen, new.amount_fen - old.amount_fen - price_fen, 0, 0)
        elif new.kilograms:
            yield instrument, Effect("new", old, new, 0, 0, new.amount_fen, 0)
        elif old.kilograms:
            yield instrument, Effect("gone", old, new, 0, 0, 0, -old.amount_fen)
