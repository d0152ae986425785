"""The overview lives."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import VenueProcess, Watched
from tests.browser.overviewing import open_overview

SHIFTS = """window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.sources.every(({node}) => node?.parentElement?.closest("main"))) window.shifted += entry.value;
  }
}).observe({type: "layout-shift", buffered: true});"""


def test_trades_hold_still_under_the_pointer(watched: Watched, demo: VenueProcess) -> None:
    page = open_overview(watched.page, demo)
    row = page.locator("#tape tr").first
    expect(row).to_be_visible()
    page.get_by_test_id("tape").scroll_into_view_if_needed()
    row.hover()
    expect(page.locator("#tape")).to_have_attribute("data-held", "")
    held = page.locator("#tape tr").first.get_attribute("data-trade")
    net = page.get_by_test_id("net").inner_text()
    expect(page.get_by_test_id("net")).not_to_have_text(net)  # others have traded meanwhile
    expect(page.locator("#tape tr").first).to_have_attribute("data-trade", str(held))
    page.mouse.move(5, 5)
    expect(page.locator("#tape tr").first).not_to_have_attribute("data-trade", str(held))


def test_live_data_move_nothing(watched: Watched, demo: VenueProcess) -> None:
    """Figure, journal seq and trades change without any act; while the figure changes ten times, nothing else of the page
    moves."""
    watched.page.add_init_script(SHIFTS)
    page = open_overview(watched.page, demo)
    others = {part: page.locator(part).inner_text() for part in ("[data-key=as-of]", "#tape")}
    for _ in range(10):
        net = page.get_by_test_id("net").inner_text()
        expect(page.get_by_test_id("net")).not_to_have_text(net)
    for part, shown in others.items():
        expect(page.locator(part)).not_to_have_text(shown, use_inner_text=True)
    assert page.evaluate("() => window.shifted") < 0.02
