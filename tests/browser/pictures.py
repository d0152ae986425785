"""Takes the pictures of docs/pages.md from a running demo with its simulated history: `make pictures`."""

from __future__ import annotations

import re
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import DESK, SIZE, VenueProcess, launch, new_context, rex

SYMBOL = "PRND-OX"

SHOWN = {
    "figure": ("/ui/figure", "operator"),
    "control": ("/ui/control", "operator"),
    "health": ("/ui/health", "operator"),
    "surveillance": ("/ui/surveillance", "operator"),
    "trade": (f"/ui/trade/{SYMBOL}", "trader"),
    "overview": ("/ui/", None),
}
"""By the picture's name: the page, and as whom it is seen. Those that show the day come last: it has become longer by then."""
OWN = (("buy", -2, 4), ("buy", -6, 10), ("sell", 8, 5), ("buy", 4, 2))
"""Orders of the demo's trader on the picture: side, ticks from the last settlement price, lots. The last one trades."""
WARM_MS = 75_000
"""How long the venue runs before the first one: its first proof and its alerts come within a minute."""
LIVE_MS = 20_000
"""How long a page runs before its picture: charts and lists then hold what a visitor sees after a while."""


def place_own(venue: VenueProcess) -> None:
    """Places the trader's orders."""
    listed = next(one for one in venue.get("/v1/instruments") if one["symbol"] == SYMBOL)
    price, tick = (Decimal(listed[name]) for name in ("reference_price", "tick_size"))
    for side, ticks, lots in OWN:
        venue.place(DESK, symbol=SYMBOL, side=side, price=str(price + ticks * tick), quantity=lots)


def take(page: Page, venue: VenueProcess, folder: Path) -> None:
    """Takes every picture."""
    seen_as: str | None = None
    page.wait_for_timeout(WARM_MS)
    for name, (path, role) in SHOWN.items():
        if name == "trade":
            place_own(venue)
        page.goto(venue.url + path)
        if role != seen_as:
            with page.expect_navigation():
                page.get_by_test_id(f"enter-{role}").click()
            seen_as = role
            page.goto(venue.url + path)
        expect(page.locator("html")).to_have_attribute("data-line", "live")
        page.wait_for_timeout(LIVE_MS)
        page.screenshot(path=folder / f"{name}.png")
        if role is not None:
            page.get_by_test_id("log-out").click()
            expect(page).to_have_url(re.compile("/log-in"))
            seen_as = None
        sys.stderr.write(f"{folder / name}.png\n")


def main(folder: Path) -> None:
    """Starts a demo, takes the pictures, and stops it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        rex(Path(data), "demo", "--pace", "250") as venue,
        sync_playwright() as player,
    ):
        browser = launch(player.chromium)
        context = new_context(browser, viewport=SIZE, color_scheme="dark", locale="en-GB")
        take(context.new_page(), venue, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
