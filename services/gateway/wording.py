"""Messages about invalid fields, for people, in place of the validators' own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    "order_id": "must be an order id in quotes: digits only, not 0 first",
}
"""The message for a field whose text must have a certain form."""

_STRING_ERRORS = frozenset({"string_type", "string_pattern_mismatch", "string_too_short", "string_too_long"})
_OBJECT_ERRORS = frozenset({"model_type", "model_attributes_type", "dict_type"})
_INTEGER_ERRORS = frozenset({"int_type", "int_from_float", "int_parsing", "int_parsing_size"})


def worded(error: Mapping[str, Any]) -> str:
    """The message for one of pydantic's errors; pydantic's own where none is written here."""
    kind, context = error["type"], error.get("ctx", {})
    field = str(error["loc"][-1]) if error["loc"] else ""
    if kind in _STRING_ERRORS and field in FORMS:
        return FORMS[field]
    if kind in _OBJECT_ERRORS:
        return "must be an object, as {…}"
    if kind in _INTEGER_ERRORS:
        return "must be a whole number, without quotes" if kind == "int_type" else "must be a whole number"
    match kind:
        case "bool_type":
            return "must be true or false"
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "there is no such field here"
        case "string_type":
            return "must be a string in quotes"
        case "string_too_short":
            return f"must have {context['min_length']} or more characters"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters"
        case "literal_error":
            return f"must be {context['expected']}"
        case "list_type":
            return "must be an array, as […]"
        case "too_short":
            return f"must have {context['min_length']} or more items"
        case "too_long":
            return f"must have at most {context['max_length']} items"
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case _:
            return str(error["msg"])
