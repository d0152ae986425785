"""What a page may take: bytes of a cold start, and how much moves while it loads and lives. `make bench` measures times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect

from load_tests.benchmarks.page_bars import Opened, open_cold
from tests.browser.conftest import SIZE, VenueProcess, new_context

KB = 1_000
BARS = {
    "/ui/": 150 * KB,
    "/ui/trade/PRND-OX": 200 * KB,
    "/ui/figure": 200 * KB,
    "/ui/surveillance": 200 * KB,
    "/ui/control": 200 * KB,
    "/ui/health": 200 * KB,
    "/log-in": 50 * KB,
}
START_MS, LIVE_MS = 4_000, 10_000
SHIFT = 0.02


@pytest.mark.parametrize("path", BARS)
def test_a_page_is_small_and_holds_still_while_it_loads(chromium: Browser, demo: VenueProcess, path: str) -> None:
    with visit(chromium, demo, path) as opened:
        opened.page.wait_for_load_state("networkidle")
        is_small(opened, path)
        assert opened.shift() <= SHIFT, opened.shifts()


@pytest.mark.long
@pytest.mark.parametrize("path", BARS)
def test_a_page_is_small_after_some_seconds(chromium: Browser, demo: VenueProcess, path: str) -> None:
    with visit(chromium, demo, path) as opened:
        opened.page.wait_for_timeout(START_MS)
        is_small(opened, path)


@pytest.mark.long
@pytest.mark.parametrize("path", [path for path in BARS if path != "/log-in"])
def test_a_page_holds_still_while_it_loads_and_while_it_lives(chromium: Browser, demo: VenueProcess, path: str) -> None:
    with visit(chromium, demo, path, role="operator") as opened:
        opened.page.wait_for_timeout(START_MS)
        assert opened.shift() <= SHIFT, opened.shifts()
        opened.page.wait_for_timeout(LIVE_MS)
        expect(opened.page.locator("html")).to_have_attribute("data-line", "live")
        assert opened.shift() <= SHIFT, opened.shifts()


def is_small(opened: Opened, path: str) -> None:
    largest = sorted(opened.bytes_by_address.items(), key=lambda item: -item[1])[:5]
    assert opened.transferred_bytes <= BARS[path], largest


@contextmanager
def visit(chromium: Browser, demo: VenueProcess, path: str, role: str = "") -> Iterator[Opened]:
    """A page that was opened with an empty cache, once its line is alive."""
    context = new_context(chromium, viewport=SIZE)
    if role:
        assert context.request.post(f"{demo.url}/ui/demo/{role}", headers={"origin": demo.url}).ok
    yield open_cold(context, demo.url + path)
    context.close()
