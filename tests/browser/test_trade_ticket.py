"""The trade page: a ticket whose orders are the API's."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from playwright.sync_api import Page, Request, Route, WebSocketRoute, expect

from tests.browser.conftest import DESK, SYMBOL, VenueProcess, Watched
from tests.browser.trading import (
    HeldChecks,
    Json,
    asked_of_the_api,
    fill_in,
    grouped,
    later,
    limits,
    lose_the_answer,
    orders,
    row_of,
    send,
    trade,
)

pytestmark = pytest.mark.usefixtures("calm")


ORDERS: tuple[tuple[str, str, Json], ...] = (
    ("market", "fok", {}),
    ("stop", "gtc", {}),
    ("stop_limit", "gtd", {}),
    ("limit", "ioc", {}),
    ("limit", "gtc", {"post_only": True, "display_quantity": 2, "self_trade_prevention": "cancel_both"}),
)
"""Order type, time in force and options: those of an order before stay in the ticket."""


def test_orders_of_the_ticket_are_the_apis(watched: Watched, demo: VenueProcess, no_orders: None) -> None:
    page = trade(watched.page, demo)
    for order_type, time_in_force, options in ORDERS:
        later(page)
        wanted = fill_in_all(page, demo, order_type, time_in_force, options)
        with page.expect_response(f"{demo.url}/v1/orders") as answered:
            send(page, "buy", quantity="4")
        order = demo.get(f"/v1/orders/{answered.value.json()['order_id']}", DESK)
        assert {name: order[name] for name in wanted} == wanted
        if time_in_force in ("gtc", "gtd"):
            assert order["state"] == "new"
            expect(row_of(page, order)).to_contain_text("Buy")


def fill_in_all(page: Page, venue: VenueProcess, order_type: str, time_in_force: str, options: Json) -> Json:
    """All but side and quantity. Returns what the order is to be."""
    band = limits(venue)
    wanted: Json = {"order_type": order_type, "time_in_force": time_in_force, "side": "buy", "quantity": 4, **options}
    page.get_by_test_id(f"ticket-type-{order_type}").click()
    page.get_by_test_id("ticket-time_in_force").select_option(time_in_force)
    if "limit" in order_type:
        wanted["price"] = band["lower_limit"] if order_type == "limit" else band["upper_limit"]
        page.get_by_test_id("ticket-price").fill(wanted["price"])
    if "stop" in order_type:
        wanted["stop_price"] = band["upper_limit"]
        page.get_by_test_id("ticket-stop_price").fill(wanted["stop_price"])
    if options:
        page.get_by_test_id("ticket-options").click()
        page.get_by_test_id("ticket-post_only").check()
        page.get_by_test_id("ticket-display_quantity").fill("2")
        page.get_by_test_id("ticket-self_trade_prevention").select_option(options["self_trade_prevention"])
    if time_in_force == "gtd":
        expires = datetime.fromisoformat(venue.get("/v1/time")["time"]) + timedelta(days=2)
        shanghai = expires.astimezone(timezone(timedelta(hours=8)))
        page.get_by_test_id("ticket-expire_time").fill(f"{shanghai:%Y-%m-%dT%H:%M}")
        wanted["expire_time"] = f"{expires:%Y-%m-%dT%H:%M}:00Z"
    return wanted


def test_the_check_says_what_the_api_would_and_the_most(watched: Watched, demo: VenueProcess) -> None:
    """An empty field is named and nothing sent; a share of the most is taken, and one lot more is refused."""
    page, band, before = trade(watched.page, demo), limits(demo), orders(demo)
    page.get_by_test_id("ticket-price").fill(band["lower_limit"])
    page.get_by_test_id("ticket-send").click()
    expect(page.get_by_test_id("why-quantity")).to_have_text("Enter a number.")
    expect(page.get_by_test_id("ticket-quantity")).to_be_focused()
    assert orders(demo) == before
    body: Json = {"symbol": SYMBOL, "side": "buy", "price": band["lower_limit"], "quantity": 7}
    fill_in(page, "buy", price=body["price"], quantity="7")
    expect(page.get_by_test_id("verdict")).to_have_text("Would be accepted")
    tested = asked_of_the_api(demo, body)
    for name, amount in (("notional", "notional"), ("reserve", "reserve"), ("available", "available_after")):
        expect(page.get_by_test_id(f"check-{name}")).to_have_attribute("data-exact", f"¥ {grouped(tested[amount])}")
    expect(page.get_by_test_id("check-fee")).to_have_text(f"¥ {grouped(tested['fee_as_taker'])}")
    expect(page.get_by_test_id("share-100")).to_be_enabled()
    page.get_by_test_id("share-100").click()
    most = int(page.get_by_test_id("ticket-quantity").input_value())
    account = demo.get("/v1/account", DESK)
    if account["limits"]["max_order_quantity"] != most:
        assert asked_of_the_api(demo, body | {"quantity": most})["reason"] is None
        assert asked_of_the_api(demo, body | {"quantity": most + 1})["reason"] == "insufficient_funds"
    expect(page.get_by_test_id("verdict")).to_have_text("Would be accepted")
    page.get_by_test_id("ticket-quantity").fill("1")
    page.get_by_test_id("share-25").click()
    assert int(page.get_by_test_id("ticket-quantity").input_value()) == most // 4
    fill_in(page, "sell", price=band["upper_limit"], quantity="3")
    tested = asked_of_the_api(demo, body | {"side": "sell", "price": band["upper_limit"], "quantity": 3})
    expect(page.get_by_test_id("check-available")).to_have_text(f"{grouped(tested['available_quantity_after'])} lots")


def test_a_refusal_names_the_field_and_the_reason(watched: Watched, demo: VenueProcess) -> None:
    """A price that is half typed is no error of the page; what the engine declines is told with its reason, also afterwards."""
    page = trade(watched.page, demo)
    before = orders(demo)
    fill_in(page, "sell", price="205.05", quantity="1")
    expect(page.get_by_test_id("why-price")).to_contain_text("multiple of the tick")
    page.get_by_test_id("ticket-price").fill("20a")
    page.get_by_test_id("ticket-price").fill("-")
    expect(page.get_by_test_id("verdict")).to_contain_text("Would be refused")
    assert watched.troubles == []
    fill_in(page, "sell", price="205.05", quantity="1")
    expect(page.get_by_test_id("why-price")).to_contain_text("multiple of the tick")
    page.get_by_test_id("ticket-send").click()
    expect(page.get_by_test_id("toast")).to_contain_text("The price is not on the tick")
    expect(page.get_by_test_id("ticket-price")).to_be_focused()
    fill_in(page, "sell", price="205.00", quantity="1.5")
    expect(page.get_by_test_id("why-quantity")).to_contain_text("whole number")
    assert orders(demo) == before
    fill_in(page, "buy", price="999.00", quantity="1")
    expect(page.get_by_test_id("verdict")).to_contain_text("Would be rejected")
    later(page)
    page.get_by_test_id("ticket-send").click()
    told = page.locator(".toast.refused", has_text="upper limit")
    expect(told).to_be_visible()
    order = orders(demo, "closed")[0]
    assert order["reason"] == "price_above_band"
    expect(told).to_contain_text(order["reason_text"].rstrip("."))
    page.get_by_test_id("tab-ended").click()
    expect(page.locator(f"tr[data-ended='{order['order_id']}']")).to_contain_text(order["reason_text"].rstrip("."))
    page.get_by_test_id("tab-open").click()
    watched.troubles.clear()  # what the venue refused: 422


def test_an_order_of_unknown_outcome_is_sent_again_as_the_same_one_or_known_by_its_push(
    page: Page, demo: VenueProcess, no_orders: None
) -> None:
    is_deaf = False
    ids: list[str] = []

    def carry(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            if not (is_deaf and json.loads(text).get("channel") == "orders"):
                socket.send(text)

        server.on_message(pass_on)
        # A check would know that the order is there.
        socket.on_message(lambda text: None if is_deaf and '"test_order"' in str(text) else server.send(text))

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/v1/orders"):
            ids.append(json.loads(request.post_data or "")["client_order_id"])

    page.route_web_socket("**/v1/ws", carry)
    page.on("request", note)
    trade(page, demo)
    unknown, is_deaf = page.get_by_test_id("ticket-unknown"), True
    page.route("**/v1/orders", lose_the_answer, times=1)
    send(page, "buy", price=limits(demo)["lower_limit"], quantity="2")
    expect(unknown).to_contain_text(f"Buy 2 {SYMBOL}")
    too_many = {"code": "rate_limited", "detail": "The key has sent too many requests."}
    page.route("**/v1/orders", lambda route: route.fulfill(status=429, json=too_many), times=1)
    later(page)
    page.get_by_test_id("ticket-send").click()
    expect(page.locator(".toast.refused")).to_be_visible()
    expect(unknown).to_be_visible()  # that refusal said nothing about the first one
    later(page)
    page.get_by_test_id("ticket-send").click()
    expect(unknown).to_be_hidden()
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert [order["client_order_id"] for order in orders(demo, "open")] == ids[:1]
    is_deaf = False
    page.route("**/v1/orders", lose_the_answer, times=1)
    later(page)
    send(page, "buy", quantity="4")
    expect(page.locator(".toast", has_text="outcome was unknown: Buy 4")).to_be_visible()
    expect(unknown).to_be_hidden()
    expect(page.get_by_test_id("ticket-quantity")).to_have_value("")
    assert len(orders(demo, "open")) == 2


def test_an_answer_to_what_was_entered_before_is_not_shown(page: Page, demo: VenueProcess) -> None:
    checks = HeldChecks(page)
    trade(page, demo)
    fill_in(page, "buy", price=limits(demo)["lower_limit"], quantity="7")
    expect(page.get_by_test_id("verdict")).to_have_text("Would be accepted")
    expect(page.get_by_test_id("share-100")).to_be_enabled()
    checks.is_holding = True
    page.get_by_test_id("ticket-quantity").fill("8")
    checks.wait_for_one()
    page.get_by_test_id("ticket-sell").click()
    expect(page.get_by_test_id("share-100")).to_be_disabled()
    expect(page.get_by_test_id("check-reserve")).to_have_text("–")
    [(server, first)] = checks.held[:1]
    server.send(json.dumps(first))
    checks.wait_until_answered(first)
    expect(page.get_by_test_id("verdict")).to_have_text("The venue is being asked.")
    expect(page.get_by_test_id("share-100")).to_be_disabled()
    checks.let_go()
    expect(page.get_by_test_id("check-reserve")).to_have_text(re.compile(r"\d lots"))


def ask_soon(route: Route) -> None:
    """The module of the account, which reads what no push tells at most every 10 seconds: here every 0.2."""
    answer, slow = route.fetch(), "const FACTS_MS = 10_000;"
    body = answer.text()
    assert slow in body
    route.fulfill(response=answer, body=body.replace(slow, "const FACTS_MS = 200;"))


def test_an_account_that_cannot_be_read_is_read_again_and_its_kill_switch_is_told(
    page: Page, demo: VenueProcess
) -> None:
    page.route("**/trade/account.js", ask_soon)
    page.route("**/v1/account", lambda route: route.abort(), times=1)
    trade(page, demo)
    expect(page.get_by_test_id("account-trouble")).to_contain_text("could not be read")
    expect(page.get_by_test_id("ticket-account")).to_contain_text(DESK)
    expect(page.get_by_test_id("account-trouble")).to_be_hidden()
    switch = f"/v1/admin/accounts/{demo.get('/v1/account', DESK)['account']}/kill_switch"
    demo.post(f"{switch}/on")
    try:
        fill_in(page, "buy", price=limits(demo)["lower_limit"], quantity="1")
        expect(page.get_by_test_id("ticket-note")).to_contain_text("Your account's kill switch is on")
    finally:
        demo.post(f"{switch}/off")
    page.get_by_test_id("ticket-quantity").fill("2")
    expect(page.get_by_test_id("ticket-note")).to_be_hidden()


def test_toasts_cover_nothing_that_acts_and_the_older_ones_are_a_count(page: Page, demo: VenueProcess) -> None:
    trade(page, demo)
    for count in range(1, 5):
        later(page)
        send(page, "sell", price="205.05", quantity="1")
        expect(page.locator(".toast")).to_have_count(count)
    expect(page.locator(".toast:visible")).to_have_count(2)
    told = page.locator("#toasts").bounding_box()
    assert told is not None
    for place in (
        "#order",
        ".tape",
        "#own",
        ".panel.ladder",
        ".list",
        "#price-chart",
        ".charts > header",
        "#depth-acts",
    ):
        box = page.locator(place).bounding_box()
        assert box is not None
        is_beside = told["x"] + told["width"] <= box["x"] or told["x"] >= box["x"] + box["width"]
        assert is_beside or told["y"] >= box["y"] + box["height"] or told["y"] + told["height"] <= box["y"], place
    more = page.get_by_test_id("toasts-more")
    expect(more).to_contain_text("2 earlier")
    more.click()
    expect(page.locator(".toast:visible")).to_have_count(4)
    for _ in range(2):
        page.locator(".toast").first.get_by_role("button", name="Close").click()
    expect(more).to_be_hidden()


def test_the_ticket_is_one_key_away_and_the_keys_are_listed(watched: Watched, demo: VenueProcess) -> None:
    """Buy and sell differ by word and place."""
    page = trade(watched.page, demo)
    button = page.get_by_test_id("ticket-send")
    page.keyboard.press("s")
    expect(page.get_by_test_id("ticket-price")).to_be_focused()
    expect(page.get_by_test_id("ticket-sell")).to_have_attribute("aria-pressed", "true")
    expect(button).to_have_text(f"Sell {SYMBOL}")
    sell = button.bounding_box()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(button).to_have_text(f"Buy {SYMBOL}")
    buy = button.bounding_box()
    assert buy is not None
    assert sell is not None
    assert sell["x"] > buy["x"] + 20
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.keyboard.press("b")  # in a field of numbers it is the side, too, and no letter
    expect(page.get_by_test_id("ticket-send")).to_have_text(f"Buy {SYMBOL}")
    page.keyboard.type("s4e4x3.b5")
    expect(page.get_by_test_id("ticket-price")).to_have_value("443.5")
    expect(page.get_by_test_id("ticket-price")).to_be_focused()
    page.keyboard.insert_text("1e5")  # as if pasted: whole or not at all
    page.keyboard.insert_text("\uff11")
    expect(page.get_by_test_id("ticket-price")).to_have_value("443.51")
    page.get_by_test_id("ticket-price").fill("")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_test_id("keys")).to_contain_text("Ticket: buy")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("keys")).to_have_count(0)
    page.locator("[data-testid=ladder] tr.bid[data-price]").first.click()
    price = Decimal(page.get_by_test_id("ticket-price").input_value())
    band = limits(demo)
    assert Decimal(band["lower_limit"]) <= price <= Decimal(band["upper_limit"])
    watched.troubles.clear()  # The check refuses a price that is typed digit by digit: 422.


def test_what_was_typed_outlives_a_change_of_language_and_theme(watched: Watched, demo: VenueProcess) -> None:
    page = trade(watched.page, demo)
    page.get_by_test_id("ticket-type-stop_limit").click()
    fill_in(page, "sell", stop_price="210.00", price="209.50", quantity="7")
    page.get_by_test_id("theme").click()
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("ticket-send")).to_have_text(f"卖出 {SYMBOL} 7 手")
    expect(page.get_by_test_id("ticket-stop_price")).to_have_value("210.00")
    expect(page.get_by_test_id("ticket-price")).to_have_value("209.50")
    page.reload()
    expect(page.get_by_test_id("ticket-send")).to_have_text(f"买入 {SYMBOL}")
    expect(page.get_by_test_id("ticket-price")).to_have_value("")
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("ticket-send")).to_have_text(f"Buy {SYMBOL}")
