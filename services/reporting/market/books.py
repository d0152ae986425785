"""The book of an instrument after a command of the past as a document."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from services.market_statistics.past_book import PastBook, ShownLevel
from services.reporting.documents import Date, Document, Hash, Time, seal
from services.reporting.queries import Values
from services.venue_state.instruments import PHASE_NAMES, VenueInstrument


class BookLevel(Document):
    """A price of a book."""

    price: str
    quantity_lots: int = Field(
        serialization_alias="quantity", description="Lots that were shown: of an iceberg its shown part."
    )
    orders: int


class BookReport(Document):
    """The book of an instrument after a command of the past."""

    symbol: str
    seq: int = Field(description="The book is exact after this command.")
    row_hash: Hash = Field(description="Hash of the journal row that holds `seq`.")
    journal_id: Hash
    trading_date: Date = Field(description="The trading day of `seq`; empty before the first one.")
    as_of_ns: Time = Field(description="Time of the command `seq`: RFC 3339, UTC, microseconds.")
    simulated: bool = Field(description="Whether the year of `seq` is, or begins with, a simulated history.")
    phase: str = Field(description="The phase in force.")
    bids: tuple[BookLevel, ...] = Field(description="Best price first, at most `levels`.")
    asks: tuple[BookLevel, ...] = Field(description="Best price first, at most `levels`.")
    bid_levels: int = Field(description="How many prices the whole side had.")
    ask_levels: int
    bid_quantity: int = Field(description="Lots that the whole side showed.")
    ask_quantity: int


def book_report(
    book: PastBook, instrument: VenueInstrument, position: Values, levels: int, *, simulated: bool
) -> BookReport:
    """The book, up to so many levels of each side; its sums are those of the whole sides."""
    return BookReport(
        symbol=instrument.symbol,
        **seal(position),
        simulated=simulated,
        phase=PHASE_NAMES[book.phase],
        bids=_levels(book.bids[:levels], instrument),
        asks=_levels(book.asks[:levels], instrument),
        bid_levels=len(book.bids),
        ask_levels=len(book.asks),
        bid_quantity=sum(level.quantity_lots for level in book.bids),
        ask_quantity=sum(level.quantity_lots for level in book.asks),
    )


def _levels(shown: Sequence[ShownLevel], instrument: VenueInstrument) -> tuple[BookLevel, ...]:
    return tuple(BookLevel(**one._asdict(), price=instrument.price_text(one.price_ticks)) for one in shown)
