"""How much of a market its largest members make: the shares of the top 5 and 10, and the Herfindahl-Hirschman index.

HHI = Σ share²: 1 where one member does everything, 1 / n where n members do equally much. Competition authorities write it in
points, 10,000 times as large, and call a market above 1,800 points highly concentrated (US Department of Justice and FTC,
Merger Guidelines, 2023, guideline 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from services.reporting.breakdown.contracts import Account, AccountYear

Side = Literal["bought", "sold", "both"]
SIDES: tuple[Side, ...] = ("bought", "sold", "both")


@dataclass(frozen=True)
class Concentration:
    """One side of one market."""

    members: int
    """How many members traded on this side."""
    top_5: Fraction
    top_10: Fraction
    hhi: Fraction


def concentrate(amounts: Iterable[int]) -> Concentration | None:
    """The concentration of members' amounts, which are not below zero; None where all are zero."""
    sizes = sorted((amount for amount in amounts if amount), reverse=True)
    whole = sum(sizes)
    if not whole:
        return None
    return Concentration(
        members=len(sizes),
        top_5=Fraction(sum(sizes[:5]), whole),
        top_10=Fraction(sum(sizes[:10]), whole),
        hhi=Fraction(sum(size * size for size in sizes), whole * whole),
    )


def member_amounts(traded: Iterable[AccountYear], accounts: Mapping[int, Account], side: Side) -> dict[int, int]:
    """What each member bought, sold, or both together, in fen."""
    found: dict[int, int] = {}
    for line in traded:
        member = accounts[line.account].member
        found[member] = found.get(member, 0) + _amount(line, side)
    return found


def net_bought(traded: Iterable[AccountYear], accounts: Mapping[int, Account]) -> dict[tuple[int, int], int]:
    """Bought − sold in fen by member and instrument."""
    found: dict[tuple[int, int], int] = {}
    for line in traded:
        cell = accounts[line.account].member, line.instrument
        found[cell] = found.get(cell, 0) + line.bought.amount_fen - line.sold.amount_fen
    return found


def _amount(line: AccountYear, side: Side) -> int:
    bought = line.bought.amount_fen if side != "sold" else 0
    return bought + (line.sold.amount_fen if side != "bought" else 0)
