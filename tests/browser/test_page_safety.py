"""The safety of what acts: what is done twice is one order, also after an answer was lost; a lost session is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import VenueProcess
from tests.browser.stopped_venue import DESK, SYMBOL, Trader
from tests.long import some
from tests.patience import HttpClient


@pytest.fixture
def trader(visitor: BrowserContext, demo: VenueProcess) -> Iterator[Trader]:
    page = visitor.new_page()
    yield Trader(page, demo)
    page.close()
    visitor.clear_cookies()


def double_click(page: Page) -> None:
    page.get_by_test_id("ticket-send").dblclick()


def double_enter(page: Page) -> None:
    page.get_by_test_id("ticket-quantity").press("Enter")
    page.keyboard.press("Enter")


def click_and_enter(page: Page) -> None:
    page.get_by_test_id("ticket-send").click()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("twice", some([click_and_enter, double_click, double_enter]))
def test_what_is_done_twice_is_one_order(trader: Trader, twice: Callable[[Page], None]) -> None:
    """The venue gets the order when both acts are over: a quick answer would leave the second one an empty ticket."""
    before, held = trader.orders(), list[Route]()
    trader.page.route("**/v1/orders", lambda route: held.append(route))
    trader.fill()
    twice(trader.page)
    expect(trader.page.locator("[data-under-way]")).to_have_count(1)
    for route in held:
        route.continue_()
    trader.page.unroute("**/v1/orders")
    expect(trader.page.get_by_test_id("toast").first).to_be_visible()
    expect(trader.page.locator("[data-under-way]")).to_have_count(0)
    assert len(trader.orders() - before) == 1
    assert len(trader.sent) == 1
    trader.fill()
    trader.send()
    assert len(trader.orders() - before) == 2


def test_a_session_that_ends_elsewhere_is_told(page: Page, demo: VenueProcess) -> None:
    password, account = "a password of the test's own", demo.keys[DESK]["account"]
    headers = {"authorization": f"Bearer {demo.keys['operator']['key']}"}
    with HttpClient(base_url=demo.url, headers=headers) as admin:
        user = {"name": "wang.fang", "role": "trader", "account": account, "password": password}
        user_id = admin.post("/v1/admin/users", json=user).raise_for_status().json()["user_id"]
        page.goto(f"{demo.url}/log-in?next=/ui/trade/{SYMBOL}")
        page.get_by_label("Name").fill("wang.fang")
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_test_id("ticket")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("data-line", "live")
        page.get_by_test_id("ticket-quantity").fill("9")
        admin.put(f"/v1/admin/users/{user_id}/role", json={"role": "trader", "account": account}).raise_for_status()
        expect(page.get_by_test_id("line")).to_contain_text("Your session has ended. Log in again.")
        expect(page.locator("html")).to_have_attribute("data-line", "dead")
        assert page.get_by_test_id("ticket").evaluate("node => node.inert")
        assert page.get_by_test_id("ticket-quantity").input_value() == "9"
