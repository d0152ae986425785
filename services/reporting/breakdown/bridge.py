"""The turnover bridge: from all trades of the year down to the goods that left the warehouse.

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

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Annotated, NamedTuple

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.breakdown import reading
from services.reporting.breakdown.documents import NOTHING, ProductName, Quantity, Sealed
from services.reporting.breakdown.reading import (
    Accounts,
    AccountYear,
    Counted,
    Instruments,
    Listed,
    MemberYear,
    Release,
    whole_year,
)
from services.reporting.documents import Date, Document, Ratio, Sums, Tonnes, Yuan, decimal, ratio, seal, summed
from services.reporting.sheet import Shown, ShownParts
from services.reporting.target import RECENT_DAYS
from services.surveillance.changed_hands import changed_hands_by_product
from services.surveillance.reading import read_changed_hands

BRIDGE_RULES = (
    "Gross are all trades; busted are those that an operator took back on their trading day; excluded are those that a person "
    "decided not to count. Net = gross − busted − excluded.",
    "Changed hands is what each member (owner group) bought more than it sold, product by product, within the period. Goods "
    "that went in a circle within it did not change hands. Of a longer period it is at most the sum over its parts.",
    "Delivered are the goods of the trades that count: a trade is settled when it is made, delivery against payment, so each "
    "one delivers all of it, and delivered equals net. The goods of excluded trades moved, too; they are not counted.",
    "Taken out are warehouse receipts that were released from the venue, at the settlement price of that day, whether they "
    "were traded or not.",
    "Churn = net traded tonnes / tonnes taken out: how often a tonne was traded for each tonne that left.",
)


Times = Annotated[Fraction, decimal(2)]


class TakenOut(Sums):
    """Goods that left the warehouse."""

    amount_fen: Annotated[Yuan, Shown("decimal", "amount (yuan)", "金额（元）")] = Field(
        description="Lots × the settlement price of the day on which they left, in yuan."
    )
    kilograms: Annotated[Tonnes, Shown("decimal", "tonnes", "数量（吨）")]
    unsettled_fen: Annotated[Yuan, Shown("decimal", "without settlement yet (yuan)", "尚未结算（元）")] = Field(
        description="The part of `amount` that left on the current day, which has no settlement price yet: it is valued at the "
        "settlement price in force, and changes when the day ends."
    )


NOTHING_OUT = TakenOut.total(())


class TurnoverBridge(Document):
    """From all trades down to the goods that left."""

    gross: Annotated[Quantity, ShownParts("Gross", "总额")] = Field(description="All trades that were made.")
    busted: Annotated[Quantity, ShownParts("Busted", "撤销")] = Field(description="Trades that an operator took back.")
    excluded: Annotated[Quantity, ShownParts("Excluded", "剔除")] = Field(
        description="Trades that do not count by decision."
    )
    net: Annotated[Quantity, ShownParts("Net", "净额")] = Field(
        description="gross − busted − excluded: the trades that count."
    )
    changed_hands_fen: Annotated[Yuan, Shown("decimal", "Changed hands (yuan)", "实际换手额（元）")] = Field(
        description="Σ over member and product of max(0, bought − sold), with the year as one period, in yuan."
    )
    delivered: Annotated[Quantity, ShownParts("Delivered", "交收")] = Field(
        description="What members received against payment in the trades that count. A trade is settled when it is made, so "
        "this equals `net`; it is summed from the members' side."
    )
    taken_out: Annotated[TakenOut, ShownParts("Taken out", "出库")] = Field(
        description="Warehouse receipts that were released from the venue."
    )
    churn: Annotated[Times | None, Shown("decimal", "Churn", "周转倍数")] = Field(
        description="Net traded tonnes / tonnes taken out, with two decimals; null where nothing was taken out."
    )


class ProductBridge(TurnoverBridge, ProductName):
    """The ladder of one product."""


class ChangedHandsInPeriod(Document):
    """What changed hands in a period, beside the net turnover of the same days."""

    first_date: Annotated[Date, Shown("date", "First day", "首日")]
    last_date: Annotated[Date, Shown("date", "Last day", "末日")]
    net_fen: Annotated[Yuan, Shown("decimal", "Net turnover (yuan)", "净成交额（元）")]
    changed_hands_fen: Annotated[Yuan, Shown("decimal", "Changed hands (yuan)", "实际换手额（元）")]
    share: Annotated[Ratio, Shown("decimal", "Share of the net turnover", "占净成交额")] = Field(
        description="changed_hands / net."
    )


class TurnoverBridgeReport(Sealed):
    """The ladder of the year."""

    ladder: TurnoverBridge = Field(description="All products together.")
    day: ChangedHandsInPeriod | None = Field(
        description="The last day of the year that has trades or has ended; null where there is none."
    )
    recent: ChangedHandsInPeriod | None = Field(description="The last 20 such days as one period.")
    whole_year: ChangedHandsInPeriod | None = Field(description="All such days as one period.")
    products: tuple[ProductBridge, ...] = Field(description="Products with trades or releases in the year.")
    rules: tuple[str, ...] = Field(description="What each rung means, in sentences.")


class Bridges(NamedTuple):
    """The bridge of each product with trades or releases in the year, by instrument, and of all products together."""

    products: dict[int, TurnoverBridge]
    whole: TurnoverBridge


async def read_bridge(connection: AsyncConnection, found: MemberYear) -> TurnoverBridgeReport:
    """The turnover bridge of the year."""
    listed, period = found.instruments, whole_year(found.year)
    counted = await reading.read_counted(connection, period, listed)
    releases = await reading.read_releases(connection, period)
    changed_hands = changed_hands_by_product(net_bought(found.traded, found.accounts))
    bridges = make_bridges(listed, counted, changed_hands, found.traded, releases)
    net_by_day = await reading.read_net_of_days(connection, period)
    days = sorted(net_by_day)

    async def within(of_period: Sequence[int]) -> ChangedHandsInPeriod | None:
        hands_fen = await read_changed_hands(connection, of_period[0], of_period[-1]) if of_period else 0
        return changed_hands_in(of_period, net_by_day, hands_fen)

    return TurnoverBridgeReport(
        year=found.year,
        **seal(found.position),
        ladder=bridges.whole,
        day=await within(days[-1:]),
        recent=await within(days[-RECENT_DAYS:]),
        whole_year=changed_hands_in(days, net_by_day, bridges.whole.changed_hands_fen),
        products=tuple(ProductBridge(**listed[number].names, **vars(one)) for number, one in bridges.products.items()),
        rules=BRIDGE_RULES,
    )


def net_bought(traded: Iterable[AccountYear], accounts: Accounts) -> dict[tuple[int, int], int]:
    """Bought − sold in fen by member and instrument."""
    return summed(
        ((accounts[line.account].member, line.instrument), line.bought.amount_fen - line.sold.amount_fen)
        for line in traded
    )


def changed_hands_in(
    days: Sequence[int], net_by_day: Mapping[int, int], changed_hands_fen: int
) -> ChangedHandsInPeriod | None:
    """What changed hands in these trading days, ascending, as one period; None of no days."""
    if not days:
        return None
    net_fen = sum(net_by_day[day] for day in days)
    return ChangedHandsInPeriod(
        first_date=days[0],
        last_date=days[-1],
        net_fen=net_fen,
        changed_hands_fen=changed_hands_fen,
        share=ratio(changed_hands_fen, net_fen),
    )


def make_bridges(
    instruments: Instruments,
    counted: Mapping[int, Counted],
    changed_hands_fen: Mapping[int, int],
    traded: Iterable[AccountYear],
    releases: Iterable[Release],
) -> Bridges:
    """The bridges, from the year's values by instrument. `traded` is what each account bought and sold in the year."""
    delivered = Quantity.totals((line.instrument, line.bought) for line in traded)
    taken_out = value_releases(releases, instruments)
    products = {
        instrument: _bridge(
            counted.get(instrument, Counted()),
            changed_hands_fen.get(instrument, 0),
            delivered.get(instrument, NOTHING),
            taken_out.get(instrument, NOTHING_OUT),
        )
        for instrument in sorted(counted.keys() | delivered.keys() | taken_out.keys())
    }
    lines = tuple(products.values())
    whole = _bridge(
        Counted(*(Quantity.total(getattr(line, name) for line in lines) for name in ("net", "busted", "excluded"))),
        sum(line.changed_hands_fen for line in lines),
        Quantity.total(line.delivered for line in lines),
        TakenOut.total(line.taken_out for line in lines),
    )
    return Bridges(products, whole)


def _bridge(counted: Counted, changed_hands_fen: int, delivered: Quantity, taken_out: TakenOut) -> TurnoverBridge:
    out = taken_out.kilograms
    return TurnoverBridge(
        gross=Quantity.total((counted.net, counted.busted, counted.excluded)),
        busted=counted.busted,
        excluded=counted.excluded,
        net=counted.net,
        changed_hands_fen=changed_hands_fen,
        delivered=delivered,
        taken_out=taken_out,
        churn=Fraction(counted.net.kilograms, out) if out else None,
    )


def value_releases(releases: Iterable[Release], instruments: Instruments) -> dict[int, TakenOut]:
    """What was taken out, by instrument, each release at its own day's settlement price."""
    return TakenOut.totals((one.instrument, _taken_out(one, instruments[one.instrument])) for one in releases)


def _taken_out(release: Release, listed: Listed) -> TakenOut:
    ticks = listed.reference_ticks if release.settlement_ticks is None else release.settlement_ticks
    amount_fen = release.lots * ticks * listed.tick_value_fen
    return TakenOut(
        amount_fen=amount_fen,
        kilograms=release.lots * listed.lot_kilograms,
        unsettled_fen=amount_fen if release.settlement_ticks is None else 0,
    )
