"""The price of a call auction (rulebook 4.4): most volume, least imbalance, nearest the reference, the higher."""

from __future__ import annotations

from typing import NamedTuple

import cython

from matching_engine.book.price_levels import PriceLevels

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.book.price_levels import level_at
    from matching_engine.pools import NIL

    # A class statement of this name would declare the C struct a second time.
    Auction = NamedTuple("Auction", [("price_ticks", int), ("lots", int), ("imbalance", int)])  # noqa: UP014
    """The outcome of an uncrossing: its price, its volume, and buys less sells at that price; all 0 if nothing crosses."""


def find_auction(levels: PriceLevels, instrument: int, reference_ticks: int) -> Auction:
    """The outcome of uncrossing an instrument's book now.

    Buys and sells are matched, each from its best price, until they no longer cross. The matched volume is the greatest
    possible, and it can trade at any price from that of the last matched sell (`low`) to that of the last buy (`high`).
    """
    bids = 2 * instrument
    bid = levels.best(bids)
    ask = levels.best(bids + 1)
    bid_lots = total_lots(levels, bid)
    ask_lots = total_lots(levels, ask)
    lots = low = high = 0
    while bid != NIL and ask != NIL and levels.price(bids, bid) >= levels.price(bids + 1, ask):
        high = levels.price(bids, bid)
        low = levels.price(bids + 1, ask)
        met = min(bid_lots, ask_lots)
        lots += met
        bid_lots -= met
        ask_lots -= met
        if bid_lots == 0:
            bid = levels.next(bid)
            bid_lots = total_lots(levels, bid)
        if ask_lots == 0:
            ask = levels.next(ask)
            ask_lots = total_lots(levels, ask)
    if lots == 0:
        return Auction(0, 0, 0)
    return choose_price(levels, bids, bid, ask, bid_lots, ask_lots, lots, low, high, reference_ticks)


def choose_price(
    levels: PriceLevels,
    bids: int,
    bid: int,
    ask: int,
    bid_lots: int,
    ask_lots: int,
    lots: int,
    low: int,
    high: int,
    reference_ticks: int,
) -> Auction:
    """The auction at the best price from `low` to `high`. `bid` and `ask` are the first levels with unmatched lots (or NIL),
    `bid_lots` and `ask_lots` those lots. These levels do not cross: no price leaves both buys and sells unmatched, and a price
    between them leaves neither."""
    bid_ticks = levels.price(bids, bid) if bid != NIL else low - 1
    ask_ticks = levels.price(bids + 1, ask) if ask != NIL else high + 1
    buys_left = bid_ticks >= low
    sells_left = ask_ticks <= high
    first = max(low, bid_ticks + 1)
    last = min(high, ask_ticks - 1)
    if first > last:  # Every price has an imbalance: the least is at the bid, at the ask, or at both.
        first, last = ask_ticks, bid_ticks
        if buys_left and not (sells_left and ask_lots < bid_lots):
            bid = levels.next(bid)
            first = max(low, levels.price(bids, bid) + 1) if bid != NIL else low
        if sells_left and not (buys_left and bid_lots < ask_lots):
            ask = levels.next(ask)
            last = min(high, levels.price(bids + 1, ask) - 1) if ask != NIL else high
    price = min(max(reference_ticks, first), last)
    if buys_left and price <= bid_ticks:
        return Auction(price, lots, bid_lots)
    if sells_left and price >= ask_ticks:
        return Auction(price, lots, -ask_lots)
    return Auction(price, lots, 0)


def total_lots(levels: PriceLevels, level: int) -> int:
    """The shown and hidden lots of a level; 0 for NIL."""
    row = level_at(levels.rows[level])
    return row.quantity_lots + row.hidden_lots
