"""How much of a market its largest members make: the shares of the top 5 and 10, and the Herfindahl-Hirschman index.

HHI = Σ share²: 1 where one member does everything, 1 / n where n members do equally much. Competition authorities write it in
points, 10,000 times as large, and call a market above 1,800 points highly concentrated (US Department of Justice and FTC,
Merger Guidelines, 2023, guideline 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Annotated, NamedTuple

from pydantic import Field

from services.reporting.breakdown.documents import Sealed
from services.reporting.breakdown.reading import Accounts, AccountYear, Instruments, MemberYear
from services.reporting.documents import Document, Ratio, by_key, seal, summed
from services.reporting.sheet import Shown, ShownParts


class SideConcentration(Document):
    """How much of a side its largest members make."""

    members: Annotated[int, Shown("integer", "members", "会员数")] = Field(
        description="Members that traded on this side. A member is an owner group."
    )
    top_5: Annotated[Ratio, Shown("decimal", "share of the first 5", "前5名占比")] = Field(
        description="Share of the five largest."
    )
    top_10: Annotated[Ratio, Shown("decimal", "share of the first 10", "前10名占比")]
    hhi: Annotated[Ratio, Shown("decimal", "HHI", "HHI")] = Field(
        description="Herfindahl-Hirschman index: the sum of the squared shares, from 1 / members to 1. × 10,000 gives points."
    )


class MarketConcentration(Document):
    """The sides of one market; null where nothing was traded."""

    symbol: Annotated[str | None, Shown("text", "Symbol", "代码")] = Field(description="Null: all products together.")
    bought: Annotated[SideConcentration | None, ShownParts("Bought", "买入")]
    sold: Annotated[SideConcentration | None, ShownParts("Sold", "卖出")]
    both: Annotated[SideConcentration | None, ShownParts("Both sides", "买卖合计")] = Field(
        description="What members bought and sold together."
    )


class ConcentrationReport(Sealed):
    """The concentration of the members in the trades that count."""

    markets: tuple[MarketConcentration, ...] = Field(description="All products together, then each that traded.")


class MemberAmounts(NamedTuple):
    """Amounts in fen by member."""

    bought: dict[int, int]
    sold: dict[int, int]
    both: dict[int, int]


def concentration_of(found: MemberYear) -> ConcentrationReport:
    """The concentration of the year's members."""
    markets = concentration_by_market(found.traded, found.accounts, found.instruments)
    return ConcentrationReport(year=found.year, **seal(found.position), markets=markets)


def concentration_by_market(
    traded: Sequence[AccountYear], accounts: Accounts, instruments: Instruments
) -> tuple[MarketConcentration, ...]:
    """All products together, then each that has trades that count."""
    of_products = by_key((line.instrument, line) for line in traded)
    markets = [_market(None, traded, accounts)]
    markets += [_market(instruments[number].symbol, of_products[number], accounts) for number in sorted(of_products)]
    return tuple(market for market in markets if market.symbol is None or market.both is not None)


def _market(symbol: str | None, traded: Sequence[AccountYear], accounts: Accounts) -> MarketConcentration:
    amounts = member_amounts(traded, accounts)._asdict()
    return MarketConcentration(symbol=symbol, **{side: concentrate(of.values()) for side, of in amounts.items()})


def concentrate(amounts: Iterable[int]) -> SideConcentration | None:
    """The concentration of members' amounts, which are not below zero; None where all are zero."""
    sizes = sorted((amount for amount in amounts if amount), reverse=True)
    whole = sum(sizes)
    if not whole:
        return None
    return SideConcentration(
        members=len(sizes),
        top_5=Fraction(sum(sizes[:5]), whole),
        top_10=Fraction(sum(sizes[:10]), whole),
        hhi=Fraction(sum(size * size for size in sizes), whole * whole),
    )


def member_amounts(traded: Sequence[AccountYear], accounts: Accounts) -> MemberAmounts:
    """What each member bought, sold, and both together."""
    bought = summed((accounts[line.account].member, line.bought.amount_fen) for line in traded)
    sold = summed((accounts[line.account].member, line.sold.amount_fen) for line in traded)
    return MemberAmounts(bought, sold, {member: bought[member] + sold[member] for member in bought})
