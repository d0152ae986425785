"""The figure's page as tests open it, and what the API says of the same."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import VenueProcess
from tests.browser.operating import PASSWORD
from tests.patience import PATIENCE_S


def some_trades(venue: VenueProcess, number: int = 6) -> list[str]:
    """The newest trades, newest first, once as many orders have traded: one order may make several trades, of one seq."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = venue.get("/v1/reports/trades", year=year_of(venue), limit=100)["trades"]
        if len({trade["seq"] for trade in found}) >= number:
            return [trade["trade_id"] for trade in found]
        assert time.monotonic() < deadline, "the simulated traders do not trade"


def year_of(venue: VenueProcess) -> int:
    return int(venue.get("/v1/venue")["trading_date"][:4])


def report_of(venue: VenueProcess, part: str = "", **query: Any) -> Any:
    return venue.get(f"/v1/reports/turnover/{year_of(venue)}{part}", **query)


def log_in(page: Page, venue: VenueProcess, name: str) -> None:
    """Logs in as a user, or enters the demo as its operator or trader."""
    demo = name in ("operator", "trader")
    path, body = (f"/ui/demo/{name}", {}) if demo else ("/v1/session", {"name": name, "password": PASSWORD})
    answer = page.request.post(venue.url + path, data=body, headers={"origin": venue.url})
    assert answer.ok, answer.text()


def open_figure(page: Page, venue: VenueProcess, role: str | None = "operator", query: str = "") -> Page:
    if role is not None:
        log_in(page, venue, role)
    page.goto(f"{venue.url}/ui/figure{query}")
    expect(page.get_by_test_id("cert-seq")).not_to_be_empty()
    return page


def look_at(page: Page, panel: str) -> None:
    """Scrolls to a panel, which is read when it is in view."""
    page.locator(f"#{panel}").evaluate("node => node.scrollIntoView()")


def rung(page: Page, name: str) -> Any:
    return page.locator(f"[data-testid=table-ladder] [data-rung={name}]")
