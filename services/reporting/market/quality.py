"""The quality of the market on a trading day as a document. Decimals are rounded half up."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from services.market_statistics.contracts import MarketDay, Quality
from services.reporting.documents import Date, Document, Ratio, decimal
from services.reporting.exports.seal import Seal
from services.reporting.queries import Values
from services.values.decimals import fraction_text
from services.venue_state.instruments import AVERAGE_EXTRA_DECIMALS, VenueInstrument

Seconds = Annotated[Fraction, decimal(3, times=Fraction(1, 10**9))]
"""Nanoseconds."""
BasisPoints = Annotated[Fraction, decimal(2, times=10_000)]
"""A share of one."""
Lots = Annotated[Fraction, decimal(3)]


class ProductQuality(Document):
    """The quality of a product's market. Spreads and depth are averages over the time in which both sides were quoted."""

    symbol: str
    name_en: str
    name_zh: str
    unit: str = Field(description="`t` or `kg`; prices and spreads are in yuan per unit.")
    continuous_ns: Seconds = Field(serialization_alias="continuous_s", description="Seconds of continuous trading.")
    two_sided_share: Ratio | None = Field(
        description="Part of that time in which both sides were quoted; null without it."
    )
    spread: str | None = Field(description="Best sell − best buy.")
    spread_share: BasisPoints | None = Field(
        serialization_alias="spread_bp", description="`spread` in hundredths of a percent of the average middle."
    )
    median_spread: str | None = Field(description="The least spread that half of the time did not exceed.")
    buy_depth_lots: Lots | None = Field(description="Shown lots of buys at most 1 % below the middle.")
    sell_depth_lots: Lots | None = Field(description="Shown lots of sells at most 1 % above the middle.")
    trades: int = Field(description="Continuous trades; busted ones are left out.")
    effective_spread: str | None = Field(
        description="Twice the distance from the middle before the order to its price, on the taker's side, by lots."
    )
    effective_spread_share: BasisPoints | None = Field(serialization_alias="effective_spread_bp")
    large_trades: int = Field(
        description="Commands that traded at least 5 times the median of the day's trading commands: an assumption."
    )
    unrecovered_trades: int = Field(
        serialization_alias="unrecovered_large_trades",
        description="Large trades after which continuous trading ended before the spread was back at its median.",
    )
    recovery_ns: Seconds | None = Field(
        serialization_alias="recovery_s",
        description="Median of the seconds from a large trade until the spread is at most the median spread; null without"
        " large trades, or where half of them never saw it.",
    )
    amihud: Annotated[Fraction, decimal(8)] | None = Field(
        description="|last price / settlement of the day before − 1| per million yuan of the day's turnover, auctions included."
    )


class QualityReport(Seal):
    """The quality of the market on a trading day, product by product, from the journal's events of that day."""

    date: Date
    complete: bool = Field(description="False while the day is under way.")
    first_seq: int = Field(description="The day roll that began the day.")
    last_seq: int = Field(description="The last command of the day.")
    products: tuple[ProductQuality, ...]


def quality_report(
    day: MarketDay,
    found: Mapping[int, Quality],
    instruments: Mapping[int, Values],
    position: Values,
    *,
    simulated: bool,
) -> QualityReport:
    """The quality of a day, in the order of the products' numbers."""
    return QualityReport(
        **vars(Seal.of(position, simulated=simulated)),
        date=day.opening.trading_date,
        complete=day.complete,
        first_seq=day.opening.first_seq,
        last_seq=day.last_seq,
        products=tuple(
            _product(quality, VenueInstrument.from_columns(instruments[number])) for number, quality in found.items()
        ),
    )


def _product(quality: Quality, product: VenueInstrument) -> ProductQuality:
    median, whole_ns = quality.median_spread_ticks, quality.continuous_ns
    return ProductQuality(
        **product.facts | vars(quality),
        two_sided_share=Fraction(quality.two_sided_ns, whole_ns) if whole_ns else None,
        spread=_average_text(quality.spread_ticks, product),
        median_spread=None if median is None else product.price_text(median),
        effective_spread=_average_text(quality.effective_spread_ticks, product),
    )


def _average_text(ticks: Fraction | None, product: VenueInstrument) -> str | None:
    if ticks is None:
        return None
    price = ticks * Fraction(product.tick_units, 10**product.decimals)
    return fraction_text(price, product.decimals + AVERAGE_EXTRA_DECIMALS)
