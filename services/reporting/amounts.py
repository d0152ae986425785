"""Exact numbers as text: whole fen in, decimal strings in yuan out; ratios by whole-number division, never a float."""

from __future__ import annotations


def half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number to numerator / denominator, a half away from zero. The denominator is above zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def decimal_text(numerator: int, denominator: int, places: int) -> str:
    """numerator / denominator with so many decimals, rounded half up."""
    scaled = half_up(numerator * 10**places, denominator)
    whole, rest = divmod(abs(scaled), 10**places)
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole}.{rest:0{places}d}" if places else f"{sign}{whole}"


def yuan(amount_fen: int) -> str:
    """Fen as yuan with two decimals: exact."""
    return decimal_text(amount_fen, 100, 2)


def date_text(date: int) -> str:
    """The integer 20231201 as `2023-12-01`; 0, before the first trading day, as an empty string."""
    return f"{date // 10_000:04d}-{date // 100 % 100:02d}-{date % 100:02d}" if date else ""
