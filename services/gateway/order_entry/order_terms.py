"""What an order would cost, and the price that it may reach: the engine's arithmetic over the gateway's memory (rulebook 6).

`PriceView` holds the prices of one instrument that the checks need.
"""

from __future__ import annotations

from typing import NamedTuple

from matching_engine.ledger.fees import fee_fen, lot_reserve_fen
from matching_engine.records import MAX_PRICE_TICKS, Command, OrderType, Side
from services.market_data import Market
from services.venue_state.instruments import VenueInstrument
from services.venue_state.state import FeeRates

_MILLION = 1_000_000


class Cost(NamedTuple):
    """What an order of a price would reserve and pay."""

    price_ticks: int
    """The limit price; of a market or stop order the protection price."""
    lot_value_fen: int
    notional_fen: int
    lot_reserve_fen: int
    """Of a buy, for each lot: its value and the highest possible fee. 0 for a sell."""
    reserve_fen: int
    maker_fee_fen: int
    """For the whole quantity in one trade."""
    taker_fee_fen: int


class PriceView(NamedTuple):
    """The prices of an instrument at this moment."""

    instrument: VenueInstrument
    anchor_ticks: int
    """The last price of the trading day; the reference price before the first trade."""
    best_bid_ticks: int | None
    best_ask_ticks: int | None

    @classmethod
    def of(cls, instrument: VenueInstrument, market: Market) -> PriceView:
        """The prices of an instrument as the market data has them."""
        quotation = market.of_instrument[instrument.number]
        anchor = instrument.reference_ticks if quotation.last_ticks is None else quotation.last_ticks
        return cls(instrument, anchor, quotation.bids.best(), quotation.asks.best())

    def crosses(self, side: int, price_ticks: int) -> bool:
        """Whether an order of this side and price would meet one of the other side."""
        if side == Side.BUY:
            return self.best_ask_ticks is not None and self.best_ask_ticks <= price_ticks
        return self.best_bid_ticks is not None and self.best_bid_ticks >= price_ticks

    def collar_edge(self, side: int, anchor_ticks: int) -> int | None:
        """The furthest price that the collar around an anchor allows; None without a collar."""
        rate = self.instrument.collar_ppm
        if not rate:
            return None
        return _highest(anchor_ticks, rate) if side == Side.BUY else _lowest(anchor_ticks, rate)

    def protection(self, side: int, anchor_ticks: int) -> int:
        """The protection price of a market or stop order: the collar's edge, within the daily band."""
        edge, low, high = self.collar_edge(side, anchor_ticks), self.instrument.low_ticks, self.instrument.high_ticks
        if side == Side.BUY:
            return high if edge is None else min(high, edge)
        return low if edge is None else max(low, edge)

    def worst(self, side: int) -> int:
        """The worst price that an incoming order may trade at before a volatility auction begins; one that no order has where
        the best price is beyond the band already."""
        rate = self.instrument.volatility_ppm
        if not rate:
            return MAX_PRICE_TICKS if side == Side.BUY else 1
        low, high = _lowest(self.anchor_ticks, rate), _highest(self.anchor_ticks, rate)
        if side == Side.BUY:
            return 0 if self.crosses(Side.BUY, low - 1) else high
        return MAX_PRICE_TICKS + 1 if self.crosses(Side.SELL, high + 1) else low


def cost_of(command: Command, view: PriceView, rates: FeeRates) -> Cost:
    """What the NEW_ORDER would cost an account with these fee rates."""
    price_ticks = command.price_ticks
    if command.order_type == OrderType.MARKET:
        price_ticks = view.protection(command.side, view.anchor_ticks)
    elif command.order_type == OrderType.STOP:
        price_ticks = view.protection(command.side, command.trigger_ticks)
    value = price_ticks * view.instrument.tick_value_fen
    notional, is_buy = value * command.quantity_lots, command.side == Side.BUY
    reserve = lot_reserve_fen(value, max(rates)) if is_buy else 0
    return Cost(
        price_ticks,
        value,
        notional,
        reserve,
        reserve * command.quantity_lots,
        _fee(notional, rates.maker_rate_ppm),
        _fee(notional, rates.taker_rate_ppm),
    )


def _fee(amount_fen: int, rate_ppm: int) -> int:
    """As the engine's, whose arguments have 64 bits; an amount beyond them is refused anyway."""
    return fee_fen(min(amount_fen, 2**62), rate_ppm)


def _highest(anchor_ticks: int, rate_ppm: int) -> int:
    return min(anchor_ticks * (_MILLION + rate_ppm) // _MILLION, MAX_PRICE_TICKS)


def _lowest(anchor_ticks: int, rate_ppm: int) -> int:
    return max(-(-anchor_ticks * (_MILLION - rate_ppm) // _MILLION), 1)
