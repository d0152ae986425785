"""The addresses of the drill: paths of this host with their query, as `/v1/reports/trades?date=2026-03-02`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

REPORTS = "/v1/reports"

Links = dict[str, str]


def report(year: int) -> str:
    """The year's report."""
    return f"{REPORTS}/turnover/{year}"


def days(year: int) -> str:
    """The year's days."""
    return f"{report(year)}/days"


def certificate(year: int) -> str:
    """The certificate of the year's turnover."""
    return f"{report(year)}/certificate"


def bulletin(date: str) -> str:
    """The bulletin of a trading day yyyy-mm-dd."""
    return f"{REPORTS}/bulletins/{date}"


def trades(**query: Any) -> str:
    """The trades of these query parameters; those that are None are left out."""
    return _with(f"{REPORTS}/trades", query)


def trade(trade_id: int) -> str:
    """One trade."""
    return f"{REPORTS}/trades/{trade_id}"


def order(order_id: int) -> str:
    """An order with its trades."""
    return f"{REPORTS}/orders/{order_id}"


def journal(seq: int, **query: Any) -> str:
    """The journal row that holds the command seq."""
    return _with(f"{REPORTS}/journal/{seq}", query)


def _with(path: str, query: Mapping[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path
