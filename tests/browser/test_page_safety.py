"""The safety of what acts: what is done twice is one order; a lost session is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import DESK, SYMBOL, VenueProcess
from tests.browser.operating import PASSWORD, administration
from tests.browser.trading import fill_in, later, limits, placed, sent_by, trade

pytestmark = pytest.mark.usefixtures("calm")


def double_click(page: Page) -> None:
    page.get_by_test_id("ticket-send").dblclick()


def double_enter(page: Page) -> None:
    page.get_by_test_id("ticket-quantity").press("Enter")
    page.keyboard.press("Enter")


def click_and_enter(page: Page) -> None:
    page.get_by_test_id("ticket-send").click()
    page.keyboard.press("Enter")


def test_what_is_done_twice_is_one_order(page: Page, demo: VenueProcess, no_orders: None) -> None:
    """Whether the venue gets the order when both acts are over, or while the second one is done: then that one finds an empty
    ticket."""
    trade(page, demo)
    before, sent, held = placed(demo), sent_by(page), list[Route]()

    def do(twice: Callable[[Page], None], to_release: list[Route]) -> None:
        later(page)
        fill_in(page, "buy", price=limits(demo)["lower_limit"], quantity="1")
        twice(page)
        if to_release is held:
            expect(page.locator("[data-under-way]")).to_have_count(1)
        for route in to_release:
            route.continue_()
        page.unroute("**/v1/orders")
        expect(page.get_by_test_id("ticket-quantity")).to_have_value("")
        expect(page.locator("[data-under-way]")).to_have_count(0)

    for number, twice in enumerate((click_and_enter, double_click, double_enter), start=1):
        held.clear()
        page.route("**/v1/orders", lambda route: held.append(route))
        do(twice, held)
        assert len(placed(demo) - before) == number
        assert len(sent) == number
    for number, twice in enumerate((double_click, double_enter), start=4):
        do(twice, [])
        assert len(placed(demo) - before) == number
    do(lambda page: page.get_by_test_id("ticket-send").click(), [])
    assert len(placed(demo) - before) == 6


def test_a_session_that_ends_elsewhere_is_told(page: Page, demo: VenueProcess) -> None:
    """What was typed stays."""
    user = {"name": "wang.fang", "role": "trader", "account": demo.keys[DESK]["account"], "password": PASSWORD}
    with administration(demo) as admin:
        user_id = admin.post("/v1/admin/users", json=user).raise_for_status().json()["user_id"]
        page.goto(f"{demo.url}/log-in?lang=en&next=/ui/trade/{SYMBOL}")
        page.get_by_label("Name").fill("wang.fang")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_test_id("ticket")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("data-line", "live")
        page.get_by_test_id("ticket-quantity").fill("9")
        admin.delete(f"/v1/admin/users/{user_id}").raise_for_status()
    expect(page.get_by_test_id("line")).to_contain_text("Your session has ended. Log in again.")
    expect(page.locator("html")).to_have_attribute("data-line", "dead")
    assert page.get_by_test_id("ticket").evaluate("node => node.inert")
    assert page.get_by_test_id("ticket-quantity").input_value() == "9"
