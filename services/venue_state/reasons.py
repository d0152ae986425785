"""What a reason says to people: its sentence, followed by the account's or the instrument's own numbers."""

from __future__ import annotations

from matching_engine.records import Reason, Side
from services.decimals import percent_text, yuan_text
from services.venue_state.accounts import VenueAccount
from services.venue_state.instruments import VenueInstrument

REASONS: dict[int, str] = {
    Reason.UNKNOWN_COMMAND: "The engine does not know this kind of command.",
    Reason.UNKNOWN_ACCOUNT: "There is no such account.",
    Reason.CLIENT_ORDER_ID_REUSED: "The client_order_id was used for another order.",
    Reason.UNKNOWN_ORDER: "There is no such open order.",
    Reason.UNKNOWN_TRADE: "No trade of this trading day has this id, or it was busted before.",
    Reason.UNKNOWN_INSTRUMENT: "There is no such instrument.",
    Reason.INVALID_SIDE: "The side is neither buy nor sell.",
    Reason.INVALID_ORDER_TYPE: "There is no such order type.",
    Reason.INVALID_TIME_IN_FORCE: "Orders of this type cannot have this time in force.",
    Reason.INVALID_SELF_TRADE: "There is no such mode of self-trade prevention.",
    Reason.INVALID_OPTION: "This order cannot have that option.",
    Reason.INVALID_EXPIRY: "The time it expires at has passed already, or it cannot have one.",
    Reason.INVALID_QUANTITY: "The quantity must be positive and not more than one order may hold.",
    Reason.INVALID_DISPLAY: "An iceberg is a limit order that may rest; it shows from a hundredth of its quantity to all.",
    Reason.INVALID_PRICE: "The price is out of range, or this order has none.",
    Reason.INVALID_TRIGGER: "The stop price is out of range, or this order has none.",
    Reason.INVALID_AMOUNT: "The amount must be positive and within what the venue can count.",
    Reason.INVALID_RATE: "The rate must be below 100 %.",
    Reason.INVALID_PHASE: "The schedule cannot set this phase.",
    Reason.INVALID_DATE: "The trading date must be a later one.",
    Reason.TOO_MANY: "The venue holds as many of these as it may.",
    Reason.VENUE_KILL_SWITCH: "The venue's kill switch is on: only cancels are taken.",
    Reason.ACCOUNT_KILL_SWITCH: "The account's kill switch is on: only cancels are taken.",
    Reason.MARKET_CLOSED: "The market is closed for new orders and amends.",
    Reason.INSTRUMENT_HALTED: "An operator has halted the instrument: only cancels are taken.",
    Reason.NOT_IN_AUCTION: "A call auction takes limit orders that may rest, and no post-only ones.",
    Reason.PRICE_ABOVE_BAND: "A price is above the day's upper limit.",
    Reason.PRICE_BELOW_BAND: "A price is below the day's lower limit.",
    Reason.PRICE_OUTSIDE_COLLAR: "The price is too far beyond the last one, or a stop-limit's beyond its stop price.",
    Reason.ORDER_QUANTITY_LIMIT: "The order has more lots than the account's orders may have.",
    Reason.OPEN_ORDERS_LIMIT: "The account has as many open orders as it may have.",
    Reason.VALUE_TOO_LARGE: "Price times quantity is beyond what the venue can count.",
    Reason.ORDER_VALUE_LIMIT: "The order is worth more than the account's orders may be.",
    Reason.TURNOVER_LIMIT: "With this order the account could trade more than it may on a day.",
    Reason.INSUFFICIENT_FUNDS: "The account has too little cash available.",
    Reason.INSUFFICIENT_INVENTORY: "The account has too few lots available.",
    Reason.DUPLICATE_ORDER_ID: "The order id is in use.",
    Reason.POST_ONLY_WOULD_TRADE: "The order is post-only and would have traded at once.",
    Reason.REQUESTED: "Canceled on request.",
    Reason.IMMEDIATE_OR_CANCEL: "What could not trade at once was canceled.",
    Reason.NO_LIQUIDITY: "Nothing was left to trade with within the protection price.",
    Reason.SELF_TRADE: "It would have traded with an order of the same owner.",
    Reason.END_OF_DAY: "Its trading day ended.",
    Reason.OUTSIDE_BAND: "It lay outside the new day's limits.",
    Reason.FILL_OR_KILL: "It could not be filled whole at once.",
    Reason.VOLATILITY: "The next trade would have left the volatility band and began an auction, where this order cannot rest.",
    Reason.BELOW_FILLED: "It was amended to a total that was filled already.",
    Reason.MASS_CANCEL: "It was ended by a mass cancel.",
    Reason.EXPIRY_TIME: "The time it expires at was reached.",
}
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
            return f"Available: {yuan_text(account.cash_fen - account.reserved_fen)} yuan."
        case Reason.INSUFFICIENT_INVENTORY if instrument is not None:
            held = account.holdings.get(instrument.number)
            return f"Available: {held.lots - held.reserved_lots if held else 0} lots of {instrument.symbol}."
        case Reason.ORDER_QUANTITY_LIMIT:
            return f"At most: {account.max_order_lots} lots."
        case Reason.ORDER_VALUE_LIMIT:
            return f"At most: {yuan_text(account.max_order_fen)} yuan."
        case Reason.OPEN_ORDERS_LIMIT:
            return f"At most: {account.max_open_orders}."
        case Reason.TURNOVER_LIMIT:
            return f"At most: {yuan_text(account.max_day_fen)} yuan; so far: {yuan_text(account.day_fen)}."
        case _:
            return None


def _of_the_instrument(reason: int, side: int, instrument: VenueInstrument) -> str | None:
    match reason:
        case Reason.PRICE_ABOVE_BAND:
            return f"Limit: {instrument.price_text(instrument.high_ticks)}."
        case Reason.PRICE_BELOW_BAND:
            return f"Limit: {instrument.price_text(instrument.low_ticks)}."
        case Reason.PRICE_OUTSIDE_COLLAR:
            way = "above" if side == Side.BUY else "below"
            return f"At most {percent_text(instrument.collar_ppm)} {way} it."
        case _:
            return None
