"""The control page when an answer does not come: what has a key is sent again, what has none is looked at first.

The tests have one venue in common, in this order.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.conftest import VenueProcess
from tests.browser.figuring import some_trades, year_of
from tests.browser.operating import actions, add_people, confirm, enter, open_page

SYMBOL = "PRND-OX"
DESK = "Demo Trading Desk"


@pytest.fixture(scope="module")
def venue(demo: VenueProcess) -> VenueProcess:
    """The demo with an operator."""
    add_people(demo, "operator")
    return demo


def test_an_act_whose_answer_was_lost_is_sent_again_and_carried_out_once(venue: VenueProcess, page: Page) -> None:
    enter(page, venue, "operator")
    open_page(page, venue, f"/ui/control?product={SYMBOL}")
    keys: list[str] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()  # it arrives, and is carried out
            route.abort()
        else:
            route.continue_()

    page.route("**/halt", lose)
    before = len(actions(venue, kind="halt"))
    confirm(page, page.get_by_test_id("halt"))
    outcome = page.locator("#instrument").get_by_test_id("outcome")
    expect(outcome).to_have_attribute("data-kind", "unknown")
    outcome.get_by_test_id("again").click()
    expect(outcome).to_contain_text("is halted. Command ")
    assert len(set(keys)) == 1
    assert len(actions(venue, kind="halt")) == before + 1
    venue.post("/v1/admin/resume")


@pytest.mark.parametrize(
    ("button", "path", "kind", "fields", "said"),
    [
        (
            "change-terms",
            f"instruments/{SYMBOL}",
            "change_instrument",
            {"note": "4N only"},
            "are changed: note",
        ),
        ("set-target", "targets", "target_set", {"amount": "25000000000", "name": "the board's"}, "Command "),
    ],
)
def test_what_is_sent_again_is_the_same_although_the_question_was_asked_anew(
    venue: VenueProcess, page: Page, button: str, path: str, kind: str, fields: dict[str, str], said: str
) -> None:
    enter(page, venue, "operator")
    open_page(page, venue, f"/ui/control?product={SYMBOL}")
    sent: list[tuple[str, Any]] = []

    def lose(route: Route) -> None:
        sent.append((route.request.headers["idempotency-key"], route.request.post_data_json))
        if len(sent) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route(f"**/v1/admin/{path}", lose)
    before = len(actions(venue, kind=kind))
    confirm(page, page.get_by_test_id(button), **fields, reason="the board of 4 March")
    again = page.get_by_test_id("again")
    expect(again).to_be_visible()
    venue.get(f"/v1/reports/targets/{year_of(venue)}", at_least_seq=actions(venue, limit=1)[0]["seq"])
    page.get_by_test_id(button).click()  # it reads what holds since
    expect(page.get_by_test_id("dialog")).to_contain_text(fields.get("name", SYMBOL))
    page.keyboard.press("Escape")
    again.click()
    expect(page.get_by_test_id("outcome").filter(has_text=said)).to_have_count(1)
    assert sent[1:] == sent[:1]
    assert len(actions(venue, kind=kind)) == before + 1


def test_a_question_on_a_dead_line_sends_nothing_and_keeps_what_was_typed(page: Page, venue: VenueProcess) -> None:
    sockets: list[WebSocketRoute] = []
    is_dead = False

    def pass_on(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if is_dead:
            socket.close()
        else:
            socket.connect_to_server()

    page.route_web_socket(re.compile("/v1/ws$"), pass_on)
    enter(page, venue, "operator")
    open_page(page, venue, f"/ui/control?product={SYMBOL}")
    before = actions(venue, limit=1)[0]["seq"]
    page.get_by_test_id("set-collar").click()
    rate = page.get_by_test_id("dialog").locator("[name=rate]")
    rate.fill("2.75")
    is_dead = True
    sockets[-1].close()
    expect(page.locator("html")).to_have_attribute("data-line", "dead")
    rate.press("Enter")
    expect(rate).to_have_value("2.75")
    assert actions(venue, limit=1)[0]["seq"] == before
    is_dead = False
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    rate.press("Enter")
    expect(page.locator("#instrument").get_by_test_id("outcome")).to_contain_text("is 2.75 %. Command ")


def test_a_mass_cancel_whose_answer_was_lost_is_not_offered_again(page: Page, venue: VenueProcess) -> None:
    asked: list[str] = []

    def lose(route: Route) -> None:
        asked.append(route.request.method)
        route.fetch()
        route.abort()

    account = venue.keys[DESK]["account"]
    price = venue.get(f"/v1/market/{SYMBOL}/ticker")["lower_limit"]
    resting = {"symbol": SYMBOL, "side": "buy", "price": price, "quantity": 1, "time_in_force": "gtc"}
    first = venue.place(DESK, **resting)
    page.route(re.compile("/v1/orders[?]"), lose)
    enter(page, venue, "operator")
    open_page(page, venue, f"/ui/control?account={account}")
    confirm(page, page.get_by_test_id("account-cancel"))
    outcome = page.get_by_test_id("account").get_by_test_id("outcome")
    expect(outcome).to_contain_text("also ends orders that were placed since")
    expect(outcome.get_by_test_id("again")).to_have_count(0)
    expect(page.locator("#account [data-fact=open_orders]")).to_have_text("0")  # the list was read again
    second = venue.place(DESK, **resting)
    assert asked == ["DELETE"]
    assert venue.get(f"/v1/orders/{first['order_id']}", DESK)["state"] == "canceled"
    assert venue.get(f"/v1/orders/{second['order_id']}", DESK)["state"] == "new"


def test_an_unknown_outcome_stays_with_its_trade(page: Page, venue: VenueProcess) -> None:
    page.route("**/bust", lambda route: route.abort())
    one, other = some_trades(venue, 2)[:2]
    enter(page, venue, "operator")
    open_page(page, venue, f"/ui/control?trade={one}")
    panel = page.get_by_test_id("trade")
    confirm(page, panel.get_by_test_id("bust"), reason="fat finger")
    expect(panel.get_by_test_id("again")).to_be_visible()
    form = page.get_by_test_id("trade-search")
    for trade, count in ((other, 0), (one, 1)):
        form.get_by_test_id("field-trade").fill(trade)
        form.get_by_test_id("search").click()
        expect(panel.get_by_test_id("trade-chosen")).to_have_text(trade)
        expect(panel.get_by_test_id("again")).to_have_count(count)
