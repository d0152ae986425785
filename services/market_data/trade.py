"""A trade as the public sees it."""

from __future__ import annotations

from typing import NamedTuple


class MarketTrade(NamedTuple):
    """The public view of a trade. An auction trade has no taker."""

    trade_id: int
    price_ticks: int
    quantity_lots: int
    amount_fen: int
    taker_side: int
    time_ns: int
    seq: int
    is_auction: bool = False
    is_busted: bool = False
