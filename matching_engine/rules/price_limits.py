"""Limits of an order's prices: the daily band, the collar, the volatility band (rulebook 4.7, 6.2 and 6.3)."""

from __future__ import annotations

import cython

from matching_engine.book.order_book import Book
from matching_engine.ledger.instruments import Instruments

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.ledger.instruments import highest_ticks, lowest_ticks
    from matching_engine.records import MAX_PRICE_TICKS, Side


def anchor_of(instrument: int, instruments: Instruments, book: Book) -> int:
    """The last price of the trading day in ticks; the reference price before the first trade."""
    if book.last[instrument].traded:
        return book.last[instrument].price_ticks
    return instruments.rows[instrument].reference_ticks


def outside_collar(instrument: int, side: int, price_ticks: int, anchor: int, instruments: Instruments) -> bool:
    """Whether a price lies beyond the collar around an anchor, where there is a collar."""
    rate = instruments.rows[instrument].collar_ppm
    if side == Side.BUY:
        return price_ticks > highest_ticks(anchor, rate)
    return price_ticks < lowest_ticks(anchor, rate)


def protection_of(instrument: int, side: int, anchor: int, instruments: Instruments) -> int:
    """The protection price of a MARKET or STOP order in ticks, the worst it trades at: the collar's edge, within the daily
    band."""
    rate = instruments.rows[instrument].collar_ppm
    low = instruments.rows[instrument].low_ticks
    high = instruments.rows[instrument].high_ticks
    if rate == 0:
        return high if side == Side.BUY else low
    return min(high, highest_ticks(anchor, rate)) if side == Side.BUY else max(low, lowest_ticks(anchor, rate))


def worst_ticks(instrument: int, side: int, instruments: Instruments, book: Book) -> int:
    """The worst price, in ticks, that an incoming order may trade at before a volatility auction begins. Where the best price
    is already beyond the opposite edge of the band, the order may not trade: the result is a price that no order has."""
    rate = instruments.rows[instrument].volatility_ppm
    if rate == 0:
        return MAX_PRICE_TICKS if side == Side.BUY else 1
    anchor = anchor_of(instrument, instruments, book)
    low = lowest_ticks(anchor, rate)
    high = highest_ticks(anchor, rate)
    if side == Side.BUY:
        return 0 if book.crosses(instrument, Side.BUY, low - 1) else high
    return MAX_PRICE_TICKS + 1 if book.crosses(instrument, Side.SELL, high + 1) else low
