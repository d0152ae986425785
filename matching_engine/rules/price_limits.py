"""How far an order may go: the day's band, the collar, the volatility band (rulebook 4.7, 6.2 and 6.3)."""

from __future__ import annotations

import cython

from matching_engine.book.order_book import Book
from matching_engine.ledger.instruments import Instruments

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.ledger.instruments import highest_ticks, lowest_ticks
    from matching_engine.records import MAX_PRICE_TICKS, Side


def anchor_of(instrument: int, listed: Instruments, book: Book) -> int:
    """The last price of the trading day, or the reference price while there is none."""
    if book.last[instrument].traded:
        return book.last[instrument].price_ticks
    return listed.rows[instrument].reference_ticks


def outside_collar(instrument: int, side: int, price_ticks: int, anchor: int, listed: Instruments) -> bool:
    """Whether a price lies beyond the collar around an anchor."""
    rate = listed.rows[instrument].collar_ppm
    if rate == 0:
        return False
    if side == Side.BUY:
        return price_ticks > highest_ticks(anchor, rate)
    return price_ticks < lowest_ticks(anchor, rate)


def protection_of(instrument: int, side: int, anchor: int, listed: Instruments) -> int:
    """The furthest price that a MARKET or STOP order trades at: the collar's edge, within the day's band."""
    rate = listed.rows[instrument].collar_ppm
    low = listed.rows[instrument].low_ticks
    high = listed.rows[instrument].high_ticks
    if rate == 0:
        return high if side == Side.BUY else low
    return min(high, highest_ticks(anchor, rate)) if side == Side.BUY else max(low, lowest_ticks(anchor, rate))


def worst_ticks(instrument: int, side: int, listed: Instruments, book: Book) -> int:
    """The furthest price that an incoming order may trade at before a volatility auction begins. Where the best price is
    beyond the band on the other side already, the order may not trade at all: then it is a price that no order has."""
    rate = listed.rows[instrument].volatility_ppm
    if rate == 0:
        return MAX_PRICE_TICKS if side == Side.BUY else 1
    anchor = anchor_of(instrument, listed, book)
    low = lowest_ticks(anchor, rate)
    high = highest_ticks(anchor, rate)
    if side == Side.BUY:
        return 0 if book.crosses(instrument, Side.BUY, low - 1) else high
    return MAX_PRICE_TICKS + 1 if book.crosses(instrument, Side.SELL, high + 1) else low
