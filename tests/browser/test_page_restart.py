"""A venue that is started again: its sessions are gone, its market is not."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from load_tests.servers.server_process import free_port
from tests.browser.conftest import PATIENCE_MS, VenueProcess, rex

TRADE = "/ui/trade/PRND-OX"


def open_trade(chromium: Browser, venue: VenueProcess, role: str | None) -> Page:
    page = chromium.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    if role is not None:
        assert page.request.post(f"{venue.url}/ui/demo/{role}", data={}, headers={"origin": venue.url}).ok
    page.goto(venue.url + TRADE)
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    return page


def test_a_restart_ends_sessions_and_the_market_comes_back(chromium: Browser, tmp_path: Path) -> None:
    port = str(free_port())
    with rex(tmp_path, "demo", "--no-history", port=port) as venue:
        visitor, trader = open_trade(chromium, venue, None), open_trade(chromium, venue, "trader")
        trader.get_by_test_id("ticket-quantity").fill("9")
    for page in (visitor, trader):
        expect(page.locator("html")).to_have_attribute("data-line", "dead")
    with rex(tmp_path, "demo", "--no-history", port=port) as again:
        expect(visitor.locator("html")).to_have_attribute("data-line", "live")
        expect(trader.get_by_test_id("line")).to_contain_text("Your session has ended")
        expect(trader.locator("html")).to_have_attribute("data-line", "dead")
        assert trader.get_by_test_id("ticket").evaluate("node => node.inert")
        assert trader.get_by_test_id("ticket-quantity").input_value() == "9"
        trader.goto(again.url + TRADE)  # with the cookie of the session that is gone
        expect(trader.locator("html")).to_have_attribute("data-line", "live")
        expect(trader.locator("html")).to_have_attribute("data-role", "nobody")
        expect(trader.get_by_test_id("enter-trader")).to_be_visible()
        assert trader.context.cookies() == []
        for page in (visitor, trader):
            page.context.close()
