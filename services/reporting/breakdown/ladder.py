"""The ladder: from all trades of the year down to the goods that left the warehouse.

gross − busted − excluded = net traded: the trades that count.
changed hands: Σ over member and product of max(0, bought − sold) within a period, in the trades that count
(services/surveillance/changed_hands.py).
delivered: the goods of the trades that count, at the price that was paid for them. A trade is settled when it is made, delivery
against payment, so each trade that counts delivers all of it and nothing is left to deliver. It is summed from what members
received, not copied from the net turnover, and the two are equal.
taken out: warehouse receipts that were released from the venue × the settlement price of that day. A receipt that was never
traded counts, too.
churn: net traded quantity / quantity taken out: how often a tonne was traded for each tonne that left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from services.reporting.breakdown.contracts import NOTHING, AccountYear, Listed, Quantity, added


class Release(NamedTuple):
    """Lots of an instrument that were taken out on a trading day."""

    trading_date: int
    instrument: int
    lots: int
    settlement_ticks: int | None
    """The settlement price of that day; None while the day is under way."""


@dataclass(frozen=True)
class TakenOut:
    """Goods that left the warehouse."""

    kilograms: int = 0
    amount_fen: int = 0
    unsettled_fen: int = 0
    """The part of amount_fen that left on a day without a settlement price yet: at the settlement price in force."""

    def __add__(self, other: TakenOut) -> TakenOut:
        return TakenOut(
            self.kilograms + other.kilograms,
            self.amount_fen + other.amount_fen,
            self.unsettled_fen + other.unsettled_fen,
        )


@dataclass(frozen=True)
class Counted:
    """The year's trades of one instrument, as they count and as they do not."""

    net: Quantity = NOTHING
    busted: Quantity = NOTHING
    excluded: Quantity = NOTHING


@dataclass(frozen=True)
class Ladder:
    """The ladder of one product, or of all."""

    counted: Counted
    changed_hands_fen: int
    """With the year as one period."""
    delivered: Quantity
    taken_out: TakenOut

    @property
    def gross(self) -> Quantity:
        """All trades that were made."""
        return self.counted.net + self.counted.busted + self.counted.excluded

    @property
    def churn(self) -> Fraction | None:
        """Net traded quantity / quantity taken out; None where nothing left."""
        out = self.taken_out.kilograms
        return Fraction(self.counted.net.kilograms, out) if out else None


@dataclass(frozen=True)
class Ladders:
    """The ladder of each product with trades or releases in the year, by instrument, and of all products together."""

    products: dict[int, Ladder]
    whole: Ladder


def make_ladders(
    instruments: Mapping[int, Listed],
    counted: Mapping[int, Counted],
    changed_hands_fen: Mapping[int, int],
    traded: Iterable[AccountYear],
    releases: Iterable[Release],
) -> Ladders:
    """The ladders, from the year's values by instrument. `traded` is what each account bought and sold in the year."""
    delivered: dict[int, Quantity] = {}
    for line in traded:
        delivered[line.instrument] = delivered.get(line.instrument, NOTHING) + line.bought
    taken_out = value_releases(releases, instruments)
    products = {
        instrument: Ladder(
            counted.get(instrument, Counted()),
            changed_hands_fen.get(instrument, 0),
            delivered.get(instrument, NOTHING),
            taken_out.get(instrument, TakenOut()),
        )
        for instrument in sorted(counted.keys() | delivered.keys() | taken_out.keys())
    }
    return Ladders(products, _whole(products.values()))


def value_releases(releases: Iterable[Release], instruments: Mapping[int, Listed]) -> dict[int, TakenOut]:
    """What was taken out, by instrument, each release at its own day's settlement price."""
    found: dict[int, TakenOut] = {}
    for release in releases:
        listed = instruments[release.instrument]
        ticks = listed.reference_ticks if release.settlement_ticks is None else release.settlement_ticks
        amount_fen = release.lots * ticks * listed.tick_value_fen
        unsettled_fen = amount_fen if release.settlement_ticks is None else 0
        out = TakenOut(release.lots * listed.lot_kilograms, amount_fen, unsettled_fen)
        found[release.instrument] = found.get(release.instrument, TakenOut()) + out
    return found


def _whole(products: Iterable[Ladder]) -> Ladder:
    lines = tuple(products)
    return Ladder(
        Counted(
            added(line.counted.net for line in lines),
            added(line.counted.busted for line in lines),
            added(line.counted.excluded for line in lines),
        ),
        sum(line.changed_hands_fen for line in lines),
        added(line.delivered for line in lines),
        sum((line.taken_out for line in lines), TakenOut()),
    )
