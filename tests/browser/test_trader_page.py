"""The trader page: its ticket sends orders through the API, and shows the venue's replies beside their fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from services.dashboard.amounts import grouped
from tests.browser.conftest import VenueProcess, Watched

SYMBOL = "NDFEB-N42"
DESK = "Demo Trading Desk"


@pytest.fixture(scope="module", autouse=True)
def calm(demo: VenueProcess) -> None:
    """Keeps the instrument of these tests in continuous trading: their orders begin no volatility auction."""
    demo.put(f"/v1/admin/instruments/{SYMBOL}/volatility_band", {"rate": "0", "auction_seconds": 0})
    demo.put(f"/v1/admin/instruments/{SYMBOL}/phase", {"phase": "continuous"})


@pytest.fixture
def auction(demo: VenueProcess) -> Iterator[VenueProcess]:
    """The demo venue with the instrument in a call auction."""
    demo.put(f"/v1/admin/instruments/{SYMBOL}/phase", {"phase": "call_auction"})
    yield demo
    demo.put(f"/v1/admin/instruments/{SYMBOL}/phase", {"phase": "continuous"})


def open_trader_page(watched: Watched, venue: VenueProcess, symbol: str = SYMBOL) -> Page:
    watched.page.goto(f"{venue.url}/ui/trade/{symbol}")
    expect(watched.page.get_by_test_id("ladder")).to_be_visible()
    return watched.page


def send(page: Page, side: str, price: str, quantity: str) -> None:
    page.get_by_test_id(f"ticket-{side}").click()
    page.get_by_test_id("ticket-price").fill(price)
    page.get_by_test_id("ticket-quantity").fill(quantity)
    page.get_by_test_id("ticket-send").click()


def own_row(page: Page, order: dict[str, Any]) -> Locator:
    return page.locator(f"[data-testid=open-orders] tr[data-order='{order['order_id']}']")


def own_orders(venue: VenueProcess, state: str) -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = venue.get("/v1/orders", DESK, state=state)["orders"]
    return orders


def test_an_order_is_placed_seen_and_canceled(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    send(page, "buy", demo.get(f"/v1/market/{SYMBOL}/ticker")["lower_limit"], "3")
    expect(page.get_by_test_id("ticket-outcome")).to_contain_text("resting")
    order = own_orders(demo, "open")[0]
    assert (order["side"], order["quantity"], order["time_in_force"], order["state"]) == ("buy", 3, "day", "new")
    row = own_row(page, order)
    expect(row).to_contain_text(grouped(order["price"]))
    row.get_by_role("button", name="cancel").click()
    expect(row).to_have_count(0)
    assert demo.get(f"/v1/orders/{order['order_id']}", DESK)["state"] == "canceled"


def test_an_order_that_trades_shows_its_fill_and_moves_the_balances(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    # The simulated traders have just started: first an offer must be in the book.
    expect(page.locator("[data-testid=ladder] tr.ask").nth(2)).to_be_visible()
    ask = demo.get(f"/v1/market/{SYMBOL}/depth")["asks"][2]["price"]
    send(page, "buy", ask, "2")
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
    expect(page.locator("[data-testid=ticket-outcome] [data-state=rejected]")).to_be_visible()
    order = own_orders(demo, "closed")[0]
    assert order["reason"] == "price_above_band"
    words = order["reason_text"].rstrip(".")
    expect(page.get_by_test_id("ticket-outcome")).to_contain_text(f"rejected: {words}")
    ended = page.locator(f"[data-testid=ended-orders] tr[data-ended='{order['order_id']}']")
    expect(ended).to_contain_text(f"{SYMBOL} 烧结钕铁硼毛坯 N42")
    expect(ended).to_contain_text(words)


def test_a_market_order_has_no_price_and_never_waits(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    page.get_by_test_id("ticket-price").fill("205.00")
    page.get_by_test_id("ticket-type-market").click()
    expect(page.get_by_test_id("ticket-price")).to_be_hidden()
    page.get_by_test_id("ticket-quantity").fill("1")
    page.get_by_test_id("ticket-send").click()
    expect(page.get_by_test_id("ticket-outcome")).to_contain_text("filled: 1 lots")
    order = own_orders(demo, "closed")[0]
    assert (order["order_type"], order["time_in_force"], order["price"]) == ("market", "ioc", None)


def test_a_stop_waits_is_amended_in_its_row_and_ended_with_all_others(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    limits = demo.get(f"/v1/market/{SYMBOL}/ticker")
    page.get_by_test_id("ticket-type-stop").click()
    expect(page.get_by_test_id("ticket-price")).to_be_hidden()
    page.get_by_test_id("ticket-stop-price").fill(limits["upper_limit"])
    page.get_by_test_id("ticket-quantity").fill("2")
    page.get_by_test_id("ticket-send").click()
    expect(page.get_by_test_id("ticket-outcome")).to_contain_text("waiting for a trade at")
    order = own_orders(demo, "open")[0]
    assert (order["order_type"], order["triggered"], order["price"]) == ("stop", False, None)
    row = own_row(page, order)
    expect(row).to_contain_text("waiting")
    row.get_by_text("amend").click()
    trigger = str(Decimal(limits["upper_limit"]) - Decimal("0.10"))
    row.locator("input[name=stop_price]").fill(trigger)
    row.locator("input[name=quantity]").fill("3")
    row.locator("input[name=quantity]").press("Enter")
    expect(row.locator("[data-field=stop_price]")).to_have_text(grouped(trigger))
    amended = demo.get(f"/v1/orders/{order['order_id']}", DESK)
    assert (amended["stop_price"], amended["quantity"], amended["triggered"]) == (trigger, 3, False)
    page.get_by_test_id("cancel-all-here").click()
    page.get_by_test_id("confirm-yes").click()
    expect(row).to_have_count(0)
    assert demo.get(f"/v1/orders/{order['order_id']}", DESK)["reason"] == "mass_cancel"


def test_an_iceberg_shows_a_part_and_a_refused_amend_leaves_it(watched: Watched, demo: VenueProcess) -> None:
    page = open_trader_page(watched, demo)
    price = demo.get(f"/v1/market/{SYMBOL}/ticker")["lower_limit"]
    page.get_by_test_id("ticket-options").click()
    page.get_by_test_id("ticket-display-quantity").fill("10")
    expect(page.get_by_test_id("ticket-options")).to_contain_text("iceberg showing 10")
    send(page, "buy", price, "40")
    expect(page.get_by_test_id("ticket-outcome")).to_contain_text("resting")
    order = own_orders(demo, "open")[0]
    row = own_row(page, order)
    expect(row).to_contain_text("iceberg")
    assert [row.locator("td").nth(column).inner_text() for column in (6, 7, 8)] == ["10", "40", "40"]
    row.get_by_text("amend").click()
    row.locator("input[name=display_quantity]").fill("60")
    row.get_by_text("amend").click()
    expect(page.locator("[data-testid=own-outcome] [data-code=invalid_display]")).to_be_visible()
    row.locator("input[name=display_quantity]").fill("20")
    row.get_by_text("amend").click()
    expect(row.locator("[data-field=display_quantity]")).to_have_text("20")
    assert demo.get(f"/v1/orders/{order['order_id']}", DESK)["display_quantity"] == 20
    row.get_by_text("cancel").click()
    expect(row).to_have_count(0)


def test_a_half_typed_amend_outlives_what_happens_around_it(watched: Watched, demo: VenueProcess) -> None:
    limits = demo.get(f"/v1/market/{SYMBOL}/ticker")
    entered = {"symbol": SYMBOL, "side": "buy", "price": limits["lower_limit"], "quantity": 1}
    first, second = [demo.place(DESK, **entered) for _ in range(2)]
    page = open_trader_page(watched, demo)
    row = own_row(page, first)
    row.get_by_text("amend").click()
    row.locator("input[name=price]").fill("199.9")
    third = demo.place(DESK, **entered)
    expect(own_row(page, third)).to_be_visible()  # above the other row, which it moves down
    own_row(page, second).get_by_text("cancel").click()
    expect(own_row(page, second)).to_have_count(0)
    expect(row.locator("input[name=price]")).to_have_value("199.9")
    row.locator("input[name=price]").press("Escape")
    expect(row.locator("[data-field=price]")).to_have_text(grouped(limits["lower_limit"]))
    page.get_by_test_id("cancel-all-here").click()
    page.get_by_test_id("confirm-yes").click()
    expect(page.get_by_test_id("own-outcome")).to_have_text("2 orders canceled")


def test_a_call_auction_shows_what_it_would_do(watched: Watched, auction: VenueProcess) -> None:
    page = open_trader_page(watched, auction)
    expect(page.locator(".head [data-phase=call_auction]")).to_contain_text("call auction 集合竞价")
    expect(page.get_by_test_id("ticket-note")).to_contain_text("collects limit orders")
    expect(page.locator("[data-testid=ladder] tr.ask").nth(1)).to_be_visible()
    # The second ask, if it is still there: the traders renew the best one, and without it nothing would trade.
    ask = auction.get(f"/v1/market/{SYMBOL}/depth")["asks"][:2][-1]["price"]
    send(page, "buy", ask, "1")
    expect(page.locator("[data-indicative=price]")).to_have_text(re.compile(r"\d"))
    expect(page.locator("[data-indicative=volume]")).to_have_text(re.compile(r"[1-9]"))
    expect(page.locator("[data-testid=ladder] tr.spread")).to_contain_text("auction")
    auction.put(f"/v1/admin/instruments/{SYMBOL}/phase", {"phase": "continuous"})
    expect(page.locator(".head [data-phase=continuous]")).to_be_visible()
    expect(page.locator("[data-testid=last-trades] .auction").first).to_be_visible()


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
