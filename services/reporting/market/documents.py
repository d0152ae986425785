"""Makes the documents of the index and the quality of the market: exact values in, decimal strings out; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from matching_engine.records import SettlementSource
from services.market_statistics.contracts import Day, Quality
from services.market_statistics.index_reading import SYMBOLS, IndexRows
from services.market_statistics.past_book import PastBook, ShownLevel
from services.market_statistics.prnd_index import BASE, FEWEST_MEMBERS, FEWEST_TRADES, IndexDay, Weights, prnd_index
from services.reporting.exports.seal import Seal
from services.reporting.market import schemas
from services.reporting.queries import Values
from services.reporting.shares import shares_of
from services.values.decimals import decimal_text
from services.values.times import date_text
from services.venue_state.instruments import PHASE_NAMES

RULE = (
    "The settlement prices of PRND-OX and PRND-MET, each divided by that of the last trading day before the year, weighted by"
    " the two products' shares of their turnover of the year before, times the index of that last day. The first trading day"
    f" is {BASE}. In the first year, and after a year without turnover, both weigh one half: an assumption. A day is not"
    f" assessed if fewer than {FEWEST_TRADES} trades, or fewer than {FEWEST_MEMBERS} members on a side, stand behind it."
)

_SECOND_NS = 10**9
_PRICE_DECIMALS = 4
"""A spread has so many decimals more than the price."""


def index_report(rows: IndexRows, position: Values, year: int | None, *, simulated: bool) -> schemas.IndexReport:
    """The index of all days, or of one year's; the chain begins with the first day in any case. `simulated`: a year of the
    chain is, or begins with, a simulated history."""
    index = prnd_index(rows.days)
    shown = [one for one in index.days if year in (None, one.trading_date // 10_000)]
    return schemas.IndexReport(
        **Seal.of(position, simulated=simulated).facts(),
        base=f"{BASE}.00",
        base_date=date_text(index.days[0].trading_date) if index.days else "",
        rule=RULE,
        years=tuple(_year(number, weights) for number, weights in index.weights.items() if year in (None, number)),
        days=tuple(_index_day(one, rows) for one in shown),
    )


def _year(number: int, weights: Weights) -> schemas.IndexYear:
    whole = weights.shares[0].denominator * weights.shares[1].denominator
    texts = shares_of([int(share * whole) for share in weights.shares])
    named = zip(SYMBOLS, texts, strict=True)
    shares = tuple(schemas.IndexWeight(symbol=symbol, weight=text) for symbol, text in named)
    return schemas.IndexYear(year=number, assumed=weights.assumed, weights=shares)


def _index_day(one: IndexDay, rows: IndexRows) -> schemas.IndexDay:
    prices = zip(SYMBOLS, rows.instruments, one.day.settlement_ticks, rows.sources[one.trading_date], strict=True)
    return schemas.IndexDay(
        date=date_text(one.trading_date),
        value=_text(one.value, 2),
        assessed=one.assessed,
        trades=one.day.trades,
        buyers=one.day.buyers,
        sellers=one.day.sellers,
        prices=tuple(
            schemas.IndexPrice(
                symbol=symbol,
                settlement=_text(ticks * Fraction(facts["tick_size"]), _decimals(facts)),
                source=SettlementSource(source).name.lower(),
            )
            for symbol, facts, ticks, source in prices
        ),
    )


def quality_report(
    day: Day, found: Mapping[int, Quality], instruments: Mapping[int, Values], position: Values, *, simulated: bool
) -> schemas.QualityReport:
    """The quality of a day, in the order of the products' numbers."""
    return schemas.QualityReport(
        **Seal.of(position, simulated=simulated).facts(),
        date=date_text(day.opening.trading_date),
        complete=day.complete,
        first_seq=day.opening.first_seq,
        last_seq=day.last_seq,
        products=tuple(_product(quality, instruments[number]) for number, quality in found.items()),
    )


def _product(quality: Quality, facts: Values) -> schemas.ProductQuality:
    tick, decimals = Fraction(facts["tick_size"]), _decimals(facts)

    def price(ticks: Fraction | None) -> str | None:
        return None if ticks is None else _text(ticks * tick, decimals + _PRICE_DECIMALS)

    median = quality.median_spread_ticks
    return schemas.ProductQuality(
        **{name: facts[name] for name in ("symbol", "name_en", "name_zh", "unit")},
        continuous_s=decimal_text(quality.continuous_ns, _SECOND_NS, 3),
        two_sided_share=_share_text(quality.two_sided_ns, quality.continuous_ns),
        spread=price(quality.spread_ticks),
        spread_bp=_scaled(quality.spread_share, 10_000, 2),
        median_spread=None if median is None else _text(median * tick, decimals),
        buy_depth_lots=_scaled(quality.buy_depth_lots, 1, 3),
        sell_depth_lots=_scaled(quality.sell_depth_lots, 1, 3),
        trades=quality.trades,
        effective_spread=price(quality.effective_spread_ticks),
        effective_spread_bp=_scaled(quality.effective_spread_share, 10_000, 2),
        large_trades=quality.large_trades,
        unrecovered_large_trades=quality.unrecovered_trades,
        recovery_s=_scaled(quality.recovery_ns, Fraction(1, _SECOND_NS), 3),
        amihud=_scaled(quality.amihud, 1, 8),
    )


def book_report(book: PastBook, facts: Values, position: Values, levels: int, *, simulated: bool) -> schemas.BookReport:
    """The book of the instrument with the facts, up to so many levels of each side; its sums are those of the whole sides."""
    seal = Seal.of(position, simulated=simulated)
    return schemas.BookReport(
        symbol=facts["symbol"],
        **{
            name: getattr(seal, name)
            for name in ("seq", "row_hash", "journal_id", "trading_date", "as_of", "simulated")
        },
        phase=PHASE_NAMES[book.phase],
        bids=_levels(book.bids[:levels], facts),
        asks=_levels(book.asks[:levels], facts),
        bid_levels=len(book.bids),
        ask_levels=len(book.asks),
        bid_quantity=sum(level.quantity_lots for level in book.bids),
        ask_quantity=sum(level.quantity_lots for level in book.asks),
    )


def _levels(shown: Sequence[ShownLevel], facts: Values) -> tuple[schemas.BookLevel, ...]:
    tick, decimals = Fraction(facts["tick_size"]), _decimals(facts)
    return tuple(
        schemas.BookLevel(
            price=_text(level.price_ticks * tick, decimals), quantity=level.quantity_lots, orders=level.orders
        )
        for level in shown
    )


def _decimals(facts: Values) -> int:
    return len(facts["tick_size"].partition(".")[2])


def _share_text(part: int, whole: int) -> str | None:
    return decimal_text(part, whole, 6) if whole else None


def _scaled(value: Fraction | None, times: Fraction | int, decimals: int) -> str | None:
    return None if value is None else _text(value * times, decimals)


def _text(value: Fraction, decimals: int) -> str:
    return decimal_text(value.numerator, value.denominator, decimals)
