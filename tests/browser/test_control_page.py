"""The control page: each act is asked for, sent once, told beside and seen in the API; who may not act reads or is told so.

The tests have one venue in common, in this order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import VenueProcess, Watched
from tests.browser.figuring import some_trades, year_of
from tests.browser.operating import actions, add_people, confirm, enter, open_page

SYMBOL = "PRND-OX"
DESK = "Demo Trading Desk"


@pytest.fixture(scope="module")
def venue(own_demo: VenueProcess) -> VenueProcess:
    """The demo with a person of each role."""
    add_people(own_demo, "visitor", "trader", "operator", "auditor", "admin")
    return own_demo


@pytest.fixture
def control(watched: Watched, venue: VenueProcess) -> Iterator[Page]:
    """The page of an operator, with PRND-OX chosen. Halts, switches and phases are as before after the test."""
    enter(watched.page, venue, "operator")
    open_page(watched.page, venue, f"/ui/control?product={SYMBOL}&account={venue.keys[DESK]['account']}")
    yield watched.page
    venue.post("/v1/admin/kill_switch/off")
    venue.post(f"/v1/admin/accounts/{venue.keys[DESK]['account']}/kill_switch/off")
    venue.post("/v1/admin/resume")
    venue.put(f"/v1/admin/instruments/{SYMBOL}/phase", {"phase": "continuous"})


def test_a_declined_question_sends_nothing(control: Page, venue: VenueProcess) -> None:
    before = venue.get("/v1/admin/log", limit=1)["actions"][0]["seq"]
    for button in (
        "halt",
        "halt-all",
        "kill-on",
        "cancel-all",
        "set-phase",
        "set-collar",
        "set-band",
        "change-terms",
        "list-instrument",
        "state-context",
        "account-limits",
    ):
        control.get_by_test_id(button).click()
        control.get_by_test_id("dialog").get_by_role("button", name="Go back", exact=True).click()
        expect(control.get_by_test_id("dialog")).to_have_count(0)
    control.get_by_test_id("halt").click()
    control.keyboard.press("Escape")
    assert actions(venue, limit=1)[0]["seq"] == before


def test_a_halt_is_asked_for_sent_once_told_beside_and_logged_with_the_person(
    control: Page, venue: VenueProcess
) -> None:
    control.get_by_test_id("halt").click()
    expect(control.get_by_test_id("dialog")).to_contain_text(SYMBOL)
    control.get_by_test_id("field-reason").fill("news of a producer")
    control.get_by_test_id("confirm").dblclick()  # the second click finds no question any more
    outcome = control.locator("#instrument").get_by_test_id("outcome")
    expect(outcome).to_contain_text(f"{SYMBOL} is halted. Command ")
    expect(control.get_by_test_id("toast").first).to_contain_text(f"{SYMBOL} is halted.")
    assert venue.get(f"/v1/market/{SYMBOL}/ticker")["phase"] == "halted"
    found = [action for action in actions(venue, kind="halt") if action["person"] == "the operator"]
    assert len(found) == 1
    tile = control.locator(f"[data-testid=tile][data-symbol='{SYMBOL}']")
    expect(tile).to_have_attribute("data-phase", "halted")
    expect(control.get_by_test_id("halt")).to_be_disabled()
    first = control.get_by_test_id("log").locator("tbody tr").first
    expect(first).to_contain_text("halt")
    expect(first).to_contain_text("the operator")
    expect(first).to_contain_text("news of a producer")
    confirm(control, control.get_by_test_id("resume"))
    expect(tile).to_have_attribute("data-phase", "continuous")
    expect(control.get_by_test_id("resume")).to_be_disabled()


def test_the_whole_venue_is_halted_and_its_kill_switch_is_turned(control: Page, venue: VenueProcess) -> None:
    confirm(control, control.get_by_test_id("halt-all"))
    expect(control.get_by_test_id("halt-state")).to_have_text("32 of 32")
    confirm(control, control.get_by_test_id("resume-all"))
    expect(control.get_by_test_id("halt-state")).to_have_text("0 of 32")
    confirm(control, control.get_by_test_id("kill-on"))
    expect(control.get_by_test_id("kill-state")).to_have_text("on: cancels only")
    assert venue.get("/v1/venue")["kill_switch"] is True
    confirm(control, control.get_by_test_id("kill-off"))
    expect(control.get_by_test_id("kill-state")).to_have_text("off: orders are taken")
    assert venue.get("/v1/venue")["kill_switch"] is False


def test_a_target_is_set_and_replaces_the_one_in_force(control: Page, venue: VenueProcess) -> None:
    year = venue.get("/v1/venue")["trading_date"][:4]

    def in_force() -> dict[tuple[str, str, int], dict[str, Any]]:
        found = [one for one in venue.get(f"/v1/reports/targets/{year}")["targets"] if one["in_force"]]
        return {(one["scope"], one["metric"], one["month"]): one for one in found}

    older = in_force()["venue", "net_traded", 0]
    expect(control.get_by_test_id("target-state")).to_have_text("¥ 23,000,000,000.00")
    button = control.get_by_test_id("set-target")
    confirm(control, button, amount="24000000000", name="the board's", reason="decision of 5 January")
    expect(control.get_by_test_id("target-state")).to_have_text("¥ 24,000,000,000.00")
    newer = in_force()["venue", "net_traded", 0]
    assert (newer["amount"], newer["name"], newer["replaces"]) == ("24000000000.00", "the board's", older["seq"])
    month = {"scope": "product:PRND-OX", "metric": "tonnes", "month": "3"}
    confirm(control, button, **month, amount="1200.5", name="oxide, March", reason="plan")
    expect(control.get_by_test_id("venue-acts").get_by_test_id("outcome")).to_contain_text("PRND-OX · tonnes · month 3")
    assert in_force()["product:PRND-OX", "tonnes", 3]["amount"] == "1200.500"
    expect(control.locator("#log-panel")).to_contain_text("PRND-OX · tonnes · month 3 · 1,200.500 t · oxide, March")
    assert actions(venue, kind="target_set")[0]["person"] == "the operator"


def test_a_figure_from_outside_is_entered_and_withdrawn(control: Page, venue: VenueProcess) -> None:
    year = year_of(venue) - 1

    def figures() -> list[tuple[str, ...]]:
        found = venue.get(f"/v1/reports/context/{year}", at_least_seq=actions(venue, limit=1)[0]["seq"])["figures"]
        return [tuple(one[name] for name in ("figure", "value", "unit", "source", "name")) for one in found]

    button, told = control.get_by_test_id("state-context"), control.get_by_test_id("venue-acts")
    stated = {"year": str(year), "figure": "output value", "source": "the statistical bulletin"}
    confirm(control, button, **stated, value="75000000000", unit="yuan")
    expect(told).to_contain_text(f"output value of {year} is entered: 75,000,000,000 yuan. Command ")
    assert figures() == [("output value", "75000000000", "yuan", "the statistical bulletin", "the operator")]
    button.click()
    expect(control.get_by_test_id("dialog")).to_contain_text(f"{year} · output value75,000,000,000 yuan")
    consequence = control.get_by_test_id("dialog").locator(".consequence")
    for value, said in (
        ("", "the figure of this year is withdrawn"),
        ("7", "It replaces the value"),
        (" ", "withdrawn"),
    ):
        control.get_by_test_id("field-value").fill(value)
        expect(consequence).to_contain_text(said)
        expect(consequence).to_contain_text("once a minute")
    control.keyboard.press("Escape")
    confirm(control, button, **stated)
    expect(told).to_contain_text(f"output value of {year} is withdrawn")
    assert figures() == []


def test_phase_collar_and_volatility_band_are_set_and_the_board_shows_them(control: Page, venue: VenueProcess) -> None:
    expect(control.get_by_test_id("tile")).to_have_count(32)
    expect(control.get_by_test_id("chosen")).to_contain_text(SYMBOL)
    expect(control.get_by_test_id("countdown")).to_contain_text("day roll")
    changes = venue.get("/v1/calendar")["changes_today"]  # the day roll; on a day without trading nothing
    expect(control.get_by_test_id("timetable").locator(".next, .past")).to_have_count(len(changes))

    def instrument() -> dict[str, object]:
        return next(one for one in venue.get("/v1/instruments") if one["symbol"] == SYMBOL)

    confirm(control, control.get_by_test_id("set-phase"), phase="call_auction")
    tile = control.locator(f"[data-testid=tile][data-symbol='{SYMBOL}']")
    expect(tile).to_have_attribute("data-phase", "call_auction")
    for place in (tile, control.locator("[data-fact=phase]"), control.get_by_test_id("phase-counts")):
        expect(place).to_contain_text("call auction")
    expect(control.locator("[data-fact=ends]")).to_have_text("when an operator sets another phase")
    assert instrument()["phase"] == "call_auction"
    confirm(control, control.get_by_test_id("set-collar"), rate="2.5")
    expect(control.locator("[data-fact=collar]")).to_have_text("2.5 %")
    confirm(control, control.get_by_test_id("set-band"), rate="1.25", auction_seconds="90")
    expect(control.locator("[data-fact=volatility]")).to_have_text("1.25 %, auction of 90 s")
    now = instrument()
    assert (now["collar_rate"], now["volatility_rate"], now["auction_seconds"]) == ("0.025000", "0.012500", 90)
    control.get_by_test_id("set-collar").click()
    control.get_by_test_id("dialog").locator("[name=rate]").fill("120")
    control.get_by_test_id("confirm").click()
    expect(control.get_by_test_id("dialog")).to_be_visible()  # no percentage: the question stays
    control.keyboard.press("Escape")


def test_an_account_its_balances_limits_kill_switch_and_orders(watched: Watched, venue: VenueProcess) -> None:
    """Of a list that is read through all its pages; its kill switches are in sight beside long names and large amounts, in a
    window of 1,440 pixels with its two scroll bars."""
    control, asked = watched.page, list[str]()

    def five(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_(url=route.request.url.replace("limit=500", "limit=5"))

    control.route("**/v1/admin/accounts?*", five)
    enter(control, venue, "operator")
    open_page(control, venue, f"/ui/control?product={SYMBOL}")
    accounts = venue.get("/v1/admin/accounts", limit=500)["accounts"]
    expect(control.get_by_test_id("pick-account")).to_have_text([account["name"] for account in accounts])
    assert len([url for url in asked if "cursor=" in url]) >= len(accounts) // 5 > 0
    act_on_the_desk(control, venue)
    control.set_viewport_size({"width": 1440 - 2 * 15, "height": 900})
    assert control.evaluate(OVERFLOW) <= 0


def act_on_the_desk(control: Page, venue: VenueProcess) -> None:
    account = venue.keys[DESK]["account"]
    price = venue.get(f"/v1/market/{SYMBOL}/ticker")["lower_limit"]
    order = venue.place(DESK, symbol=SYMBOL, side="buy", price=price, quantity=2, time_in_force="gtc")
    row = control.get_by_test_id("accounts").locator("tr", has_text=DESK)
    expect(row).to_contain_text(f"¥ {float(venue.get('/v1/account', DESK)['available']):,.2f}")
    row.get_by_test_id("pick-account").click()
    expect(control.get_by_test_id("account-chosen")).to_have_text(f"{account} · {DESK}")
    panel = control.get_by_test_id("account")
    expect(panel.locator("[data-fact=open_orders]")).to_have_text("1")
    limits = {
        "max_order_quantity": "50",
        "max_order_value": "5000000.00",
        "max_open_orders": "",
        "max_day_turnover": "",
    }
    confirm(control, control.get_by_test_id("account-limits"), **limits)
    expect(panel.locator("[data-fact=max_order_value]")).to_have_text("¥ 5,000,000.00")
    assert venue.get("/v1/account", DESK)["limits"] == {
        "max_order_quantity": 50,
        "max_order_value": "5000000.00",
        "max_open_orders": None,
        "max_day_turnover": None,
    }
    confirm(control, control.get_by_test_id("account-kill-on"))
    expect(panel.locator("[data-fact=kill_switch]")).to_have_text("on: cancels only")
    assert venue.get("/v1/account", DESK)["kill_switch"] is True
    assert venue.get("/v1/venue")["kill_switch"] is False
    confirm(control, control.get_by_test_id("account-cancel"))
    expect(panel.get_by_test_id("outcome")).to_contain_text("Orders canceled: 1.")
    assert venue.get(f"/v1/orders/{order['order_id']}", DESK)["state"] == "canceled"
    confirm(control, control.get_by_test_id("account-kill-off"))
    expect(panel.locator("[data-fact=kill_switch]")).to_have_text("off: orders are taken")


OVERFLOW = """() => {
  const list = document.querySelector("#accounts-panel .scrolled");
  const [name, large] = ["Inner Mongolia Rare Earth Functional Materials", "¥ 98,765,432,109.87"];
  for (const [nth, text] of [[2, name], [4, large], [5, large], [7, large]]) {
    for (const cell of list.querySelectorAll(`td:nth-child(${nth})`)) (cell.firstElementChild ?? cell).textContent = text;
  }
  return list.scrollWidth - list.clientWidth;
}"""


def test_a_trade_is_found_by_id_member_product_and_time_and_busted(control: Page, venue: VenueProcess) -> None:
    some_trades(venue, 1)
    venue.post("/v1/admin/halt")  # so that no newer trade follows
    reached = venue.get("/v1/venue")["seq"]
    trade = venue.get("/v1/reports/trades", limit=1, year=year_of(venue), at_least_seq=reached)["trades"][0]
    found = control.get_by_test_id("found-trades").locator("tbody tr")
    form = control.get_by_test_id("trade-search")
    form.get_by_test_id("field-trade").fill(trade["trade_id"])
    form.get_by_test_id("search").click()
    expect(found).to_have_count(1)
    expect(control.get_by_test_id("trade-chosen")).to_have_text(trade["trade_id"])
    expect(control).to_have_url(re.compile(f"trade={trade['trade_id']}"))
    form.get_by_test_id("field-trade").fill("")
    form.get_by_test_id("field-symbol").select_option(trade["product"])
    form.get_by_test_id("search").click()
    expect(found.first).to_contain_text(trade["product"])
    last = venue.get(f"/v1/market/{trade['product']}/trades", limit=1)[0]["trade_id"]
    expect(found.first).to_contain_text(last)
    form.get_by_test_id("field-symbol").select_option("")
    form.get_by_test_id("field-member").select_option(str(trade["buyer"]["account"]))
    form.get_by_test_id("search").click()
    expect(found.first).to_contain_text(trade["buyer"]["name"])
    form.get_by_test_id("field-member").select_option("")
    form.get_by_test_id("field-from").fill("2026-01-01T00:00:00")
    form.get_by_test_id("search").click()
    expect(control.get_by_test_id("search-said")).to_have_text("A time also needs an account or a product.")
    form.get_by_test_id("field-from").fill("")
    form.get_by_test_id("search").click()
    expect(found.first).to_contain_text(trade["trade_id"])
    control.locator(f"[data-testid=pick-trade][data-trade='{trade['trade_id']}']").click()
    control.get_by_test_id("bust").click()
    dialog = control.get_by_test_id("dialog")
    for said in (trade["buyer"]["name"], trade["seller"]["name"], f"{float(trade['amount']):,.2f}"):
        expect(dialog).to_contain_text(said)
    dialog.get_by_test_id("confirm").click()
    expect(dialog).to_be_visible()  # a reason is needed
    dialog.locator("[name=reason]").fill("fat finger, agreed by both sides")
    dialog.get_by_test_id("confirm").click()
    expect(control.get_by_test_id("trade").get_by_test_id("outcome")).to_contain_text("is busted. Command ")
    expect(control.locator(f"tr[data-key='{trade['trade_id']}']")).to_contain_text("busted")
    now = venue.get(f"/v1/reports/trades/{trade['trade_id']}")
    assert (now["why_not"], now["bust"]["reason"]) == ("busted", "fat finger, agreed by both sides")
    expect(control.get_by_test_id("bust")).to_have_count(0)
    expect(control.get_by_test_id("busted-by")).to_have_text("the operator")


def test_an_operator_lists_a_product_and_changes_its_terms(control: Page, venue: VenueProcess) -> None:
    def listed() -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in venue.get("/v1/instruments") if one["symbol"] == "SC-OX")
        return found

    told = control.get_by_test_id("venue-acts").get_by_test_id("outcome")
    terms = {"symbol": "SC-OX", "name_en": "Scandium oxide", "name_zh": "氧化钪", "category": "deep_processed",
             "family": "separated_oxide", "unit": "kg", "lot_size": "10", "tick_size": "1.00",
             "reference_price": "6000.00", "band_rate": "6", "max_quantity": "1000", "spec": "99.99 %"}  # fmt: skip
    confirm(control, control.get_by_test_id("list-instrument"), **terms, reason="the board of 3 March")
    expect(told).to_contain_text("SC-OX is listed. Command ")
    expect(control.get_by_test_id("listed-count")).to_have_text("33")
    for name, value in terms.items():
        shown = {"band_rate": "0.060000"}.get(name, value)
        assert str(listed()[name]) == shown
    control.locator("[data-testid=tile][data-symbol='SC-OX']").click()
    button = control.get_by_test_id("change-terms")
    confirm(control, button, reason="nothing")
    outcome = control.locator("#instrument").get_by_test_id("outcome")
    expect(outcome).to_contain_text("No field was changed")
    before = listed()
    confirm(control, button, band_rate="8", collar_rate="2.5", note="4N only", reason="the board of 4 March")
    expect(outcome).to_contain_text("The terms of SC-OX are changed: price limits, collar, note")
    changed = {"band_rate": "0.080000", "collar_rate": "0.025000", "note": "4N only"}
    limits = {"lower_limit": "5520.00", "upper_limit": "6480.00"}
    assert listed() == before | changed | limits
    expect(control.locator("[data-fact=band]")).to_have_text("5,520.00 – 6,480.00")
    for kind, why in (("list_instrument", "the board of 3 March"), ("change_instrument", "the board of 4 March")):
        (logged,) = actions(venue, kind=kind)
        assert (logged["person"], logged["why"]) == ("the operator", why)
