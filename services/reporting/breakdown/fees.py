"""The venue's income from fees, and without value-added tax.

Both sides of a trade pay. A bust gives the fees back; a decision that a trade does not count gives no money back, so excluded
trades stay in the income.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from services.reporting.breakdown.contracts import AccountYear
from services.values.decimals import half_up

FEE_VAT_PERCENT = 6
"""An assumption: fee rates include the value-added tax on services, 6 % (Value-Added Tax Law of the People's Republic of China,
in force since 1 January 2026, article 10; before, the Provisional Regulations on Value-Added Tax). On goods it is 13 %."""

Key = TypeVar("Key")


@dataclass(frozen=True)
class FeeIncome:
    """Fees in fen, as they were paid."""

    fees_fen: int

    @property
    def without_vat_fen(self) -> int:
        """fees / 1.06, rounded once, half up."""
        return half_up(self.fees_fen * 100, 100 + FEE_VAT_PERCENT)

    @property
    def vat_fen(self) -> int:
        """The tax in it, so that both add up to the fees."""
        return self.fees_fen - self.without_vat_fen


def fee_income(traded: Iterable[AccountYear]) -> FeeIncome:
    """The income from these accounts and products."""
    return FeeIncome(sum(line.fees_fen for line in traded))


def fees_by(traded: Iterable[AccountYear], key: Callable[[AccountYear], Key]) -> dict[Key, int]:
    """Fees in fen by what `key` says of an account's line, in the order of the lines."""
    found: dict[Key, int] = {}
    for line in traded:
        found[key(line)] = found.get(key(line), 0) + line.fees_fen
    return found
