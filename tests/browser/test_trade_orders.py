"""The trade page: the account's own orders, fills and balances, also while the line is dead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import DESK, SYMBOL, VenueProcess, Watched, wait_for_a_late_pong
from tests.browser.trading import (
    depth_of,
    eventually,
    expected_ladder,
    grouped,
    ladder,
    limits,
    orders,
    row_of,
    send,
    trade,
)
from tests.patience import http_post

pytestmark = pytest.mark.usefixtures("calm")


@pytest.fixture
def rests(demo: VenueProcess, no_orders: None) -> Iterator[Callable[[str], str]]:
    """Makes the product collect orders, so that none trades. Returns the price that is this far below the last one: the demo's
    takers sweep as far as the chart's axis reaches."""

    def below(distance: str) -> str:
        demo.put(f"/v1/admin/instruments/{SYMBOL}/phase", {"phase": "call_auction"})
        ticker = limits(demo)
        return str(Decimal(ticker["last"] or ticker["reference_price"]) - Decimal(distance))

    yield below
    demo.put(f"/v1/admin/instruments/{SYMBOL}/phase", {"phase": "continuous"})


def test_an_order_is_everywhere_before_anybody_asks(
    watched: Watched, demo: VenueProcess, rests: Callable[[str], str]
) -> None:
    page = trade(watched.page, demo)
    price = rests("2.50")
    page.get_by_test_id("group-50").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    send(page, "buy", price=price, quantity="3")
    expect(page.locator("#ladder-body tr.bid td.own", has_text="◆ 3")).to_be_visible()
    expect(page.get_by_test_id("count-open")).to_have_text("1")
    expect(page.get_by_test_id("toast")).to_contain_text(f"resting at {grouped(price)}")
    order = orders(demo, "open")[0]
    expect(row_of(page, order)).to_contain_text(grouped(price))
    expect(page.locator("#price-chart")).to_contain_text("Buy 3")
    row_of(page, order).get_by_role("button", name="Cancel").click()
    page.mouse.move(0, 0)
    expect(row_of(page, order)).to_have_count(0)
    expect(page.locator("#ladder-body tr.bid td.own", has_text="◆")).to_have_count(0)
    expect(page.get_by_test_id("count-open")).to_have_text("0")
    page.get_by_test_id("group-1").click()
    assert demo.get(f"/v1/orders/{order['order_id']}", DESK)["state"] == "canceled"
    # A check of the ticket that its order overtakes reads this order.
    once = {f"GET {demo.url}/v1/{path}" for path in ("account", f"orders/{order['order_id']}")}
    assert {url.split("?")[0] for url in asked if "GET" in url} <= once, "it polls"


def test_an_order_that_trades_shows_its_fill_and_moves_the_balances(
    watched: Watched, demo: VenueProcess, no_orders: None
) -> None:
    page = trade(watched.page, demo)
    expect(page.locator("[data-testid=ladder] tr.ask[data-price]").nth(2)).to_be_visible()
    send(page, "buy", price=depth_of(demo)["asks"][2]["price"], quantity="1")
    expect(page.locator(".toast", has_text="Fill bought 1")).to_be_visible()
    fill = demo.get("/v1/fills", DESK, limit=1)["fills"][0]
    said = re.compile(rf": 1 lot filled, average price {re.escape(grouped(fill['price']))}$")  # not 205.100000
    expect(page.locator(".toast.done > span")).to_have_text(said)
    page.get_by_test_id("tab-fills").click()
    expect(page.locator("[data-testid=fills] tbody tr").first).to_contain_text(grouped(fill["amount"]))
    page.get_by_test_id("tab-ended").click()
    expect(page.locator(f"tr[data-ended='{fill['order_id']}']")).to_contain_text("filled")
    page.get_by_test_id("tab-ledger").click()
    account = demo.get("/v1/account", DESK)
    expect(page.locator("[data-testid=ledger] tbody tr").first).to_contain_text(grouped(account["cash"]))
    for name in ("cash", "reserved", "available"):
        expect(page.get_by_test_id(f"balance-{name}")).to_have_attribute("title", f"¥ {grouped(account[name])}")
    page.get_by_test_id("tab-balances").click()
    expect(page.locator("tr[data-holding=cash]")).to_contain_text(grouped(account["cash"]))
    page.get_by_test_id("tab-open").click()


def test_an_order_is_amended_in_its_row(page: Page, demo: VenueProcess, no_orders: None) -> None:
    """What is half typed outlives what happens around it."""
    band = limits(demo)
    order = demo.place(DESK, symbol=SYMBOL, side="buy", price=band["lower_limit"], quantity=3)
    trade(page, demo)
    row = row_of(page, order)
    row.get_by_role("button", name="Amend").click()
    price = str(Decimal(band["lower_limit"]) + Decimal("0.10"))
    row.locator("input[name=price]").fill(price)
    row.locator("input[name=quantity]").fill("5")
    row.locator("input[name=quantity]").press("Enter")
    expect(row.locator("[data-field=price]")).to_have_text(grouped(price))
    amended = demo.get(f"/v1/orders/{order['order_id']}", DESK)
    assert (amended["price"], amended["quantity"]) == (price, 5)
    row.get_by_role("button", name="Amend").click()
    row.locator("input[name=price]").fill("999.00")
    demo.place(DESK, symbol=SYMBOL, side="buy", price=band["lower_limit"], quantity=1)
    expect(page.get_by_test_id("count-open")).to_have_text("2")
    expect(row.locator("input[name=price]")).to_have_value("999.00")
    row.get_by_role("button", name="Send").click()
    expect(page.locator(".toast.refused")).to_be_visible()
    row.locator("input[name=price]").press("Escape")
    expect(row.locator("[data-field=price]")).to_have_text(grouped(price))
    assert demo.get(f"/v1/orders/{order['order_id']}", DESK)["price"] == price


def test_a_row_that_is_held_says_what_became_of_its_order(
    watched: Watched, demo: VenueProcess, no_orders: None
) -> None:
    entered = {"symbol": SYMBOL, "side": "buy", "price": limits(demo)["lower_limit"], "quantity": 1}
    lower, upper = demo.place(DESK, **entered), demo.place(DESK, **entered)
    page = trade(watched.page, demo)
    row = row_of(page, upper)
    cancel = row.get_by_role("button", name="Cancel")
    below = row_of(page, lower).bounding_box()
    cancel.click()
    expect(page.get_by_test_id("count-open")).to_have_text("1")
    expect(row.locator(".became")).to_have_text("canceled")
    expect(row.locator(".became")).to_be_visible()
    for name in ("Amend", "Cancel"):
        expect(row.get_by_role("button", name=name)).to_have_attribute("aria-disabled", "true")
    assert row_of(page, lower).bounding_box() == below
    page.mouse.move(0, 0)
    page.keyboard.press("Escape")  # the focus leaves, too
    expect(row).to_have_count(0)
    expect(row_of(page, lower).locator(".became")).to_be_hidden()


def test_all_orders_of_the_instrument_are_canceled_after_a_question(watched: Watched, demo: VenueProcess) -> None:
    entered = {"side": "buy", "quantity": 1}
    demo.place(DESK, symbol=SYMBOL, price=limits(demo)["lower_limit"], **entered)
    other = demo.get("/v1/market/PRND-OX/ticker")["lower_limit"]
    kept = demo.place(DESK, symbol="PRND-OX", price=other, **entered)
    page = trade(watched.page, demo)
    page.get_by_test_id("cancel-here").click()
    dialog = page.get_by_test_id("dialog")
    expect(dialog).to_contain_text(SYMBOL)
    expect(dialog.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)  # of what?
    dialog.get_by_role("button", name="Go back").click()
    expect(page.get_by_test_id("count-open")).to_have_text("2")
    page.get_by_test_id("cancel-here").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("count-open")).to_have_text("1")
    assert [order["order_id"] for order in orders(demo, "open")] == [kept["order_id"]]
    page.get_by_test_id("cancel-everywhere").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("count-open")).to_have_text("0")
    expect(page.get_by_test_id("cancel-everywhere")).to_be_disabled()


def test_an_order_is_amended_by_dragging_it_on_the_chart_also_while_its_row_is_open(
    watched: Watched, demo: VenueProcess, rests: Callable[[str], str]
) -> None:
    page = trade(watched.page, demo, query="?lang=en&range=1m")
    price = rests("2.00")
    order = demo.place(DESK, symbol=SYMBOL, side="buy", price=price, quantity=1)
    row, rule = row_of(page, order), page.locator(f"#price-chart [data-rule='{order['order_id']}']")
    row.get_by_role("button", name="Amend").click()
    row.locator("input[name=quantity]").fill("5")
    rule.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    lower = str(Decimal(price) - Decimal("0.10"))
    expect(page.get_by_test_id("dialog")).to_contain_text(grouped(lower))
    page.get_by_test_id("confirm").click()
    expect(row.locator("input[name=price]")).to_have_value(lower)
    expect(row.locator("input[name=quantity]")).to_have_value("5")
    row.locator("input[name=quantity]").press("Enter")
    expect(row.locator("[data-field=quantity]")).to_have_text("5")
    amended = demo.get(f"/v1/orders/{order['order_id']}", DESK)
    assert (amended["price"], amended["quantity"]) == (lower, 5)


def test_a_bust_that_the_line_missed_is_shown_when_it_is_back(page: Page, demo: VenueProcess, no_orders: None) -> None:
    """And the ladder is the book again."""
    held: list[WebSocketRoute] = []
    is_cut = False

    def carry(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        held.append(socket)

        def ask(text: str | bytes) -> None:
            said = json.loads(text)
            if is_cut:
                said.get("params", {}).pop("resume", None)  # as if it were too old
            server.send(json.dumps(said))

        socket.on_message(ask)
        server.on_message(lambda text: None if is_cut and socket is held[0] else socket.send(text))

    page.route("**/app/feed.js", wait_for_a_late_pong)
    page.route_web_socket("**/v1/ws", carry)
    trade(page, demo)
    expect(page.locator("[data-testid=ladder] tr.ask[data-price]").nth(2)).to_be_visible()
    send(page, "buy", price=depth_of(demo)["asks"][2]["price"], quantity="1")
    expect(page.locator(".toast", has_text="Fill bought 1")).to_be_visible()
    fill = demo.get("/v1/fills", DESK, limit=1)["fills"][0]
    page.get_by_test_id("tab-fills").click()
    first = page.locator("[data-testid=fills] tbody tr").first
    expect(first).to_have_attribute("data-busted", "no")
    is_cut = True
    bust = f"{demo.url}/v1/admin/trades/{fill['trade_id']}/bust"
    http_post(bust, json={"reason": "a test"}, headers=demo._headers("operator")).raise_for_status()
    held[0].close()
    expect(first).to_have_attribute("data-busted", "yes")
    eventually(lambda: ladder(page) == expected_ladder(depth_of(demo), Decimal("0.10")))
    page.get_by_test_id("tab-open").click()


def test_the_page_is_chinese_for_who_reads_chinese(watched: Watched, demo: VenueProcess, no_orders: None) -> None:
    page = trade(watched.page, demo, query="?lang=zh")
    send(page, "buy", price=limits(demo)["lower_limit"], quantity="1")
    expect(page.get_by_test_id("toast")).to_contain_text("已挂单")
    expect(page.get_by_test_id("ticket-send")).to_have_text(f"买入 {SYMBOL}")
    words = page.locator("main").inner_text()
    left = set(re.findall(r"[A-Za-z][a-z]{3,}", words)) - set(re.findall(r"[A-Za-z][a-z]{3,}", DESK))
    assert left == set()
