"""Exact decimals: converts between integers and decimal strings, without float."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache


@lru_cache(maxsize=8192)  # The prices of orders repeat.
def scaled(text: str, decimals: int) -> int | None:
    """A decimal string times 10**decimals; None if that is not an integer. `text` must match `schemas.DecimalText`."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > decimals:
        return None
    return int(whole + fraction.ljust(decimals, "0"))


def fixed_text(value: int, decimals: int) -> str:
    """value / 10**decimals as a decimal string with that many decimals.

    Not cached: a turnover or a balance is not the same twice. Prices are (`VenueInstrument.price_text`).
    """
    if not decimals:
        return str(value)
    sign = "-" if value < 0 else ""
    digits = str(abs(value)).zfill(decimals + 1)
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def counted(count: int, one: str, many: str = "") -> str:
    """A count before its noun: `1 trade`, `1,234 trades`. `many` is for nouns that do not end in s."""
    return f"1 {one}" if count == 1 else f"{count:,} {many or f'{one}s'}"


def half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number to numerator / denominator, a half away from zero. The denominator is above zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def decimal_text(numerator: int, denominator: int, decimals: int) -> str:
    """numerator / denominator as a decimal string with so many decimals, rounded half up. The denominator is above zero."""
    return fixed_text(half_up(numerator * 10**decimals, denominator), decimals)


def fraction_text(fraction: Fraction, decimals: int) -> str:
    """A fraction as a decimal string with so many decimals, rounded half up."""
    return decimal_text(fraction.numerator, fraction.denominator, decimals)


def yuan_text(amount_fen: int) -> str:
    """An amount in fen as yuan with two decimals."""
    return fixed_text(amount_fen, 2)


def rate_text(rate_ppm: int) -> str:
    """A rate in millionths as a decimal fraction."""
    return fixed_text(rate_ppm, 6)


def percent_text(rate_ppm: int) -> str:
    """A rate in millionths as percent: `2.5 %`."""
    return f"{fixed_text(rate_ppm, 4).rstrip('0').rstrip('.')} %"
