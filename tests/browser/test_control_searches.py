"""The searches of the control page, for trades and in the log of what operators did."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import VenueProcess, Watched
from tests.browser.figuring import log_in, some_trades
from tests.browser.operating import actions, administration, open_page

SYMBOL = "PRND-OX"


@pytest.fixture
def control(watched: Watched, demo: VenueProcess) -> Page:
    """The page of an operator, with PRND-OX chosen."""
    log_in(watched.page, demo, "operator")
    open_page(watched.page, demo, f"/ui/control?product={SYMBOL}")
    return watched.page


def shanghai_date(time: str) -> date:
    return datetime.fromisoformat(time).astimezone(timezone(timedelta(hours=8))).date()


def test_a_search_shows_when_a_trade_was_refuses_a_time_and_gives_way_to_a_newer_one(
    control: Page, demo: VenueProcess
) -> None:
    one, other = some_trades(demo, 2)[:2]
    trade = demo.get(f"/v1/reports/trades/{one}")
    form, said, held = control.get_by_test_id("trade-search"), control.get_by_test_id("search-said"), list[Route]()
    form.get_by_test_id("field-trade").fill(trade["trade_id"])
    form.get_by_test_id("search").click()
    at = datetime.fromisoformat(trade["time"]).astimezone(timezone(timedelta(hours=8)))
    row = control.get_by_test_id("found-trades").locator("tbody tr")
    expect(row.locator("td").first).to_have_text(
        f"{at:%Y-%m-%d %H:%M:%S}"
    )  # not the trading day, which begins at 17:00
    form.get_by_test_id("field-trade").fill("")
    form.get_by_test_id("field-member").select_option(str(trade["buyer"]["account"]))
    form.get_by_test_id("field-from").fill("2099-01-01T00:00:00")
    form.get_by_test_id("search").click()
    expect(said).to_contain_text("choose another trading day, or clear it")
    form.get_by_test_id("field-to").fill("2098-01-01T00:00:00")
    form.get_by_test_id("search").click()
    expect(said).to_have_text("“Before” must be later than “From”.")
    for field in ("from", "to"):
        form.get_by_test_id(f"field-{field}").fill("")
    form.get_by_test_id("field-member").select_option("")
    control.route(f"**/v1/reports/trades/{one}", lambda route: held.append(route))
    form.get_by_test_id("field-trade").fill(one)
    with control.expect_request(f"**/v1/reports/trades/{one}"):
        form.get_by_test_id("search").click()
    form.get_by_test_id("field-trade").fill(other)
    form.get_by_test_id("search").click()
    expect(control.get_by_test_id("trade-chosen")).to_have_text(other)
    with control.expect_response(f"**/v1/reports/trades/{one}") as answered:
        held[0].continue_()
    answered.value.finished()
    control.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")  # it was read
    expect(control.get_by_test_id("found-trades").locator("tbody tr")).to_contain_text(other)
    expect(control.get_by_test_id("trade-chosen")).to_have_text(other)


def test_the_log_is_searched_by_person_kind_and_day_and_the_address_says_so(control: Page, demo: VenueProcess) -> None:
    """The answer to an older search does not replace a newer one."""
    held = list[Route]()
    with administration(demo) as client:
        client.post(f"/v1/admin/instruments/{SYMBOL}/halt").raise_for_status()
        client.post(f"/v1/admin/instruments/{SYMBOL}/resume").raise_for_status()
    resumed = actions(demo, kind="resume", who="operator")
    day = shanghai_date(resumed[0]["time"])
    form, rows = control.get_by_test_id("log-search"), control.get_by_test_id("log").locator("tbody tr")

    def search(day: date) -> None:
        form.locator("[name=kind]").select_option("resume")
        form.locator("[name=who]").fill("operator")
        form.locator("[name=day]").fill(day.isoformat())
        form.get_by_role("button").click()

    search(day - timedelta(days=7))
    expect(control.locator("#log-panel")).to_contain_text("No act fits.")
    search(day)
    of_that_day = [one for one in resumed if shanghai_date(one["time"]) == day]
    expect(rows).to_have_count(min(len(of_that_day), 25))
    expect(rows.first).to_contain_text(SYMBOL)
    expect(control).to_have_url(re.compile(f"who=operator&kind=resume&day={day}"))
    control.reload()
    expect(form.locator("[name=kind]")).to_have_value("resume")
    expect(rows).to_have_count(min(len(of_that_day), 25))
    for name in ("who", "day"):
        form.locator(f"[name={name}]").fill("")
    control.route("**/v1/admin/log?*kind=halt*", lambda route: held.append(route))
    for kind in ("halt", "resume"):
        form.locator("[name=kind]").select_option(kind)
        with control.expect_request(f"**/v1/admin/log?*kind={kind}*"):
            form.get_by_role("button").click()
    expect(rows.first).to_contain_text("resume")
    with control.expect_response("**/v1/admin/log?*kind=halt*") as answered:
        held[0].continue_()
    answered.value.finished()
    control.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")  # it was read
    expect(rows.first).to_contain_text("resume")
