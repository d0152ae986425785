"""What a reason says to people: its sentence, followed by the account's or the instrument's own numbers."""

from __future__ import annotations

from decimal import Decimal

from matching_engine.records import Reason, Side
from services.values.decimals import counted, percent_text, yuan_text
from services.venue_state.accounts import VenueAccount
from services.venue_state.instruments import VenueInstrument

REASONS: dict[int, str] = {reason: reason.sentence for reason in Reason if reason != Reason.NONE}
"""A sentence for every reason but NONE."""


def reason_text(
    reason: int, side: int = Side.BUY, account: VenueAccount | None = None, instrument: VenueInstrument | None = None
) -> str | None:
    """The sentence of a reason, followed by the numbers it is about as they stand now; None for NONE."""
    sentence = REASONS.get(reason)
    if sentence is None:
        return None
    numbers = _of_the_account(reason, account, instrument) if account is not None else None
    if numbers is None and instrument is not None:
        numbers = _of_the_instrument(reason, side, instrument)
    return sentence if numbers is None else f"{sentence} {numbers}"


def _of_the_account(reason: int, account: VenueAccount, instrument: VenueInstrument | None) -> str | None:
    match reason:
        case Reason.INSUFFICIENT_FUNDS:
            return f"Available: {_yuan(account.cash_fen - account.reserved_fen)}."
        case Reason.INSUFFICIENT_INVENTORY if instrument is not None:
            held = account.holdings.get(instrument.number)
            return f"Available: {counted(held.lots - held.reserved_lots if held else 0, 'lot')} of {instrument.symbol}."
        case Reason.ORDER_QUANTITY_LIMIT:
            return f"At most: {counted(account.max_order_lots, 'lot')}."
        case Reason.ORDER_VALUE_LIMIT:
            return f"At most: {_yuan(account.max_order_fen)}."
        case Reason.OPEN_ORDERS_LIMIT:
            return f"At most: {account.max_open_orders:,}."
        case Reason.TURNOVER_LIMIT:
            return f"At most: {_yuan(account.max_day_fen)}; so far: {_yuan(account.day_fen)}."
        case _:
            return None


def _of_the_instrument(reason: int, side: int, instrument: VenueInstrument) -> str | None:
    match reason:
        case Reason.PRICE_ABOVE_BAND:
            return f"Limit: {_price(instrument, instrument.high_ticks)}."
        case Reason.PRICE_BELOW_BAND:
            return f"Limit: {_price(instrument, instrument.low_ticks)}."
        case Reason.PRICE_OUTSIDE_COLLAR:
            way = "above" if side == Side.BUY else "below"
            return f"At most {percent_text(instrument.collar_ppm)} {way} it."
        case _:
            return None


def _yuan(amount_fen: int) -> str:
    return f"¥ {Decimal(yuan_text(amount_fen)):,}"


def _price(instrument: VenueInstrument, ticks: int) -> str:
    return f"{Decimal(instrument.price_text(ticks)):,}"
