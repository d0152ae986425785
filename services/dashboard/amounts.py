"""Formats numbers and times for a page. Exact: decimal strings in, decimal strings out, without float."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
NONE = "–"
"""Shown in place of a missing number."""


def grouped(number: str | int | None) -> str:
    """`1234567.80` as `1,234,567.80`; a dash for None."""
    if number is None:
        return NONE
    value = Decimal(number)
    return f"{value:,f}" if value >= 0 else f"−{-value:,f}"


def signed(number: str | int | None) -> str:
    """Like `grouped`, with a plus sign before positive numbers."""
    text = grouped(number)
    return f"+{text}" if number is not None and Decimal(number) > 0 else text


def average(price: str) -> str:
    """An average price, as `205.520000`, without trailing zeros after the second decimal."""
    whole, _, decimals = price.partition(".")
    return grouped(f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}")


def change(last: str | None, reference: str) -> Decimal | None:
    """The change of a price from the reference price, in percent with two decimals."""
    if last is None:
        return None
    return ((Decimal(last) / Decimal(reference) - 1) * 100).quantize(Decimal("0.01"))


def percent(share: str | Decimal | None, decimals: int = 2) -> str:
    """A share (`0.0537`) as percent (`5.37 %`)."""
    if share is None:
        return NONE
    return f"{(Decimal(share) * 100).quantize(Decimal(1).scaleb(-decimals)):,f} %"


def direction(value: Decimal | int | None) -> str:
    """The CSS colour class of a change: up, down or none."""
    if not value:
        return ""
    return "up" if value > 0 else "down"


def clock(time: str) -> str:
    """The time of day in Shanghai of an RFC 3339 time, to the second."""
    return datetime.fromisoformat(time).astimezone(SHANGHAI).strftime("%H:%M:%S")


def day_and_clock(time: str) -> str:
    """The date and the time of day in Shanghai of an RFC 3339 time, to the second."""
    return datetime.fromisoformat(time).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def age_seconds(time: str, now_ns: int) -> int:
    """Whole seconds from an RFC 3339 time to now_ns; never below zero."""
    then = datetime.fromisoformat(time)
    return max(0, int((datetime.fromtimestamp(now_ns / 1e9, UTC) - then).total_seconds()))
