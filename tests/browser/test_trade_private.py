"""The trade page of a venue whose market is not public."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import SYMBOL, rex


def test_a_venue_whose_market_is_not_public_says_what_it_needs(page: Page, tmp_path: Path) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    closed = {"REX_PUBLIC_MARKET_DATA": "false"}
    with rex(tmp_path, "serve", "--new", "--schedule", "always", "--json", variables=closed) as venue:
        page.goto(f"{venue.url}/ui/trade/{SYMBOL}?lang=en")
        expect(page.get_by_test_id("read-only")).to_contain_text("only to those who are logged in")
        expect(page.get_by_test_id("phase-said")).to_contain_text("only to those who are logged in")
        expect(page.get_by_test_id("phase")).to_have_text("–")
        expect(page.get_by_test_id("log-in-here")).to_be_visible()
        page.set_extra_http_headers(venue._headers("operator"))
        page.reload()
        expect(page.locator("#quote-terms")).to_contain_text("1 lot = ")
        page.goto("about:blank")
    assert errors == []
