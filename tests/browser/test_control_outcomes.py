"""The control page when an answer does not come: what has a key is sent again, what has none is looked at first."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import VenueProcess
from tests.browser.figuring import log_in, some_trades, year_of
from tests.browser.operating import actions, confirm, open_page

SYMBOL = "PRND-OX"
DESK = "Demo Trading Desk"


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
def test_what_is_sent_again_is_the_same_and_carried_out_once_although_the_question_was_asked_anew(
    demo: VenueProcess, page: Page, button: str, path: str, kind: str, fields: dict[str, str], said: str
) -> None:
    log_in(page, demo, "operator")
    open_page(page, demo, f"/ui/control?product={SYMBOL}")
    sent: list[tuple[str, Any]] = []

    def lose(route: Route) -> None:
        sent.append((route.request.headers["idempotency-key"], route.request.post_data_json))
        if len(sent) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route(f"**/v1/admin/{path}", lose)
    before = len(actions(demo, kind=kind))
    confirm(page, page.get_by_test_id(button), **fields, reason="the board of 4 March")
    again = page.get_by_test_id("again")
    expect(page.get_by_test_id("outcome").filter(has=again)).to_have_attribute("data-kind", "unknown")
    demo.get(f"/v1/reports/targets/{year_of(demo)}", at_least_seq=actions(demo, limit=1)[0]["seq"])
    page.get_by_test_id(button).click()  # it reads what holds since
    expect(page.get_by_test_id("dialog")).to_contain_text(fields.get("name", SYMBOL))
    page.keyboard.press("Escape")
    again.click()
    expect(page.get_by_test_id("outcome").filter(has_text=said)).to_have_count(1)
    assert sent[1:] == sent[:1]
    assert len(actions(demo, kind=kind)) == before + 1


def test_a_mass_cancel_whose_answer_was_lost_is_not_offered_again(
    page: Page, demo: VenueProcess, no_orders: None
) -> None:
    asked: list[str] = []

    def lose(route: Route) -> None:
        asked.append(route.request.method)
        route.fetch()
        route.abort()

    account = demo.keys[DESK]["account"]
    price = demo.get(f"/v1/market/{SYMBOL}/ticker")["lower_limit"]
    resting = {"symbol": SYMBOL, "side": "buy", "price": price, "quantity": 1, "time_in_force": "gtc"}
    first = demo.place(DESK, **resting)
    page.route(re.compile("/v1/orders[?]"), lose)
    log_in(page, demo, "operator")
    open_page(page, demo, f"/ui/control?account={account}")
    confirm(page, page.get_by_test_id("account-cancel"))
    outcome = page.get_by_test_id("account").get_by_test_id("outcome")
    expect(outcome).to_contain_text("also ends orders that were placed since")
    expect(outcome.get_by_test_id("again")).to_have_count(0)
    expect(page.locator("#account [data-fact=open_orders]")).to_have_text("0")  # the list was read again
    second = demo.place(DESK, **resting)
    assert asked == ["DELETE"]
    assert demo.get(f"/v1/orders/{first['order_id']}", DESK)["state"] == "canceled"
    assert demo.get(f"/v1/orders/{second['order_id']}", DESK)["state"] == "new"


def test_an_unknown_outcome_stays_with_its_trade(page: Page, demo: VenueProcess) -> None:
    page.route("**/bust", lambda route: route.abort())
    one, other = some_trades(demo, 2)[:2]
    log_in(page, demo, "operator")
    open_page(page, demo, f"/ui/control?trade={one}")
    panel = page.get_by_test_id("trade")
    confirm(page, panel.get_by_test_id("bust"), reason="fat finger")
    expect(panel.get_by_test_id("again")).to_be_visible()
    form = page.get_by_test_id("trade-search")
    for trade, count in ((other, 0), (one, 1)):
        form.get_by_test_id("field-trade").fill(trade)
        form.get_by_test_id("search").click()
        expect(panel.get_by_test_id("trade-chosen")).to_have_text(trade)
        expect(panel.get_by_test_id("again")).to_have_count(count)
