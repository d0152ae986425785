"""An order as JSON: the execution report of FIX."""

from __future__ import annotations

from typing import Any

from matching_engine.records import ALL_INSTRUMENTS, Event, Flag, Reason
from services.decimals import yuan_text
from services.times import date_text, second_text, time_text
from services.venue_state.instruments import VenueInstrument
from services.venue_state.orders import (
    ORDER_TYPE_NAMES,
    SELF_TRADE_NAMES,
    SIDE_NAMES,
    STOPS,
    TIME_IN_FORCE_NAMES,
    UNPRICED,
    VenueOrder,
)
from services.venue_state.reasons import REASONS

REASON_NAMES: dict[int, str | None] = {reason: reason.name.lower() for reason in Reason}
REASON_NAMES[Reason.NONE] = None
_POST_ONLY = int(Flag.POST_ONLY)  # As an int: the operators of an enum flag cost a microsecond.


def order_json(order: VenueOrder, instruments: list[VenueInstrument]) -> dict[str, Any]:
    """`schemas.Order` as a dict."""
    instrument = instruments[order.instrument]
    price = instrument.price_text(order.price_ticks) if order.price_ticks else None
    is_unpriced = order.order_type in UNPRICED
    return {
        "order_id": str(order.order_id),
        "client_order_id": order.client_order_id or None,
        "account": order.account,
        "symbol": instrument.symbol,
        "side": SIDE_NAMES[order.side],
        "order_type": ORDER_TYPE_NAMES[order.order_type],
        "time_in_force": TIME_IN_FORCE_NAMES[order.time_in_force],
        "price": None if is_unpriced else price,
        "quantity": order.quantity_lots,
        "leaves_qty": order.leaves_lots,
        "cum_qty": order.filled_lots,
        "avg_px": instrument.average_text(order.filled_fen, order.filled_lots) if order.filled_lots else None,
        "fees": yuan_text(order.fees_fen),
        "state": order.state,
        "reason": REASON_NAMES[order.reason],
        "trading_date": date_text(order.trading_date),
        "created_at": time_text(order.created_ns),
        "updated_at": time_text(order.updated_ns),
        "seq": order.updated_seq,
        "stop_price": instrument.price_text(order.trigger_ticks) if order.trigger_ticks else None,
        "triggered": order.triggered_seq > 0 if order.order_type in STOPS else None,
        "protection_price": price if is_unpriced else None,
        "display_quantity": order.display_lots or None,
        "expire_time": second_text(order.expires_s) if order.expires_s else None,
        "post_only": order.flags & _POST_ONLY > 0,
        "self_trade_prevention": SELF_TRADE_NAMES[order.self_trade],
        "reason_text": order.reason_text or REASONS.get(order.reason),
    }


def mass_canceled_json(event: Event, instruments: list[VenueInstrument]) -> dict[str, Any]:
    """`schemas.MassCanceled` of a MASS_CANCELED event."""
    return {
        "symbol": "*" if event.instrument == ALL_INSTRUMENTS else instruments[event.instrument].symbol,
        "side": SIDE_NAMES.get(event.side),
        "account": event.account or None,
        "canceled": event.number,
        "seq": event.seq,
    }
