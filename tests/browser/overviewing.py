"""The overview as tests open it, of a venue in which no number changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import VenueProcess
from tests.patience import PATIENCE_S


@pytest.fixture(scope="module")
def halted(demo: VenueProcess) -> Iterator[VenueProcess]:
    """The demo venue with every instrument halted after its first trades, so that no number changes."""
    deadline = time.monotonic() + PATIENCE_S
    while sum(ticker["trades"] for ticker in demo.get("/v1/market/tickers")) < 3:
        assert time.monotonic() < deadline, "the simulated traders do not trade"
    demo.post("/v1/admin/halt")
    yield demo
    demo.post("/v1/admin/resume")


def present(venue: VenueProcess) -> Any:
    """The report of the present year, of the last command, once the venue makes reports."""
    venue.wait_for_reports()
    state = venue.get("/v1/venue")
    return venue.get(f"/v1/reports/turnover/{state['trading_date'][:4]}", at_least_seq=state["seq"])


def open_overview(page: Page, venue: VenueProcess, query: str = "") -> Page:
    if page.url.startswith(venue.url):
        page.wait_for_load_state("networkidle")  # a page that is left breaks off what it reads
    page.goto(f"{venue.url}/ui/{query}")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    return page


def enter_operator(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.get_by_test_id("enter-operator").click()
    expect(page.get_by_test_id("who-name")).to_be_visible()


def middle_of(pane: Locator, share: float) -> tuple[float, float]:
    """A place in a chart's plot."""
    expect(pane).to_be_visible()
    box = pane.bounding_box()
    assert box is not None
    return box["x"] + share * box["width"], box["y"] + 0.7 * box["height"]
