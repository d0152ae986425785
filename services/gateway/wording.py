"""Messages about invalid fields, for people, in place of the validators' own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DECIMALS = {
    **dict.fromkeys(
        ("price", "amount", "stop_price", "max_order_value", "max_day_turnover"), ("a decimal number", "236.00")
    ),
    **dict.fromkeys(("rate", "maker_rate", "taker_rate"), ("a fraction of one", "0.0005")),
}
"""What a field with an exact decimal must be, and an example."""

_DECIMAL = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_DIGITS, _PLACES = 16, 8
"""Bounds of a decimal before and after its point, as `schemas.DecimalText` has them."""

_FORMS: dict[str, str] = {
    "expire_time": 'must be a time with a zone and whole seconds, such as "2023-12-01T15:00:00+08:00"',
    "client_order_id": "must be 1 to 36 visible ASCII characters in quotes",
    "order_id": "must be an order id in quotes: digits only, not 0 first",
    "period": "must be a trading day, as 2026-03-02, or a month, as 2026-03",
}
"""The message for another field whose text must have a certain form."""

_STRING_ERRORS = frozenset({"string_type", "string_pattern_mismatch", "string_too_short", "string_too_long"})
_OBJECT_ERRORS = frozenset({"model_type", "model_attributes_type", "dict_type"})
_INTEGER_ERRORS = frozenset({"int_type", "int_from_float", "int_parsing", "int_parsing_size"})


def form_of(field: str, value: object) -> str | None:
    """The message for a field whose text must have a certain form, and has this value; None: there is no such form.

    A number must be in quotes, so that no JSON parser rounds it. To who sent a string the message does not say so.
    """
    if field not in _DECIMALS:
        return _FORMS.get(field)
    form, example = _DECIMALS[field]
    if not isinstance(value, str):
        return f'must be {form} in quotes, such as "{example}"'
    decimal = _DECIMAL.fullmatch(value)
    if decimal is None:
        return f"must be {form}, such as {example}"
    if len(decimal[1]) > _DIGITS:
        return f"is too large: at most {_DIGITS} digits before the point"
    return f"is too exact: at most {_PLACES} digits after the point"


def worded(error: Mapping[str, Any]) -> str:
    """The message for one of pydantic's errors; pydantic's own where none is written here."""
    kind, context = error["type"], error.get("ctx", {})
    field = str(error["loc"][-1]) if error["loc"] else ""
    if kind in _STRING_ERRORS and (form := form_of(field, error.get("input"))) is not None:
        return form
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
        case "date_parsing" | "date_from_datetime_parsing" | "date_from_datetime_inexact":
            return "must be a day of the calendar, as 2023-12-01"
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
        case "less_than":
            return f"must be below {context['lt']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case _:
            return str(error["msg"])
