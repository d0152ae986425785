"""The surveillance page: findings, decisions, alerts, measures and control groups as in the API; each act changes them.

The tests have one venue in common, in this order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import VenueProcess, Watched, rex
from tests.browser.figuring import year_of
from tests.browser.operating import actions, add_people, confirm, enter, open_page
from tests.browser.washing import RING, SELF_TRADER, Market, trade_a_day
from tests.patience import HttpClient

QUIET = {"REX_ALERTS_EVERY_S": "1", "REX_ALERT_QUIET_S": "2"}
"""An alert is raised when no command came for two seconds."""

PUT_ALERT = """async alert => {
    const main = document.querySelector('script[type=module]').src;
    const { set } = await import(new URL('../app/store.js', main));
    set('alerts', new Map([[alert.alert_id, alert]]));
}"""
"""Puts an alert in the place of those that the venue has pushed: about findings it raises one when a day is complete."""

COUNTED = """() => {
    const said = document.querySelector('[data-testid=unseen]');
    const rows = document.querySelectorAll('[data-testid=alerts] [data-testid=acknowledge]');
    return rows.length === (said.hidden ? 0 : Number(said.textContent.replace(/\\D/g, '')));
}"""
"""The head counts the alerts that stand there to be acknowledged."""


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """A venue where two members sell the same goods to and fro, all others trade with whom they meet, and one meets itself."""
    folder = tmp_path_factory.mktemp("watched")
    with rex(folder, "serve", "--new", "--schedule", "always", "--json", variables=QUIET) as served:
        served.wait_for_reports()
        others = [f"Works {number}" for number in range(1, 13)]
        with HttpClient(base_url=served.url) as client:
            trade_a_day(Market(served, client, [*RING, *others]), others)
        add_people(served, "visitor", "operator", "auditor")
        yield served


@pytest.fixture
def surveillance(watched: Watched, venue: VenueProcess) -> Page:
    """The page of an operator."""
    enter(watched.page, venue, "operator")
    open_page(watched.page, venue, "/ui/surveillance")
    return watched.page


def finding_of(venue: VenueProcess) -> dict[str, Any]:
    reached = venue.get("/v1/venue")["seq"]
    found: list[dict[str, Any]] = venue.get(f"/v1/reports/findings/{year_of(venue)}", at_least_seq=reached)["findings"]
    (finding,) = [one for one in found if set(one["members"]) == {*RING}]
    return finding


def net_of(venue: VenueProcess) -> str:
    reached = venue.get("/v1/venue")["seq"]
    return str(venue.get(f"/v1/reports/turnover/{year_of(venue)}", at_least_seq=reached)["net"])


def test_a_finding_is_a_graph_with_its_sentence_and_its_trades(surveillance: Page, venue: VenueProcess) -> None:
    finding = finding_of(venue)
    card = surveillance.locator(f"[data-testid=finding][data-finding='{finding['finding']}']")
    expect(card).to_contain_text(finding["sentence"])
    expect(card).to_contain_text(f"¥ {float(finding['amount']):,.2f}")
    expect(card.get_by_role("img")).to_have_attribute("aria-label", re.compile("Who sold to whom"))
    expect(card.locator("svg .node")).to_have_count(2)
    card.locator("summary").click()
    trades = card.get_by_test_id(f"finding-{finding['finding']}").locator("tbody tr")
    expect(trades).to_have_count(finding["trades"])
    expect(trades.first).to_contain_text(finding["trade_ids"][0])
    expect(surveillance.get_by_test_id("summary")).to_contain_text("1 without a decision")
    keep_its_trades(surveillance, venue, finding)


def keep_its_trades(surveillance: Page, venue: VenueProcess, finding: dict[str, Any]) -> None:
    """That acknowledges the alert that the dialog named."""
    card = surveillance.locator(f"[data-testid=finding][data-finding='{finding['finding']}']")
    alert = {
        "kind": "wash_finding",
        "severity": "warning",
        "acknowledged": None,
        "subject": "",
        "raised_at": "2026-01-05T02:00:00Z",
    }
    alert |= {"state": "open", "sentence": finding["sentence"], "sentence_zh": finding["sentence_zh"]}
    asked: list[tuple[str, Any]] = []

    def answer(route: Route) -> None:
        asked.append((route.request.url, route.request.post_data_json))
        route.fulfill(json={"seq": 1})

    surveillance.route("**/acknowledge", answer)
    expect(card.get_by_test_id("keep")).to_be_disabled()  # no alert is open about it
    surveillance.evaluate(PUT_ALERT, alert | {"alert_id": "first"})
    card.get_by_test_id("keep").click()
    dialog = surveillance.get_by_test_id("dialog")
    expect(dialog).to_contain_text(finding["sentence"])
    surveillance.evaluate(PUT_ALERT, alert | {"alert_id": "second"})
    dialog.locator("[name=note]").fill("a hedge")
    dialog.get_by_test_id("confirm").click()
    expect(card.get_by_test_id("outcome")).to_contain_text("The alert is acknowledged. Command ")
    assert asked == [(f"{venue.url}/v1/alerts/first/acknowledge", {"name": "the operator", "note": "a hedge"})]
    surveillance.unroute("**/acknowledge")


def test_a_person_excludes_the_trades_of_a_finding_and_lets_them_count_again(
    surveillance: Page, venue: VenueProcess
) -> None:
    finding, net = finding_of(venue), net_of(venue)
    card = surveillance.locator(f"[data-testid=finding][data-finding='{finding['finding']}']")
    expect(card.get_by_test_id("include")).to_be_disabled()
    card.get_by_test_id("exclude").click()
    dialog = surveillance.get_by_test_id("dialog")
    for said in (*RING, f"¥ {float(finding['amount']):,.2f}", "the operator"):
        expect(dialog).to_contain_text(said)
    dialog.get_by_role("button", name="Go back", exact=True).click()
    assert actions(venue, kind="trades_decided") == []
    confirm(surveillance, card.get_by_test_id("exclude"), reason="a circle of two members")
    expect(card.get_by_test_id("outcome")).to_contain_text(
        f"Trades that no longer count: {finding['trades']}. Command "
    )
    expect(card.get_by_test_id("decided")).to_contain_text("Excluded by decision")
    (decision,) = venue.get("/v1/reports/decisions", year=year_of(venue))
    assert (decision["trade_ids"], decision["name"]) == (finding["trade_ids"], "the operator")
    assert float(net_of(venue)) == float(net) - float(finding["amount"])
    row = surveillance.get_by_test_id("decisions").locator("tbody tr").first
    expect(row).to_contain_text("a circle of two members")
    confirm(surveillance, card.get_by_test_id("include"), reason="a hedge, shown by contract")
    expect(card.get_by_test_id("decided")).to_contain_text("Counts again by decision")
    assert net_of(venue) == net
    expect(surveillance.get_by_test_id("decisions").locator("tbody tr")).to_have_count(2)
    (_, excluded) = actions(venue, kind="trades_decided")
    excluding = surveillance.get_by_test_id("decisions").locator("tbody tr", has_text="a circle of two members")
    excluding.get_by_role("link", name=f"{excluded['seq']:,}", exact=True).click()
    in_log = surveillance.get_by_test_id("log").locator("tbody tr", has_text="a circle of two members")
    expect(in_log).to_contain_text(f"{excluded['seq']:,}")


def test_the_address_says_what_is_shown(surveillance: Page, venue: VenueProcess) -> None:
    accounts = {one["name"]: one["account"] for one in venue.get("/v1/admin/accounts", limit=500)["accounts"]}
    form = surveillance.get_by_role("search")
    form.locator("[name=account]").select_option(str(accounts["Works 1"]))
    expect(surveillance).to_have_url(re.compile(f"account={accounts['Works 1']}"))
    expect(surveillance.get_by_test_id("finding")).to_have_count(0)
    open_page(surveillance, venue, f"/ui/surveillance?account={accounts[RING[0]]}")
    expect(surveillance.get_by_test_id("finding")).to_have_count(1)
    surveillance.get_by_role("search").locator("[name=year]").select_option(str(year_of(venue) - 1))
    expect(surveillance.get_by_test_id("finding")).to_have_count(0)
    surveillance.go_back()
    expect(surveillance.get_by_test_id("finding")).to_have_count(1)


def test_an_alert_comes_by_itself_is_acknowledged_and_stays_in_the_history(
    surveillance: Page, venue: VenueProcess
) -> None:
    """The head of every page counts them."""
    unseen = surveillance.get_by_test_id("unseen")  # the venue is quiet, of which a critical alert tells
    expect(unseen).to_have_class("unseen danger")
    expect(unseen).to_have_attribute("aria-label", re.compile(r"^\d+ alerts? not acknowledged$"))
    link, count = surveillance.locator("[data-nav=surveillance]").bounding_box(), unseen.bounding_box()
    assert link is not None
    assert count is not None
    assert count["x"] + count["width"] <= link["x"] + link["width"], "it lies over the next link"
    row = surveillance.get_by_test_id("alerts").locator("tr", has_text="no commands")
    expect(row).to_contain_text("critical")
    surveillance.wait_for_function(COUNTED)
    surveillance.get_by_role("heading", name="Alerts").hover()
    confirm(surveillance, row.get_by_test_id("acknowledge"), note="the market is thin")
    surveillance.wait_for_function(COUNTED)
    surveillance.get_by_test_id("alerts-all").click()
    expect(surveillance.get_by_test_id("alerts")).to_contain_text("Seen by the operator")
    acknowledged = [one["acknowledged"] for one in venue.get("/v1/alerts", state="all")["alerts"]]
    assert ("the operator", "the market is thin") in [(one["name"], one["note"]) for one in acknowledged if one]


def test_the_ladder_names_a_measure_which_an_operator_imposes_and_lifts(
    surveillance: Page, venue: VenueProcess
) -> None:
    accounts = {one["name"]: one["account"] for one in venue.get("/v1/admin/accounts", limit=500)["accounts"]}
    step = surveillance.get_by_test_id("ladder").locator("tbody tr")
    expect(step).to_have_count(1)
    expect(step).to_contain_text("PRND-OX: 5 self-trade attempts (limit 5)")
    expect(step).to_contain_text("warning")
    fields = {"measure": "opening_ban", "reason": "five attempts within a minute"}
    confirm(surveillance, step.get_by_test_id("impose"), **fields)
    measure = surveillance.get_by_test_id("measures").locator("tbody tr")
    expect(measure).to_contain_text("opening ban")
    expect(measure).to_contain_text(f"{accounts[SELF_TRADER]} · {SELF_TRADER}")
    assert venue.get("/v1/account", account=accounts[SELF_TRADER])["kill_switch"] is True
    (imposed,) = venue.get(f"/v1/reports/abnormal_trading/{year_of(venue)}")["measures"]
    assert (imposed["accounts"], imposed["name"]) == ([accounts[SELF_TRADER]], "the operator")
    expect(step).to_contain_text(imposed["measure_id"])
    confirm(surveillance, measure.get_by_test_id("lift"), reason="a failed program")
    expect(measure).to_contain_text("a failed program")
    assert venue.get("/v1/account", account=accounts[SELF_TRADER])["kill_switch"] is False


def test_accounts_are_declared_to_be_under_one_control_and_no_longer(surveillance: Page, venue: VenueProcess) -> None:
    """The page then reads the counts anew, and the question about a measure names those of now."""

    def grow(route: Route) -> None:
        answer = route.fetch()
        report = answer.json()
        for step in report["steps"]:
            step["provided"] = "opening_ban"
            step["breaches"][0]["count"] = 9
        route.fulfill(response=answer, json=report)

    accounts = {one["name"]: one["account"] for one in venue.get("/v1/admin/accounts", limit=500)["accounts"]}
    pair = [accounts["Works 11"], accounts["Works 12"]]
    declare = surveillance.get_by_test_id("declare-group")
    confirm(surveillance, declare, accounts=f"{pair[0]}, {pair[1]}", reason="one person signs for both")
    row = surveillance.get_by_test_id("groups").locator("tbody tr")
    expect(row).to_contain_text("Works 11")
    (group,) = venue.get("/v1/reports/control_groups")["control_groups"]
    assert (group["accounts"], group["reason"]) == (pair, "one person signs for both")
    confirm(surveillance, row.get_by_test_id("end-group"), reason="the register was wrong")
    expect(row).to_contain_text("the register was wrong")
    assert venue.get("/v1/reports/control_groups")["control_groups"][0]["ended"]["name"] == "the operator"

    step = surveillance.get_by_test_id("ladder").locator("tbody tr")
    expect(step).to_contain_text("5 self-trade attempts")
    surveillance.route("**/v1/reports/abnormal_trading/*", grow)
    others = f"{accounts['Works 9']}, {accounts['Works 10']}"
    confirm(surveillance, declare, accounts=others, reason="one address")
    expect(step).to_contain_text("9 self-trade attempts")
    step.get_by_test_id("impose").click()
    dialog = surveillance.get_by_test_id("dialog")
    expect(dialog).to_contain_text("9 self-trade attempts")
    expect(dialog.locator("[name=measure]")).to_have_value("opening_ban")


def test_what_changed_hands_stands_beside_the_net_turnover(surveillance: Page, venue: VenueProcess) -> None:
    """Its chart is not called empty before it is known."""
    held: list[Route] = []
    surveillance.route("**/changed_hands*", lambda route: held.append(route))
    surveillance.reload()
    said, panel = surveillance.get_by_test_id("hands-said"), surveillance.locator("#hands-panel")
    expect(said).to_contain_text("Reading")
    expect(panel.locator("svg").first).to_have_attribute("viewBox", re.compile(r"\d"))
    expect(panel).not_to_contain_text("No days with trades")
    for route in held:
        route.continue_()
    hands = venue.get(f"/v1/reports/turnover/{year_of(venue)}/changed_hands")
    share = f"{float(hands['share']) * 100:.1f} %"
    for place in (said, surveillance.get_by_test_id("summary")):
        expect(place).to_contain_text(share)
    expect(panel).to_contain_text("No trading day with trades is over yet")  # today is the first


def test_an_auditor_reads_and_has_no_buttons(watched: Watched, venue: VenueProcess) -> None:
    enter(watched.page, venue, "auditor")
    open_page(watched.page, venue, "/ui/surveillance")
    expect(watched.page.get_by_test_id("finding")).not_to_have_count(0)
    expect(watched.page.get_by_test_id("alerts")).to_contain_text("no commands")
    expect(watched.page.get_by_test_id("access")).to_contain_text("nothing can be changed")
    expect(watched.page.locator("main [data-acts]")).to_have_count(0)


def test_a_visitor_reads_what_changed_hands_and_nobody_is_told_what_it_needs(
    watched: Watched, venue: VenueProcess
) -> None:
    open_page(watched.page, venue, "/ui/surveillance")
    expect(watched.page.get_by_test_id("access")).to_contain_text("read by operators and auditors")
    expect(watched.page.get_by_text("A finding is a question to a person.")).to_be_visible()
    expect(watched.page.get_by_test_id("hands-said")).to_have_count(0)
    enter(watched.page, venue, "visitor")
    open_page(watched.page, venue, "/ui/surveillance")
    expect(watched.page.get_by_test_id("hands-said")).to_contain_text("changed hands")
    expect(watched.page.locator("html")).to_have_attribute("data-role", "visitor")
    expect(watched.page.get_by_test_id("unseen")).to_be_hidden()
    expect(watched.page.get_by_test_id("findings")).to_have_count(0)
    expect(watched.page.locator("main [data-acts]")).to_have_count(0)


def test_in_chinese_and_on_a_phone_nothing_is_cut(watched: Watched, venue: VenueProcess) -> None:
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 844})
    enter(page, venue, "operator")
    open_page(page, venue, "/ui/surveillance?lang=zh")
    expect(page.get_by_test_id("finding").first).to_contain_text(finding_of(venue)["sentence_zh"])
    page.get_by_test_id("exclude").first.click()
    expect(page.get_by_test_id("dialog")).to_contain_text("将这些成交从成交额中剔除？")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
