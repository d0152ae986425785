"""Words for people: what a refused field is told in place of a validator's own sentence, and what each reason means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matching_engine.records import Reason

_DECIMAL = 'must be a decimal number in quotes, such as "236.00"'
_RATE = 'must be a fraction of one in quotes, such as "0.0005"'

FORMS: dict[str, str] = {
    "price": _DECIMAL,
    "amount": _DECIMAL,
    "stop_price": _DECIMAL,
    "max_order_value": _DECIMAL,
    "max_day_turnover": _DECIMAL,
    "rate": _RATE,
    "maker_rate": _RATE,
    "taker_rate": _RATE,
    "expire_time": 'must be a time with a zone and whole seconds, such as "2023-12-01T15:00:00+08:00"',
    "client_order_id": "must be 1 to 36 visible ASCII characters in quotes",
    "order_id": "must be the digits of an order's id in quotes",
}
"""Fields whose text has a form, and that form."""

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

_OF_THE_TEXT = frozenset({"string_type", "string_pattern_mismatch", "string_too_short", "string_too_long"})
_OF_THE_OBJECT = frozenset({"model_type", "model_attributes_type", "dict_type"})
_OF_THE_INTEGER = frozenset({"int_type", "int_from_float", "int_parsing", "int_parsing_size"})


def worded(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors, for people; a kind that has no sentence here keeps pydantic's."""
    kind, context = error["type"], error.get("ctx", {})
    field = str(error["loc"][-1]) if error["loc"] else ""
    if kind in _OF_THE_TEXT and field in FORMS:
        return FORMS[field]
    if kind in _OF_THE_OBJECT:
        return "must be an object, as {…}"
    if kind in _OF_THE_INTEGER:
        return "must be a whole number, without quotes" if kind == "int_type" else "must be a whole number"
    match kind:
        case "bool_type":
            return "must be true or false"
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "there is no such field here"
        case "string_type":
            return "must be a text in quotes"
        case "string_too_short":
            return f"must have {context['min_length']} or more characters"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters"
        case "literal_error":
            return f"must be {context['expected']}"
        case "list_type":
            return "must be a list, as […]"
        case "too_short":
            return f"must hold {context['min_length']} or more"
        case "too_long":
            return f"must hold at most {context['max_length']}"
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case _:
            return str(error["msg"])
