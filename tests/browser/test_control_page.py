"""The control page: an operator's actions on it are commands of the API, and every page shows their results."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import VenueProcess, Watched
from tests.browser.test_trader_page import DESK, SYMBOL, open_trader_page, own_orders, send


@pytest.fixture
def switched(demo: VenueProcess) -> Iterator[VenueProcess]:
    """The demo venue; kill switches and halts are off again after the test."""
    yield demo
    demo.post("/v1/admin/kill_switch/off")
    demo.post(f"/v1/admin/accounts/{demo.keys[DESK]['account']}/kill_switch/off")
    demo.post("/v1/admin/resume")


def open_control_page(watched: Watched, venue: VenueProcess) -> Page:
    watched.page.goto(f"{venue.url}/ui/control")
    expect(watched.page.get_by_test_id("board")).to_be_visible()
    return watched.page


def confirm(page: Page) -> None:
    page.get_by_test_id("confirm-yes").click()
    expect(page.get_by_test_id("control-outcome")).to_contain_text("done, as command")


def test_every_phase_is_seen_at_a_glance_and_an_instrument_is_halted_and_resumed(
    watched: Watched, switched: VenueProcess
) -> None:
    page = open_control_page(watched, switched)
    expect(page.locator("[data-testid=board] [data-symbol]")).to_have_count(32)
    tile = page.locator(f"[data-testid=board] [data-symbol='{SYMBOL}']")
    tile.get_by_role("button", name="halt").click()
    confirm(page)
    expect(tile.locator("[data-phase=halted]")).to_be_visible()
    assert switched.get(f"/v1/market/{SYMBOL}/ticker")["phase"] == "halted"
    tile.get_by_role("button", name="resume").click()
    page.get_by_test_id("confirm-yes").click()
    expect(tile.locator("[data-phase=halted]")).to_have_count(0)


def test_the_venues_kill_switch_refuses_orders_until_it_is_off(watched: Watched, switched: VenueProcess) -> None:
    page = open_control_page(watched, switched)
    page.locator("[data-testid=switches] [data-act=kill-on]").click()
    assert switched.get("/v1/venue")["kill_switch"] is False  # nothing happens before it is confirmed
    confirm(page)
    assert switched.get("/v1/venue")["kill_switch"] is True
    page = open_trader_page(watched, switched)
    expect(page.get_by_test_id("kill-switch-on")).to_be_visible()
    send(page, "buy", switched.get(f"/v1/market/{SYMBOL}/ticker")["lower_limit"], "1")
    expect(page.get_by_test_id("ticket-outcome")).to_contain_text(re.compile("rejected: .*kill switch"))
    assert own_orders(switched, "closed")[0]["reason"] == "venue_kill_switch"
    page = open_control_page(watched, switched)
    page.locator("[data-testid=switches] [data-act=kill-off]").click()
    confirm(page)
    expect(page.get_by_test_id("kill-switch-on")).to_have_count(0)


def test_an_accounts_kill_switch_is_its_own(watched: Watched, switched: VenueProcess) -> None:
    page = open_control_page(watched, switched)
    row = page.locator(f"[data-testid=accounts] tr[data-account='{switched.keys[DESK]['account']}']")
    expect(row).to_contain_text(DESK)
    row.locator("[data-act=kill-on]").click()
    confirm(page)
    expect(row.locator("[data-kill=on]")).to_be_visible()
    assert switched.get("/v1/account", DESK)["kill_switch"] is True
    assert switched.get("/v1/venue")["kill_switch"] is False
    expect(open_trader_page(watched, switched).get_by_test_id("ticket-note")).to_contain_text("may only cancel")


def test_a_busted_trade_is_struck_out_and_counted_out(watched: Watched, switched: VenueProcess) -> None:
    switched.post("/v1/admin/halt")  # so that no newer trade follows
    page = open_control_page(watched, switched)
    row = page.locator("[data-testid=trades] tbody tr").first
    trade_id = row.get_attribute("data-trade")
    row.get_by_role("button", name="bust").click()
    page.get_by_test_id("confirm-reason").fill("fat finger, agreed by both sides")
    confirm(page)
    expect(page.locator(f"[data-testid=trades] tr[data-trade='{trade_id}']")).to_contain_text("busted")
    page.goto(f"{switched.url}/ui/")
    expect(page.locator("[data-integrity=busted]")).to_contain_text("(1)")


def test_without_an_operators_key_the_page_only_shows(watched: Watched, served: VenueProcess) -> None:
    page = open_control_page(watched, served)
    expect(page.get_by_test_id("read-only")).to_contain_text("only shows")
    expect(page.locator("main button")).to_have_count(0)
