"""The trade page in one column: the ticket comes first, Tab goes where the eye goes, and nothing shifts or is too small."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from load_tests.benchmarks.page_bars import open_cold
from tests.browser.conftest import SYMBOL, VenueProcess, new_context
from tests.browser.trading import eventually, fill_in, limits, trade

pytestmark = pytest.mark.usefixtures("calm")

PHONE: ViewportSize = {"width": 390, "height": 844}
TABLET: ViewportSize = {"width": 900, "height": 900}
SHIFT = 0.02
PANELS = """() => [...document.querySelectorAll("#trade > .panel")].map((panel) => {
    const { left, top } = panel.getBoundingClientRect();
    return [panel.classList[1], Math.round(top), Math.round(left)];
})"""
SMALL = """() => [...document.querySelectorAll("main :is(button, a, select, summary, input:not([type=checkbox]))")]
    .filter((node) => node.checkVisibility({ visibilityProperty: true }))
    .filter((node) => Math.min(...["width", "height"].map((side) => node.getBoundingClientRect()[side])) < 24)
    .map((node) => node.outerHTML.slice(0, 90))"""


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    context = new_context(chromium, viewport=PHONE, has_touch=True)
    yield context.new_page()
    context.close()


def panels(page: Page) -> list[tuple[str, int, int]]:
    """The panels as the Tab key finds them, each with its top and its left edge."""
    return [tuple(one) for one in page.evaluate(PANELS)]


def names(page: Page) -> list[str]:
    return [name for name, _, _ in panels(page)]


def are_as_seen(found: list[tuple[str, int, int]]) -> bool:
    """Whether the panels follow each other by lines."""
    return found == sorted(found, key=lambda panel: (panel[1], panel[2]))


def in_main(page: Page) -> dict[str, Any] | None:
    """What has the focus, where it is in the page's own part and scrolls with it."""
    found: dict[str, Any] | None = page.evaluate(
        """() => {
            const node = document.activeElement, panel = node.closest("#trade > .panel");
            if (!panel) return null;
            return { panel: panel.classList[1], top: node.getBoundingClientRect().top + scrollY, name: node.id };
        }"""
    )
    return found


def test_the_ticket_is_reached_before_the_ladder_by_eye_and_by_tab(phone: Page, demo: VenueProcess) -> None:
    trade(phone, demo)
    seen = panels(phone)
    assert [name for name, _, _ in seen] == ["quote", "order", "ladder", "charts", "own", "tape", "list"]
    assert seen == sorted(seen, key=lambda panel: panel[1])
    send = phone.get_by_test_id("ticket-send")
    box = send.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= PHONE["height"], "not seen without scrolling"
    fill_in(phone, "buy", price=limits(demo)["lower_limit"], quantity="123")
    expect(phone.get_by_test_id("verdict")).to_have_text("Would be accepted")
    assert send.bounding_box() == box, "it moves under the finger"
    phone.locator("#toggle-list").focus()
    reached: list[dict[str, Any]] = []
    while (found := in_main(phone)) is not None and found["panel"] != "list":
        reached.append(found)
        phone.keyboard.press("Tab")
    passed = [panel["panel"] for panel in reached]
    assert list(dict.fromkeys(passed)) == [name for name, _, _ in seen[:-1]]
    assert "ticket-send" in [found["name"] for found in reached]
    inside = [found["top"] for found in reached if found["panel"] == "order"]
    assert all(after >= before - 24 for before, after in pairwise(inside))


@pytest.mark.parametrize("role", ["trader", ""])
def test_the_ticket_comes_without_a_shift(chromium: Browser, demo: VenueProcess, role: str) -> None:
    context = new_context(chromium, viewport=PHONE)
    if role:
        assert context.request.post(f"{demo.url}/ui/demo/{role}", headers={"origin": demo.url}).ok
    opened = open_cold(context, f"{demo.url}/ui/trade/{SYMBOL}?lang=en")
    expect(opened.page.get_by_test_id("ticket" if role == "trader" else "read-only")).to_be_visible()
    expect(opened.page.get_by_test_id("ladder")).to_be_visible()
    expect(opened.page.locator("#trade > .list")).to_be_visible()
    assert opened.shift() <= SHIFT, opened.shifts()
    context.close()


def test_nothing_is_cut_or_too_small_for_a_finger(phone: Page, demo: VenueProcess) -> None:
    trade(phone, demo, query="?lang=zh")
    for kind in ("stop_limit", "limit"):
        phone.get_by_test_id(f"ticket-type-{kind}").click()
        assert phone.evaluate(SMALL) == []
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.get_by_test_id("ticket-options").click()
    assert phone.evaluate(SMALL) == []


def test_what_is_typed_and_the_focus_stay_when_the_window_changes(phone: Page, demo: VenueProcess) -> None:
    trade(phone, demo)
    price = phone.get_by_test_id("ticket-price")
    price.fill("12.30")
    # A window that changes is arranged anew with its next frame.
    phone.set_viewport_size(TABLET)
    eventually(lambda: names(phone) == ["quote", "charts", "order", "ladder", "tape", "list", "own"])
    expect(price).to_be_focused()
    expect(price).to_have_value("12.30")
    assert are_as_seen(panels(phone))
    phone.set_viewport_size({"width": 1400, "height": 900})
    eventually(lambda: names(phone)[4] == "order")
    assert are_as_seen(panels(phone))
    phone.set_viewport_size(PHONE)
    eventually(lambda: names(phone)[1] == "order")
    expect(price).to_be_focused()
