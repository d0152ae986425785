"""Numbers of the breakdown as text, and the fields that every document has."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from services.reporting.breakdown.contracts import Listed, Quantity
from services.reporting.queries import Values
from services.values.decimals import decimal_text, fixed_text, yuan_text
from services.values.times import date_text, time_text

SHARE_DECIMALS = 6


def sealed(year: int, position: Values) -> dict[str, Any]:
    """The fields of `schemas.Sealed`, from a row of the table `position`."""
    return {
        "year": year,
        "seq": position["seq"],
        "row_hash": position["row_hash"].hex(),
        "journal_id": position["journal_id"].hex(),
        "trading_date": date_text(position["trading_date"]),
        "as_of": time_text(position["time_ns"]),
    }


def named(listed: Listed) -> dict[str, Any]:
    """The fields of `ProductName` (exports/schemas.py)."""
    return {name: getattr(listed, name) for name in ("symbol", "name_en", "name_zh")}


def quantity_fields(traded: Quantity) -> dict[str, Any]:
    """The fields of `schemas.Rung`."""
    return {
        "amount": yuan_text(traded.amount_fen),
        "tonnes": tonnes_text(traded.kilograms),
        "trades": traded.trades,
    }


def tonnes_text(kilograms: int) -> str:
    """Kilograms as tonnes with three decimals."""
    return fixed_text(kilograms, 3)


def ratio_text(part: int, whole: int) -> str:
    """part / whole with six decimals, rounded half up; zero where the whole is zero."""
    return decimal_text(part, whole or 1, SHARE_DECIMALS)


def fraction_text(value: Fraction, decimals: int = SHARE_DECIMALS) -> str:
    """A fraction with so many decimals, rounded half up."""
    return decimal_text(value.numerator, value.denominator, decimals)
