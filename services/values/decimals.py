"""Exact decimals: converts between integers and decimal strings, without float."""

from __future__ import annotations

from collections.abc import Mapping
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


_SHORT: Mapping[str, tuple[tuple[int, str], ...]] = {
    "en": ((10**11, " bn"), (10**8, " m"), (10**5, " k"), (100, "")),
    "zh": ((10**10, " 亿"), (10**6, " 万"), (100, "")),
}
"""The units of short amounts, in fen."""


def short_yuan(amount_fen: int, language: str = "en") -> str:
    """An amount for the eye, with three digits or more: `¥ 6.40 bn`, `¥ 95.0 m`; in Chinese `¥ 64.0 亿`."""
    size_fen, sign = abs(amount_fen), "−" if amount_fen < 0 else ""
    unit_fen, name = next((unit for unit in _SHORT[language] if size_fen >= unit[0]), (100, ""))
    decimals = 0 if not name or size_fen >= 100 * unit_fen else 1 if size_fen >= 10 * unit_fen else 2
    whole, point, fraction = decimal_text(size_fen, unit_fen, decimals).partition(".")
    return f"{sign}¥ {int(whole):,}{point}{fraction}{name}"


def rate_text(rate_ppm: int) -> str:
    """A rate in millionths as a decimal fraction."""
    return fixed_text(rate_ppm, 6)


def percent_text(rate_ppm: int) -> str:
    """A rate in millionths as percent: `2.5 %`."""
    return f"{fixed_text(rate_ppm, 4).rstrip('0').rstrip('.')} %"
