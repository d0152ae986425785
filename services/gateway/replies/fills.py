"""What an account sees of its trades and balances, as JSON: `order_schemas.Fill`, of a trade as its order sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matching_engine.records import Event, Phase
from services.values.decimals import yuan_text
from services.values.times import date_text, time_text
from services.venue_state.instruments import VenueInstrument
from services.venue_state.orders import SIDE_NAMES, VenueOrder
from services.venue_state.state import VenueState


def fill_json(order: VenueOrder, event: Event, state: VenueState) -> dict[str, Any]:
    """The fill of a TRADE event, when the order has just been updated by it."""
    instrument = state.instruments[event.instrument]
    is_taker = event.order_id == order.order_id
    return {
        "trade_id": str(event.trade_id),
        "order_id": str(order.order_id),
        "client_order_id": order.client_order_id or None,
        "symbol": instrument.symbol,
        "side": SIDE_NAMES[order.side],
        "liquidity": _liquidity(event.phase, is_taker),
        "price": instrument.price_text(event.price_ticks),
        "quantity": event.quantity_lots,
        "amount": yuan_text(event.amount_fen),
        "fee": yuan_text(event.fee_fen if is_taker else event.maker_fee_fen),
        "trading_date": date_text(state.trading_date),
        "time": time_text(order.updated_ns),
        "seq": event.seq,
        "busted": False,
    }


def past_fill_json(trade: Mapping[Any, Any], account: int, state: VenueState) -> dict[str, Any]:
    """The account's fill of a row that `OrderHistory.fills` found."""
    is_taker = trade["taker_account"] == account
    role = "taker" if is_taker else "maker"
    instrument = state.instruments[trade["instrument"]]
    return {
        "trade_id": str(trade["trade_id"]),
        "order_id": str(trade[f"{role}_order_id"]),
        "client_order_id": trade[f"{role}_client_order_id"] or None,
        "symbol": instrument.symbol,
        "side": SIDE_NAMES[trade["taker_side"] if is_taker else 1 - trade["taker_side"]],
        "liquidity": _liquidity(trade["phase"], is_taker),
        "price": instrument.price_text(trade["price_ticks"]),
        "quantity": trade["quantity_lots"],
        "amount": yuan_text(trade["amount_fen"]),
        "fee": yuan_text(trade[f"{role}_fee_fen"]),
        "trading_date": date_text(trade["trading_date"]),
        "time": time_text(trade["time_ns"]),
        "seq": trade["seq"],
        "busted": trade["busted_seq"] is not None,
    }


def bust_json(account: int, event: Event, state: VenueState) -> dict[str, Any]:
    """The amounts that a TRADE_BUSTED event gives back, as one of its two accounts sees them."""
    instrument, is_taker = state.instruments[event.instrument], event.account == account
    return {
        "trade_id": str(event.order_id),
        "symbol": instrument.symbol,
        "side": SIDE_NAMES[event.side if is_taker else 1 - event.side],
        "price": instrument.price_text(event.price_ticks),
        "quantity": event.quantity_lots,
        "amount": yuan_text(event.amount_fen),
        "fee": yuan_text(event.fee_fen if is_taker else event.maker_fee_fen),
        "seq": event.seq,
    }


def past_bust_json(trade: Mapping[Any, Any], account: int, state: VenueState) -> dict[str, Any]:
    """`bust_json` of a row of the read database's `trades` that was busted."""
    is_taker = trade["taker_account"] == account
    instrument = state.instruments[trade["instrument"]]
    return {
        "trade_id": str(trade["trade_id"]),
        "symbol": instrument.symbol,
        "side": SIDE_NAMES[trade["taker_side"] if is_taker else 1 - trade["taker_side"]],
        "price": instrument.price_text(trade["price_ticks"]),
        "quantity": trade["quantity_lots"],
        "amount": yuan_text(trade["amount_fen"]),
        "fee": yuan_text(trade["taker_fee_fen" if is_taker else "maker_fee_fen"]),
        "seq": trade["busted_seq"],
    }


def _liquidity(phase: int, is_taker: bool) -> str:
    """In a call auction nobody takes and nobody makes."""
    if phase == Phase.CALL_AUCTION:
        return "auction"
    return "taker" if is_taker else "maker"


def cash_json(cash_fen: int, reserved_fen: int) -> dict[str, str]:
    """Cash, what open orders reserve of it, and the rest."""
    return {
        "cash": yuan_text(cash_fen),
        "reserved": yuan_text(reserved_fen),
        "available": yuan_text(cash_fen - reserved_fen),
    }


def holding_json(instrument: VenueInstrument, lots: int, reserved_lots: int) -> dict[str, Any]:
    """`Holding`: lots of one instrument."""
    return {
        "symbol": instrument.symbol,
        "quantity": lots,
        "reserved": reserved_lots,
        "available": lots - reserved_lots,
    }
