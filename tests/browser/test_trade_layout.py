"""The trade page's columns and choices: how they are arranged, and that the browser remembers it."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, SYMBOL, VenueProcess, Watched
from tests.browser.trading import eventually, limits, look

pytestmark = pytest.mark.usefixtures("calm")


def test_a_far_order_does_not_squeeze_the_depth_chart_and_what_was_chosen_is_remembered(
    watched: Watched, demo: VenueProcess, no_orders: None
) -> None:
    band = limits(demo)
    demo.place(DESK, symbol=SYMBOL, side="buy", price=band["lower_limit"], quantity=1)
    page, middle = look(watched.page, demo), Decimal(band["reference_price"])
    reach = page.get_by_test_id("depth-reach")

    def lowest() -> Decimal:
        """The lowest price on the axis; lots have no decimals."""
        texts = page.locator("#depth-chart svg text").all_text_contents()
        return min((Decimal(text.replace(",", "")) for text in texts if "." in text), default=Decimal(0))

    expect(reach).to_contain_text("±")
    eventually(lambda: lowest() > middle * Decimal("0.95"))
    while page.get_by_test_id("depth-wider").is_enabled():
        page.get_by_test_id("depth-wider").click()
    expect(reach).to_have_text("all")
    eventually(lambda: 0 < lowest() < middle * Decimal("0.97"))
    page.get_by_test_id("group-10").click()
    page.get_by_test_id("range-15m").click()
    look(page, demo)
    expect(reach).to_have_text("all")
    for chosen in ("group-10", "range-15m"):
        expect(page.get_by_test_id(chosen)).to_have_attribute("aria-pressed", "true")
    page.evaluate("localStorage.clear()")


GRIDS = """async ([base, cases]) => {
  const { gridOf } = await import(`${base}/trade/layout.js`);
  return cases.map(([order, hidden]) => gridOf(order.split(" "), (name) => !hidden.split(" ").includes(name)).areas);
}"""


def expect_grids(page: Page) -> None:
    """The columns make a grid in every order, also of fewer panels."""
    base = page.evaluate("document.querySelector('link[href$=\"tokens.css\"]').href.replace('/tokens.css', '')")
    wanted = {
        ("list charts ladder order", ""): ["list charts ladder order", "own own tape order"],
        ("list charts ladder order", "tape"): ["list charts ladder order", "own own own order"],
        ("list charts ladder order", "list ladder"): ["charts charts order", "own tape order"],
        ("list charts ladder order", "ladder tape"): ["list charts order", "own own order"],
        ("order ladder charts list", ""): ["order ladder charts list", "order tape own own"],
        ("ladder list order charts", ""): ["ladder list order charts", "tape list order own"],
        ("ladder list order charts", "ladder"): ["tape list order charts", "tape list order own"],
    }
    found = page.evaluate(GRIDS, [base, [*wanted]])
    assert [re.findall(r'"([^"]+)"', areas)[1:] for areas in found] == [*wanted.values()]


def lefts(page: Page) -> list[str]:
    """The panels of the upper row from left to right."""
    boxes = {name: page.locator(f"#trade > .{name}").bounding_box() for name in ("list", "charts", "ladder", "order")}
    return sorted(boxes, key=lambda name: (boxes[name] or {"x": 0})["x"])


def test_columns_are_moved_by_pointer_and_keyboard_and_remembered(watched: Watched, demo: VenueProcess) -> None:
    page = look(watched.page, demo)
    expect_grids(page)
    assert lefts(page) == ["list", "charts", "ladder", "order"]
    page.locator("#ladder-title").drag_to(page.locator("#trade > .list"), target_position={"x": 5, "y": 60})
    assert lefts(page) == ["ladder", "list", "charts", "order"]
    page.get_by_test_id("show-layout").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Order ticket: to the left").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert lefts(page) == ["ladder", "order", "list", "charts"]
    page.keyboard.press("Escape")
    page.locator("#toggle-tape").click()
    look(page, demo)
    assert lefts(page) == ["ladder", "order", "list", "charts"]
    expect(page.get_by_test_id("tape")).to_be_hidden()
    page.get_by_test_id("show-layout").click()
    page.get_by_test_id("layout-reset").click()
    assert lefts(page) == ["list", "charts", "ladder", "order"]
    expect(page.locator("#toggle-tape")).to_have_attribute("aria-pressed", "true")
    page.evaluate("localStorage.clear()")
