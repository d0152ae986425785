"""The engine's refusals of a new order, over the gateway's memory: the same checks in the same order, so the same reason.

`matching_engine/rules/refusals.py` decides; a property test holds the two together. Two things the gateway does not know: the
phase of the schedule behind a halt (a closed and halted instrument is refused as halted here, as closed there), and how many
refills icebergs have left (they count towards TOO_MANY). `Cost` and `PriceView` are the arithmetic of rulebook 6.
"""

from __future__ import annotations

from typing import NamedTuple

from matching_engine.ledger.fees import fee_fen, lot_reserve_fen
from matching_engine.ledger.phases import PHASES
from matching_engine.limits import MAX_DAY_AMOUNT_FEN, MAX_OPEN_ORDERS
from matching_engine.records import (
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    Command,
    Flag,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)
from services.market_data import Market
from services.venue_state.accounts import VenueAccount
from services.venue_state.instruments import VenueInstrument
from services.venue_state.orders import STOPS, VenueOrder
from services.venue_state.state import FeeRates, VenueState

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


_PRICED = (OrderType.LIMIT, OrderType.STOP_LIMIT)


def declined(command: Command, state: VenueState, account: VenueAccount, view: PriceView) -> int:
    """Why the venue would not accept the order now, whatever its account holds; NONE if it would."""
    rests = command.order_type != OrderType.MARKET and command.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
    if rests and len(state.orders.open) + 1 > MAX_OPEN_ORDERS:
        return Reason.TOO_MANY
    if state.kill_switch:
        return Reason.VENUE_KILL_SWITCH
    if account.kill_switch:
        return Reason.ACCOUNT_KILL_SWITCH
    phase = PHASES[Phase(view.instrument.phase)]
    if phase.refusal != Reason.NONE:
        return phase.refusal
    if not phase.trades and (command.order_type != OrderType.LIMIT or command.flags or not rests):
        return Reason.NOT_IN_AUCTION
    return _out_of_range(command, view)


def _out_of_range(command: Command, view: PriceView) -> int:
    low, high = view.instrument.low_ticks, view.instrument.high_ticks
    is_priced, is_stop = command.order_type in _PRICED, command.order_type in STOPS
    for ticks, counts in ((command.price_ticks, is_priced), (command.trigger_ticks, is_stop)):
        if counts and not low <= ticks <= high:
            return Reason.PRICE_ABOVE_BAND if ticks > high else Reason.PRICE_BELOW_BAND
    if is_priced:
        edge = view.collar_edge(command.side, command.trigger_ticks if is_stop else view.anchor_ticks)
        if edge is not None and (
            command.price_ticks > edge if command.side == Side.BUY else command.price_ticks < edge
        ):
            return Reason.PRICE_OUTSIDE_COLLAR
    return Reason.NONE


def unaffordable(command: Command, cost: Cost, account: VenueAccount, view: PriceView, market: Market) -> int:
    """Why the account could not afford the order, or (last) why post-only would refuse it; NONE if neither does."""
    quantity, is_buy = command.quantity_lots, command.side == Side.BUY
    if account.max_order_lots and quantity > account.max_order_lots:
        return Reason.ORDER_QUANTITY_LIMIT
    rests = command.order_type != OrderType.MARKET and command.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
    if account.max_open_orders and account.open_orders >= account.max_open_orders and rests:
        return Reason.OPEN_ORDERS_LIMIT
    if quantity > MAX_AMOUNT_FEN // (cost.lot_reserve_fen if is_buy else cost.lot_value_fen):
        return Reason.VALUE_TOO_LARGE
    if market.of_instrument[command.instrument].turnover_fen > MAX_DAY_AMOUNT_FEN:
        return Reason.VALUE_TOO_LARGE
    if account.max_order_fen and cost.notional_fen > account.max_order_fen:
        return Reason.ORDER_VALUE_LIMIT
    if account.max_day_fen and account.day_fen + cost.notional_fen > account.max_day_fen:
        return Reason.TURNOVER_LIMIT
    if is_buy and cost.reserve_fen > account.cash_fen - account.reserved_fen:
        return Reason.INSUFFICIENT_FUNDS
    if not is_buy and quantity > free_lots(account, command.instrument):
        return Reason.INSUFFICIENT_INVENTORY
    if command.flags & Flag.POST_ONLY and view.crosses(command.side, cost.price_ticks):
        return Reason.POST_ONLY_WOULD_TRADE
    return Reason.NONE


def free_lots(account: VenueAccount, instrument: int) -> int:
    """The lots of an instrument that the account may sell."""
    held = account.holdings.get(instrument)
    return held.lots - held.reserved_lots if held else 0


def is_fillable(command: Command, cost: Cost, state: VenueState, view: PriceView) -> bool:
    """Whether a `fok` order would get its whole quantity at once, hidden lots of icebergs included.

    It stops at the first order of its own owner, unless it cancels the oldest. The gateway does not know the queue within a
    price: there it takes the orders with older numbers as those in front.
    """
    owner, ahead = state.accounts[command.account].owner, 0
    stop_at: tuple[int, int] | None = None
    resting = sorted(_resting(command, cost, state, view), key=lambda order: _place(order, command.side))
    for order in resting:
        if state.accounts[order.account].owner != owner:
            ahead += order.leaves_lots
        elif command.self_trade != SelfTrade.CANCEL_OLDEST:
            stop_at = _place(order, command.side)
            break
    if stop_at is not None:  # The hidden lots of its level come after all that is shown there.
        ahead -= sum(
            order.leaves_lots - _shown(order)
            for order in resting
            if _place(order, command.side) < stop_at and order.price_ticks == abs(stop_at[0])
        )
    return ahead >= command.quantity_lots


def _resting(command: Command, cost: Cost, state: VenueState, view: PriceView) -> list[VenueOrder]:
    """The open orders that the incoming order could trade with."""
    worst, buys = view.worst(command.side), command.side == Side.BUY
    limit = min(cost.price_ticks, worst) if buys else max(cost.price_ticks, worst)
    return [
        order
        for order in state.orders.open.values()
        if order.instrument == command.instrument
        and order.side != command.side
        and (order.price_ticks <= limit if buys else order.price_ticks >= limit)
        and (order.order_type not in STOPS or order.triggered_seq)
    ]


def _place(order: VenueOrder, side: int) -> tuple[int, int]:
    return (order.price_ticks if side == Side.BUY else -order.price_ticks), order.order_id


def _shown(order: VenueOrder) -> int:
    return min(order.display_lots or order.leaves_lots, order.leaves_lots)
