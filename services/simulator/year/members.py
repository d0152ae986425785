"""The members of a simulated year: 44 invented names. The first twelve are the trading members of `rex demo`, so that a demo
can continue in the same folder. No name is a real company's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.simulator.accounts import VALUE_SHARE_BP, Role, demo_accounts

MAKERS = 6

_MORE_MAKERS = ("Wuliangsu Quotations", "Tumed Plain Liquidity", "Jade Spring Market Makers")
_FIRST = (
    "Silver Birch", "White Crane", "Blue Steppe", "Stone Bridge", "Long River", "Red Willow", "Golden Grass", "Iron Horse",
    "Clear Lake", "High Plateau",
)  # fmt: skip
_SECOND = ("Magnetics", "Rare Metals", "Trading")
_BUYS = {"Magnetics": 0.68, "Rare Metals": 0.32, "Trading": 0.5}
"""How often a member of this business buys, by the last words of its name."""
_BUYS_BY_ROLE: dict[Role, float] = {"maker": 0.5, "taker": 0.65, "patient": 0.35}
_RANK_EXPONENT = 0.75

MAKER_LOTS, TAKER_LOTS = 8_000, 2_500
MAKER_FEN, TAKER_FEN = 10**12, 4 * 10**11
"""Opening balances: 10 bn yuan for a maker, 4 bn for every other member. The venue takes prepaid orders only."""


@dataclass(frozen=True)
class Member:
    """One member. `weight` is how often it trades, compared with the others; `buys` the share of its orders that buy."""

    name: str
    is_maker: bool
    weight: float
    buys: float

    @property
    def cash_fen(self) -> int:
        """The opening balance."""
        return MAKER_FEN if self.is_maker else TAKER_FEN

    @property
    def lots(self) -> Mapping[str, int]:
        """The opening lots of each symbol."""
        return dict.fromkeys(VALUE_SHARE_BP, MAKER_LOTS if self.is_maker else TAKER_LOTS)


def members() -> tuple[Member, ...]:
    """All members; the makers first."""
    of_demo = [account for account in demo_accounts() if account.role != "desk"]
    makers = [account.name for account in of_demo if account.role == "maker"] + list(_MORE_MAKERS)
    others = [(account.name, _BUYS_BY_ROLE[account.role]) for account in of_demo if account.role != "maker"]
    others += [(f"{first} {second}", _BUYS[second]) for first in _FIRST for second in _SECOND][: 44 - MAKERS - len(others)]
    found = [Member(name, True, 0.0, 0.5) for name in makers]
    return (
        *found,
        *(Member(name, False, (rank + 1) ** -_RANK_EXPONENT, buys) for rank, (name, buys) in enumerate(others)),
    )
