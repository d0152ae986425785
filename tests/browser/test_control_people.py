"""The control page's people and keys: what each role sees, and an administrator's acts, which the API takes without a key."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import VenueProcess, Watched
from tests.browser.operating import actions, add_people, administration, confirm, enter, open_page
from tests.patience import HttpClient, http_get

SYMBOL = "PRND-OX"
DESK = "Demo Trading Desk"


@pytest.fixture(scope="module")
def venue(own_demo: VenueProcess) -> VenueProcess:
    """The demo with a person of each role."""
    add_people(own_demo, "visitor", "trader", "operator", "auditor", "admin")
    return own_demo


@pytest.fixture
def control(watched: Watched, venue: VenueProcess) -> Page:
    """The page of an administrator."""
    enter(watched.page, venue, "admin")
    open_page(watched.page, venue, "/ui/control")
    return watched.page


def test_each_role_sees_what_it_may_read_and_the_buttons_of_what_it_may_do(
    watched: Watched, venue: VenueProcess
) -> None:
    page = watched.page
    buttons, accounts, people = (
        page.locator("main [data-acts]"),
        page.get_by_test_id("accounts"),
        page.get_by_test_id("people"),
    )
    enter(page, venue, "trader")
    open_page(page, venue, "/ui/control")
    expect(page.get_by_test_id("tile")).to_have_count(32)
    expect(page.get_by_test_id("access")).to_contain_text("need an operator's account")
    for hidden in (buttons, accounts):
        expect(hidden).to_have_count(0)
    enter(page, venue, "auditor")
    open_page(page, venue, "/ui/control")
    expect(page.get_by_test_id("access")).to_contain_text("nothing can be changed")
    expect(accounts).to_contain_text(DESK)
    expect(people).to_contain_text("the admin")
    expect(page.get_by_test_id("keys")).to_contain_text(DESK)
    expect(page.get_by_test_id("log").locator("tbody tr").first).to_be_visible()
    expect(buttons).to_have_count(0)
    enter(page, venue, "operator")
    open_page(page, venue, "/ui/control")
    expect(accounts).to_contain_text(DESK)
    for hidden in (people, page.get_by_test_id("keys")):
        expect(hidden).to_have_count(0)


def test_an_administrator_adds_a_person_changes_the_role_and_removes_it(control: Page, venue: VenueProcess) -> None:
    """The question about a role begins with what another administrator has set."""
    page = control
    confirm(page, page.get_by_test_id("add-user"), name="wang.fang", role="trader", account="3")
    link = page.get_by_test_id("secret").input_value()
    assert link.startswith(f"{venue.url}/new-password#")
    page.get_by_test_id("once-close").click()
    row = page.get_by_test_id("people").locator("tr", has_text="wang.fang")
    expect(row).to_contain_text("not yet: needs the one-time link")
    with HttpClient(base_url=venue.url, headers={"origin": venue.url}) as client:
        used = client.post(
            "/v1/session/link", json={"token": link.split("#")[1], "password": "twelve characters and more"}
        )
    assert used.json()["account"] == 3
    (number,) = [user["user_id"] for user in venue.get("/v1/admin/users")["users"] if user["name"] == "wang.fang"]
    with administration(venue) as client:
        client.put(f"/v1/admin/users/{number}/role", json={"role": "trader", "account": 2}).raise_for_status()
    row.get_by_test_id("set-role").click()
    expect(page.get_by_test_id("dialog").locator("[name=account]")).to_have_value("2")
    page.keyboard.press("Escape")
    confirm(page, row.get_by_test_id("set-role"), role="auditor")
    expect(row).to_contain_text("auditor")
    with administration(venue) as client:
        client.delete(f"/v1/admin/users/{number}").raise_for_status()
    row.get_by_test_id("set-role").click()
    expect(page.get_by_test_id("toast").first).to_contain_text("It is no longer there")
    expect(page.get_by_test_id("dialog")).to_have_count(0)
    page.reload()
    added = page.get_by_test_id("people").locator("tr", has_text="the visitor")
    confirm(page, added.get_by_test_id("remove-user"))
    expect(added).to_have_count(0)
    assert names_of(venue).count("the visitor") == 0


def test_an_administrator_issues_a_key_whose_secret_is_shown_once_and_revokes_it(
    control: Page, venue: VenueProcess
) -> None:
    page = control
    page.get_by_test_id("issue-key").click()
    dialog = page.get_by_test_id("dialog")
    dialog.locator("[name=name]").fill("desk 7")
    dialog.get_by_test_id("scope-trade").check()
    dialog.locator("[name=account]").select_option("2")
    dialog.get_by_test_id("confirm").click()
    secret = page.get_by_test_id("secret").input_value()
    headers = {"authorization": f"Bearer {secret}"}
    assert http_get(f"{venue.url}/v1/account", headers=headers).json()["account"] == 2
    page.get_by_test_id("once-close").click()
    row = page.get_by_test_id("keys").locator("tr", has_text="desk 7")
    expect(row).to_contain_text("read trade")
    assert secret not in page.content()
    confirm(page, row.get_by_test_id("revoke-key"))
    expect(row).to_have_count(0)
    assert http_get(f"{venue.url}/v1/account", headers=headers).status_code == 401


def test_an_administrator_sets_the_limits_of_a_key(watched: Watched, venue: VenueProcess) -> None:
    page = watched.page
    with administration(venue) as client:
        asked: dict[str, Any] = {"name": "desk 8", "scopes": ["read"]}
        default = client.post("/v1/admin/keys", json=asked).raise_for_status().json()["limits"]
        asked |= {"limits": {"cancels": {"per_s": 7, "burst": 9}}}
        issued = client.post("/v1/admin/keys", json=asked).raise_for_status().json()

    def limits() -> dict[str, dict[str, int]]:
        keys = venue.get("/v1/admin/keys")["keys"]
        found: dict[str, dict[str, int]] = next(one["limits"] for one in keys if one["key_id"] == issued["key_id"])
        return found

    enter(page, venue, "admin")
    open_page(page, venue, "/ui/control")
    button = page.get_by_test_id("keys").locator(f"tr[data-key='{issued['key_id']}']").get_by_test_id("key-limits")
    button.click()
    dialog = page.get_by_test_id("dialog")
    expect(dialog).to_contain_text("Cancels7 a second, 9 at once")
    expect(dialog).to_contain_text("Queries200 a second, 2,000 at once (the venue's default)")
    for part, burst in ("cancels", "9"), ("reads", ""):  # only what is the key's own stands in the form
        expect(dialog.locator(f"[name='{part}.burst']")).to_have_value(burst)
    expect(dialog.locator("[name='reads.burst']")).to_have_attribute("placeholder", "2000")
    dialog.locator("[name='orders.per_s']").fill("200")
    dialog.locator("[name='orders.burst']").fill("")
    dialog.locator("[name=reason]").fill("market maker agreement")
    dialog.get_by_test_id("confirm").click()  # a line is filled in whole, or empty
    expect(dialog).to_be_visible()
    dialog.locator("[name='orders.burst']").fill("1000")
    for part in ("per_s", "burst"):
        dialog.locator(f"[name='cancels.{part}']").fill("")
    dialog.get_by_test_id("confirm").click()
    outcome = page.locator("#keys-panel").get_by_test_id("outcome")
    expect(outcome).to_contain_text(f"The rate limits of key {issued['key_id']} are set. Command ")
    assert limits() == default | {"orders": {"per_s": 200, "burst": 1000, "own": True}}
    assert not default["reads"]["own"], "a line that was left empty follows the venue's default still"
    (logged,) = actions(venue, kind="key_limits_set")
    assert (logged["person"], logged["why"]) == ("the admin", "market maker agreement")


def test_an_administrator_opens_accounts_books_cash_and_goods_and_sets_the_fees_of_a_class(
    control: Page, venue: VenueProcess
) -> None:
    page = control
    confirm(page, page.get_by_test_id("open-account"), name="Baotou Magnet Works")
    page.get_by_test_id("accounts").get_by_text("Baotou Magnet Works").click()
    panel = page.get_by_test_id("account")
    expect(panel.get_by_test_id("account-chosen")).to_contain_text("Baotou Magnet Works")
    number = int(panel.get_by_test_id("account-chosen").get_attribute("data-account") or "")
    confirm(page, panel.get_by_test_id("account-cash"), amount="2500000.50")
    expect(panel.locator("[data-fact=cash]")).to_have_text("¥ 2,500,000.50")
    confirm(page, panel.get_by_test_id("account-cash"), sign="-", amount="500000")
    expect(panel.locator("[data-fact=cash]")).to_have_text("¥ 2,000,000.50")
    confirm(page, panel.get_by_test_id("account-goods"), symbol=SYMBOL, quantity="120")
    expect(panel.get_by_test_id("holdings")).to_contain_text("120")
    account = venue.get("/v1/account", account=number)
    assert (account["cash"], account["holdings"][0]["quantity"]) == ("2000000.50", 120)
    set_the_fees(page, venue)


def set_the_fees(page: Page, venue: VenueProcess) -> None:
    """Of a class, in which an account is then opened."""
    confirm(page, page.get_by_test_id("set-fees"), account_class="3", maker_rate="0.01", taker_rate="0.0225")
    outcome = page.locator("#accounts-panel").get_by_test_id("outcome")
    expect(outcome).to_contain_text("The fees of class 3 are set: maker 0.01 % · taker 0.0225 %. Command ")
    fees = {one["account_class"]: (one["maker_rate"], one["taker_rate"]) for one in venue.get("/v1/admin/fees")}
    assert fees[3] == ("0.000100", "0.000225")
    confirm(page, page.get_by_test_id("open-account"), name="Gannan Recyclers", account_class="3")
    number = page.get_by_test_id("accounts").get_by_text("Gannan Recyclers").get_attribute("data-account")
    opened = venue.get("/v1/account", account=number)
    assert (opened["account_class"], opened["taker_rate"]) == (3, "0.000225")
    page.get_by_test_id("set-fees").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("Class 3 nowmaker 0.01 % · taker 0.0225 %")
    page.keyboard.press("Escape")
    assert actions(venue, kind="set_fees")[0]["person"] == "the admin"


def names_of(venue: VenueProcess) -> list[str]:
    return [user["name"] for user in venue.get("/v1/admin/users")["users"]]


def test_a_person_whose_answer_was_lost_is_shown_by_the_list_and_not_sent_again(
    page: Page, venue: VenueProcess
) -> None:
    """A person is told as added also when the link is lost."""

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()  # it arrives, and is carried out
            route.abort()
        else:
            route.continue_()

    page.route("**/v1/admin/users", lose)
    enter(page, venue, "admin")
    open_page(page, venue, "/ui/control")
    confirm(page, page.get_by_test_id("add-user"), name="li.na", role="auditor")
    outcome = page.locator("#people-panel").get_by_test_id("outcome")
    expect(outcome).to_have_attribute("data-kind", "unknown")
    expect(outcome).to_contain_text("Look at the list of people first")
    expect(outcome.get_by_test_id("again")).to_have_count(0)
    expect(page.get_by_test_id("people").locator("tr", has_text="li.na")).to_contain_text("not yet")
    assert names_of(venue).count("li.na") == 1
    page.unroute("**/v1/admin/users")
    page.route("**/v1/admin/users/*/link", lambda route: route.abort())
    confirm(page, page.get_by_test_id("add-user"), name="zhao.min", role="auditor")
    expect(outcome).to_contain_text("zhao.min is added as auditor. The one-time link could not be shown")
    expect(outcome).to_have_attribute("data-kind", "done")
    page.unroute("**/v1/admin/users/*/link")
    confirm(page, page.get_by_test_id("people").locator("tr", has_text="zhao.min").get_by_test_id("make-link"))
    expect(page.get_by_test_id("secret")).to_be_visible()
    assert names_of(venue).count("zhao.min") == 1
