"""The members of a simulated year: 44 invented names. Twelve are the trading members of `rex demo`, so that a demo can continue
in the same folder. No name is a real company's.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.simulator.accounts import Role, demo_accounts

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


@dataclass(frozen=True)
class Member:
    """One member. `weight` is how often it trades, compared with the others; `buys` the share of its orders that buy."""

    name: str
    is_maker: bool
    weight: float
    buys: float


def members() -> tuple[Member, ...]:
    """All members; the makers first."""
    of_demo = [account for account in demo_accounts() if account.role != "desk"]
    makers = [account.name for account in of_demo if account.role == "maker"] + list(_MORE_MAKERS)
    others = [(account.name, _BUYS_BY_ROLE[account.role]) for account in of_demo if account.role != "maker"]
    others += [(f"{first} {second}", _BUYS[second]) for first in _FIRST for second in _SECOND][
        : 44 - MAKERS - len(others)
    ]
    found = [Member(name, True, 0.0, 0.5) for name in makers]
    return (
        *found,
        *(Member(name, False, (rank + 1) ** -_RANK_EXPONENT, buys) for rank, (name, buys) in enumerate(others)),
    )
