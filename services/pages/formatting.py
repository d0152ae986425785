"""How the first paint shows numbers: as `static/app/format.js` does, from the API's decimal texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.values.decimals import short_yuan

_ZONE = timezone(timedelta(hours=8))  # Asia/Shanghai; no summer time since 1991


def money(yuan: str | None) -> str:
    """Exact yuan: `¥ 1,234,567.00`."""
    return "–" if yuan is None else f"{'−' if yuan.startswith('-') else ''}¥ {abs(Decimal(yuan)):,}"


def number(decimal: str | int | None) -> str:
    """A number with separators: `1,234,567.000`."""
    return "–" if decimal is None else f"{Decimal(decimal):,f}"


def short(yuan: str | None, language: str) -> str:
    """Short yuan with three digits or more: `¥ 6.40 bn`, `¥ 64.0 亿`."""
    return "–" if yuan is None else short_yuan(int(Decimal(yuan).scaleb(2)), language)


def percent(share: str | None, language: str, places: int = 1) -> str:
    """`0.2783` as `27.8 %`, in Chinese as `27.8%`."""
    if share is None:
        return "–"
    space = "" if language == "zh" else " "
    return f"{_rounded(Decimal(share) * 100, places):,}{space}%".replace("-", "−")


def stamp(time: str | None) -> str:
    """A time of the API, which is in UTC, as that of Asia/Shanghai: `2026-11-27 14:03:07 UTC+8`."""
    return "–" if time is None else f"{datetime.fromisoformat(time).astimezone(_ZONE):%Y-%m-%d %H:%M:%S} UTC+8"


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def largest(lines: Sequence[Mapping[str, Any]], name: str, count: int) -> list[Mapping[str, Any]]:
    """The `count` lines with the largest amounts `name`, the largest first."""
    return sorted(lines, key=lambda line: Decimal(line[name]), reverse=True)[:count]


FILTERS: Mapping[str, Callable[..., Any]] = {
    "money": money,
    "number": number,
    "short": short,
    "percent": percent,
    "largest": largest,
    "stamp": stamp,
}
