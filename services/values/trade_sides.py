"""Buyer and seller of a trade. A TRADE event has taker and maker instead (matching_engine/records.py)."""

from __future__ import annotations

from typing import NamedTuple

from matching_engine.records import Event, Side


class TradeSides(NamedTuple):
    """Accounts and fees of a TRADE or TRADE_BUSTED by side."""

    buyer: int
    seller: int
    buyer_fee_fen: int
    seller_fee_fen: int


def sides(event: Event) -> TradeSides:
    """The sides of a TRADE or TRADE_BUSTED. An auction has no taker: there the event's account is the buyer."""
    if event.side == Side.BUY:
        return TradeSides(event.account, event.maker_account, event.fee_fen, event.maker_fee_fen)
    return TradeSides(event.maker_account, event.account, event.maker_fee_fen, event.fee_fen)
