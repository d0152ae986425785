"""What the year's breakdown is computed from, as plain values. A *member* is an owner group, as in surveillance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """A sum of trades, each counted once, of one or more products."""

    trades: int = 0
    kilograms: int = 0
    amount_fen: int = 0

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(
            self.trades + other.trades, self.kilograms + other.kilograms, self.amount_fen + other.amount_fen
        )

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(
            self.trades - other.trades, self.kilograms - other.kilograms, self.amount_fen - other.amount_fen
        )


NOTHING = Quantity()


def added(parts: Iterable[Quantity]) -> Quantity:
    """The sum of the parts; NOTHING of none."""
    return sum(parts, NOTHING)


@dataclass(frozen=True)
class Listed:
    """What a breakdown needs to know of an instrument."""

    symbol: str
    name_en: str
    name_zh: str
    category: str
    family: str
    unit: str
    """`kg` or `t`: what a price is for."""
    lot_size: int
    """Units in a lot."""
    tick_value_fen: int
    """What one tick is worth on one lot."""
    reference_ticks: int
    """The settlement price in force."""

    @property
    def lot_kilograms(self) -> int:
        """Kilograms of one lot."""
        return self.lot_size * (1000 if self.unit == "t" else 1)


@dataclass(frozen=True)
class Account:
    """What a breakdown needs to know of an account."""

    member: int
    """The owner group: the account's owner, or the account itself."""
    name: str
    account_class: int


@dataclass(frozen=True)
class AccountYear:
    """What an account bought and sold of one product in a period, by the trades that count, and the fees that it paid."""

    account: int
    instrument: int
    bought: Quantity
    sold: Quantity
    fees_fen: int = 0
    """Fees of the account's trades that are not busted: an exclusion gives no money back."""
