"""The trader's page: what the ticket sends is an order like any other, and what the venue says stands beside it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from services.dashboard.amounts import grouped
from tests.browser.conftest import VenueProcess, Watched

SYMBOL = "NDFEB-N42"
DESK = "Demo Trading Desk"


def open_trader_page(watched: Watched, venue: VenueProcess, symbol: str = SYMBOL) -> Page:
    watched.page.goto(f"{venue.url}/ui/trade/{symbol}")
    expect(watched.page.get_by_test_id("ladder")).to_be_visible()
    return watched.page


def send(page: Page, side: str, price: str, quantity: str) -> None:
    page.get_by_test_id(f"ticket-{side}").click()
    page.get_by_test_id("ticket-price").fill(price)
    page.get_by_test_id("ticket-quantity").fill(quantity)
    page.get_by_test_id("ticket-send").click()


def own_orders(venue: VenueProcess, state: str) -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = venue.get("/v1/orders", DESK, state=state)["orders"]
    return orders


def test_an_order_is_placed_seen_and_canceled(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    send(page, "buy", demo.get(f"/v1/market/{SYMBOL}/ticker")["lower_limit"], "3")
    expect(page.get_by_test_id("ticket-outcome")).to_contain_text("resting")
    order = own_orders(demo, "open")[0]
    assert (order["side"], order["quantity"], order["time_in_force"], order["state"]) == ("buy", 3, "day", "new")
    row = page.locator(f"[data-testid=open-orders] tr[data-order='{order['order_id']}']")
    expect(row).to_contain_text(grouped(order["price"]))
    row.get_by_role("button", name="cancel").click()
    expect(row).to_have_count(0)
    assert demo.get(f"/v1/orders/{order['order_id']}", DESK)["state"] == "canceled"


def test_an_order_that_trades_shows_its_fill_and_moves_the_balances(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    # The simulated traders have just begun: there must be something to buy first.
    expect(page.locator("[data-testid=ladder] tr.ask").nth(2)).to_be_visible()
    send(page, "buy", demo.get(f"/v1/market/{SYMBOL}/ticker")["upper_limit"], "2")
    expect(page.get_by_test_id("ticket-outcome")).to_contain_text("filled: 2 lots at ¥")
    order = own_orders(demo, "closed")[0]
    fills = [fill for fill in demo.get("/v1/fills", DESK)["fills"] if fill["order_id"] == order["order_id"]]
    assert sum(fill["quantity"] for fill in fills) == 2
    expect(page.locator("[data-testid=fills] tbody tr").first).to_contain_text(grouped(fills[0]["amount"]))
    account = demo.get("/v1/account", DESK)
    expect(page.locator("[data-balance=cash]")).to_have_text(grouped(account["cash"]))
    expect(page.locator("[data-balance=available]")).to_have_text(grouped(account["available"]))


def test_what_the_venue_will_not_look_at_stands_beside_the_field(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    before = own_orders(demo, "all")
    send(page, "sell", "205.05", "1.5")
    expect(page.locator(".q-field:has([data-testid=ticket-quantity]) .q-field__messages")).to_contain_text(
        "whole number"
    )
    send(page, "sell", "205.05", "1")
    expect(page.locator(".q-field:has([data-testid=ticket-price]) .q-field__messages")).to_contain_text(
        "multiple of the tick"
    )
    expect(page.locator("[data-testid=ticket-outcome] [data-code=price_off_tick]")).to_be_visible()
    assert own_orders(demo, "all") == before


def test_what_the_engine_declines_is_a_rejected_order_with_its_reason(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    send(page, "buy", "999.00", "1")
    expect(page.get_by_test_id("ticket-outcome")).to_contain_text("rejected: price above band")
    assert own_orders(demo, "closed")[0]["reason"] == "price_above_band"


def test_a_market_order_has_no_price_and_never_waits(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    page.get_by_test_id("ticket-price").fill("205.00")
    page.get_by_test_id("ticket-type").click()
    page.get_by_role("option", name="Market").click()
    expect(page.get_by_test_id("ticket-price")).to_be_disabled()
    expect(page.get_by_test_id("ticket-price")).to_have_value("")
    page.get_by_test_id("ticket-quantity").fill("1")
    page.get_by_test_id("ticket-send").click()
    expect(page.get_by_test_id("ticket-outcome")).to_contain_text("filled: 1 lots")
    order = own_orders(demo, "closed")[0]
    assert (order["order_type"], order["time_in_force"], order["price"]) == ("market", "ioc", None)


def test_a_click_on_the_ladder_fills_in_the_price(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    page.locator("[data-testid=ladder] tr.bid").first.click()
    expect(page.get_by_test_id("ticket-price")).not_to_have_value("")
    band = demo.get(f"/v1/market/{SYMBOL}/ticker")
    price = page.get_by_test_id("ticket-price").input_value()
    assert float(band["lower_limit"]) <= float(price) <= float(band["upper_limit"])


def test_the_chooser_leads_from_instrument_to_instrument(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    page.locator(".choice", has_text="Y-TGT").click()
    page.wait_for_url(f"{demo.url}/ui/trade/Y-TGT")
    expect(page.locator(".head .name")).to_contain_text("钇溅射靶材 · Yttrium sputtering target")
    expect(page.locator(".choice.here")).to_be_in_viewport()
    expect(page.get_by_test_id("ladder")).to_be_visible()


def test_a_symbol_nobody_listed_is_said_and_leads_to_those_listed(watched: Watched, demo: VenueProcess) -> None:
    watched.page.goto(f"{demo.url}/ui/trade/<i>GOLD")
    expect(watched.page.get_by_test_id("no-instrument")).to_have_text("No instrument is listed as <i>GOLD.")
    watched.page.locator(".choice", has_text=SYMBOL).click()
    expect(watched.page.get_by_test_id("ladder")).to_be_visible()


def test_book_and_trades_move(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    for part in ("ladder", "last-trades"):
        shown = page.get_by_test_id(part).inner_text()
        expect(page.get_by_test_id(part)).not_to_have_text(shown, use_inner_text=True)


def test_without_a_traders_key_the_page_only_shows(watched: Watched, served: VenueProcess) -> None:
    page = open_trader_page(watched, served, "PRND-OX")
    expect(page.get_by_test_id("read-only")).to_contain_text("read-only")
    expect(page.get_by_test_id("ticket-send")).to_have_count(0)
    expect(page.get_by_test_id("open-orders")).to_have_count(0)
