"""The PrNd index as a document."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from services.market_statistics.index_reading import SYMBOLS, IndexRows
from services.market_statistics.prnd_index import BASE, FEWEST_MEMBERS, FEWEST_TRADES, IndexInput, Weights, prnd_index
from services.reporting.documents import Date, Document, decimal
from services.reporting.exports.seal import Seal
from services.reporting.queries import Values
from services.reporting.shares import shares_of
from services.venue_state.instruments import SOURCE_NAMES, VenueInstrument

RULE = (
    "The settlement prices of PRND-OX and PRND-MET, each divided by that of the last trading day before the year, weighted by"
    " the two products' shares of their turnover of the year before, times the index of that last day. The first trading day"
    f" is {BASE}. In the first year, and after a year without turnover, both weigh one half: an assumption. A day is not"
    f" assessed if fewer than {FEWEST_TRADES} trades, or fewer than {FEWEST_MEMBERS} members on a side, stand behind it."
)


class IndexPrice(Document):
    """The settlement price of a product of the index."""

    symbol: str
    settlement: str = Field(description="Yuan per tonne.")
    source: str = Field(
        description="Where the price comes from: `day_vwap`, `closing_auction`, `standing_quotes` or `previous`."
    )


class IndexDay(Document):
    """The index on a trading day that has ended."""

    trading_date: Date = Field(serialization_alias="date")
    value: Annotated[Fraction, decimal(2)] = Field(description="Two decimals; the first trading day is 100.00.")
    assessed: bool = Field(
        description="False if fewer than 5 trades, or fewer than 3 members on a side, stand behind the day's prices."
    )
    trades: int = Field(description="Of both products together, those that count.")
    buyers: int = Field(description="Members who bought in these trades.")
    sellers: int
    prices: tuple[IndexPrice, ...]


class IndexWeight(Document):
    """A product's weight in a year."""

    symbol: str
    weight: str = Field(description="A fraction; the weights of a year add up to 1.")


class IndexYear(Document):
    """The weights of a year."""

    year: int
    assumed: bool = Field(description="True in a year after one without turnover: both weigh one half, an assumption.")
    weights: tuple[IndexWeight, ...]


class IndexReport(Seal):
    """The PrNd index: settlement prices of praseodymium-neodymium oxide and metal, weighted by last year's turnover."""

    base: str = Field(description="The index on `base_date`.")
    base_date: Date = Field(description="The first trading day that ended with both prices; empty before.")
    rule: str
    years: tuple[IndexYear, ...] = Field(max_length=1, description="The year's; empty of one without days.")
    days: tuple[IndexDay, ...] = Field(max_length=366)


def index_report(rows: IndexRows, position: Values, year: int | None, *, simulated: bool) -> IndexReport:
    """The index of the days of a year, of None those of the present trading day's; the chain begins with the venue's first day
    in any case. `simulated`: a year of the chain is, or begins with, a simulated history."""
    year = position["trading_date"] // 10_000 if year is None else year
    index = prnd_index(rows.days)
    products = tuple(map(VenueInstrument.from_columns, rows.instruments))
    return IndexReport(
        **vars(Seal.of(position, simulated=simulated)),
        base=f"{BASE}.00",
        base_date=index.days[0].trading_date if index.days else 0,
        rule=RULE,
        years=tuple(_year(number, weights) for number, weights in index.weights.items() if number == year),
        days=tuple(
            IndexDay(**vars(one.day) | vars(one), prices=_prices(products, one.day, rows.sources[one.trading_date]))
            for one in index.days
            if one.trading_date // 10_000 == year
        ),
    )


def _year(year: int, weights: Weights) -> IndexYear:
    whole = weights.shares[0].denominator * weights.shares[1].denominator
    texts = shares_of([int(share * whole) for share in weights.shares])
    shares = tuple(IndexWeight(symbol=symbol, weight=text) for symbol, text in zip(SYMBOLS, texts, strict=True))
    return IndexYear(year=year, assumed=weights.assumed, weights=shares)


def _prices(products: Sequence[VenueInstrument], day: IndexInput, sources: Sequence[int]) -> tuple[IndexPrice, ...]:
    return tuple(
        IndexPrice(symbol=product.symbol, settlement=product.price_text(ticks), source=SOURCE_NAMES[source])
        for product, ticks, source in zip(products, day.settlement_ticks, sources, strict=True)
    )
