"""Two persons at the control page: what one proposes waits in the other's list, names whom it concerns, takes effect once.

The tests have one venue in common, in this order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import SIZE, VenueProcess, Watched, new_context, rex
from tests.browser.figuring import some_trades, year_of
from tests.browser.operating import PASSWORD, actions, add_people, administration, confirm, enter, open_page
from tests.patience import http_post

DESK = "Demo Trading Desk"


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """A demo where deposits, busts and the end of a kill switch need two persons, with two administrators.

    Wang Fang is the first one: nobody else has set her password, so she may confirm at once.
    """
    more = "set_order_limits,set_collar,set_fees,measure_lifted,trades_decided,context_stated,key_limits_set"
    acts = {"REX_FOUR_EYES": f"deposit,bust_trade,kill_switch_off,{more}"}
    folder = tmp_path_factory.mktemp("two")
    demo = ("demo", "--no-history", "--pace", "250")
    with rex(folder, "serve", "--new", "--schedule", "always", "--json") as served:
        first = {"token": served.first_link.partition("#")[2], "name": "Wang Fang", "password": PASSWORD}
        http_post(f"{served.url}/v1/session/link", json=first).raise_for_status()
    with rex(folder, *demo, variables=acts) as running:
        with administration(running) as client:
            user = {"name": "Li Na", "role": "admin", "account": 0, "password": PASSWORD}
            client.post("/v1/admin/users", json=user).raise_for_status()
        yield running


@pytest.fixture(scope="module")
def opened(chromium: Browser, venue: VenueProcess) -> Iterator[tuple[Page, Page, list[str]]]:
    """The control pages of both, each in a browser of its own, and their troubles."""
    contexts, pages, troubles = list[BrowserContext](), list[Page](), list[str]()
    for name in ("Li Na", "Wang Fang"):
        context = new_context(chromium, viewport=SIZE)
        page = context.new_page()
        Watched(page, troubles).listen()
        person = {"name": name, "password": PASSWORD}
        assert page.request.post(f"{venue.url}/v1/session", data=person, headers={"origin": venue.url}).ok
        open_page(page, venue, f"/ui/control?account={venue.keys[DESK]['account']}")
        contexts.append(context)
        pages.append(page)
    yield pages[0], pages[1], troubles
    for context in contexts:
        context.close()


@pytest.fixture
def persons(opened: tuple[Page, Page, list[str]]) -> Iterator[tuple[Page, Page]]:
    """The control pages of both. Neither may have any trouble."""
    li, wang, troubles = opened
    for page in (li, wang):  # a list below the pointer, or with the focus, holds still
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
    yield li, wang
    assert troubles == []


def row_of(page: Page, proposal: int) -> Locator:
    return page.get_by_test_id("proposals").locator(f"tr[data-key='{proposal}']")


def test_from_a_proposal_to_its_effect(persons: tuple[Page, Page], venue: VenueProcess) -> None:
    li, wang = persons
    cash = venue.get("/v1/account", DESK)["cash"]
    li.get_by_test_id("account-cash").click()
    expect(li.get_by_test_id("note")).to_contain_text("May need a second person")  # a withdrawal needs none
    dialog = li.get_by_test_id("dialog")
    dialog.locator("[name=amount]").fill("2500.00")
    dialog.locator("[name=second_why]").fill("汇款 7")
    dialog.get_by_test_id("confirm").click()
    outcome = li.get_by_test_id("account").get_by_test_id("outcome")
    expect(outcome).to_contain_text("Nothing is changed yet: it waits for a second person as proposal ")
    own = li.get_by_test_id("proposals").locator("tbody tr")
    expect(own).to_contain_text("Li Na")
    expires_at = venue.get("/v1/admin/proposals")["proposals"][0]["expires_at"]
    until = datetime.fromisoformat(expires_at).astimezone(timezone(timedelta(hours=8)))
    expect(own).to_contain_text(f"{until:%Y-%m-%d %H:%M}")
    expect(own.get_by_test_id("withdraw-proposal")).to_be_visible()
    expect(own.get_by_test_id("confirm-proposal")).to_have_count(0)
    assert venue.get("/v1/account", DESK)["cash"] == cash

    row = wang.get_by_test_id("proposals").locator("tbody tr")  # it comes by itself
    expect(row).to_contain_text(f"{DESK} · amount ¥ 2,500.00")
    expect(row.get_by_test_id("withdraw-proposal")).to_have_count(0)
    row.get_by_test_id("confirm-proposal").click()
    asked = wang.get_by_test_id("dialog")
    for said in ("Li Na", DESK, "deposit", "¥ 2,500.00", "汇款 7"):
        expect(asked).to_contain_text(said)
    asked.get_by_test_id("confirm").dblclick()  # the second click finds no question any more
    expect(wang.locator("#proposals-panel").get_by_test_id("outcome")).to_contain_text("is confirmed and carried out")
    wang.mouse.move(0, 0)
    expect(wang.get_by_test_id("proposals").locator("tbody tr")).to_have_count(0)
    assert float(venue.get("/v1/account", DESK)["cash"]) == float(cash) + 2500
    (deposit,) = [action for action in actions(venue, kind="deposit") if action["proposal"]]
    assert (deposit["person"], deposit["proposed_by"]) == ("Wang Fang", "Li Na")
    logged = wang.get_by_test_id("log").locator("tbody tr").first
    expect(logged).to_contain_text("Wang Fang, proposed by Li Na")
    expect(logged).to_contain_text("amount ¥ 2,500.00")
    expect(li.get_by_test_id("proposals").locator("tbody tr")).to_have_count(0)  # it goes by itself


def test_on_a_phone_a_proposal_is_a_card_within_the_frame(persons: tuple[Page, Page], venue: VenueProcess) -> None:
    _, wang = persons
    wang.set_viewport_size({"width": 390, "height": 844})
    with administration(venue) as client:
        path = f"/v1/admin/accounts/{venue.keys[DESK]['account']}/cash"
        proposal = client.post(path, json={"amount": "1.00"}).raise_for_status().json()["proposal"]
        row = wang.get_by_test_id("proposals").locator("tbody tr")
        expect(row).to_contain_text(DESK)
        for part in (*row.locator("td").all(), *row.locator("button").all()):
            box = part.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= 390
        expect(row.locator("td").nth(6)).to_have_attribute("data-name", "Until")  # its heading is not shown
        wang.set_viewport_size(SIZE)
        client.post(f"/v1/admin/proposals/{proposal}/withdraw", json={"reason": "shown"}).raise_for_status()


def test_who_lacks_the_scope_is_told_so_in_place_of_the_buttons(watched: Watched, venue: VenueProcess) -> None:
    add_people(venue, "operator")
    enter(watched.page, venue, "operator")
    with administration(venue) as client:
        path = f"/v1/admin/accounts/{venue.keys[DESK]['account']}/cash"
        proposal = client.post(path, json={"amount": "1.00"}).raise_for_status().json()["proposal"]
        open_page(watched.page, venue, "/ui/control")
        row = watched.page.get_by_test_id("proposals").locator("tbody tr")
        expect(row.locator("td").last).to_have_text("needs the scope admin")
        expect(row.locator("button")).to_have_count(0)
        client.post(f"/v1/admin/proposals/{proposal}/withdraw", json={"reason": "shown"}).raise_for_status()


def test_what_protects_is_done_at_once_and_its_end_waits(persons: tuple[Page, Page], venue: VenueProcess) -> None:
    li, wang = persons
    li.get_by_test_id("kill-on").click()
    expect(li.get_by_test_id("note")).to_have_count(0)
    expect(li.get_by_test_id("confirm")).to_have_text("Stop new orders")
    li.get_by_test_id("confirm").click()
    expect(li.get_by_test_id("kill-state")).to_have_text("on: cancels only")
    li.get_by_test_id("kill-off").click()
    expect(li.get_by_test_id("note")).to_contain_text("Needs a second person")
    expect(li.get_by_test_id("confirm")).to_have_text("Propose: take orders again")
    li.get_by_test_id("confirm").click()
    expect(li.get_by_test_id("proposals").locator("tbody tr")).to_have_count(1)
    assert venue.get("/v1/venue")["kill_switch"] is True
    expect(wang.get_by_test_id("proposals").locator("tbody tr")).to_contain_text("For the whole venue")
    reject = wang.get_by_test_id("reject-proposal")
    toast = confirm(wang, reject, reason="not yet")
    expect(toast).to_contain_text("is rejected")
    expect(wang.get_by_test_id("proposals").locator("tbody tr")).to_have_count(
        0
    )  # the next row is of the next proposal
    confirm(li, li.get_by_test_id("kill-off"))
    confirm(wang, wang.get_by_test_id("confirm-proposal"))
    expect(li.get_by_test_id("kill-state")).to_have_text("off: orders are taken")
    expect(wang.get_by_test_id("log").locator("tbody tr").first).to_contain_text("the whole venue")
    states = [one["state"] for one in venue.get("/v1/admin/proposals", state="all")["proposals"]]
    assert states[:2] == ["confirmed", "rejected"]


def test_the_second_person_sees_what_is_proposed_beside_what_holds(
    persons: tuple[Page, Page], venue: VenueProcess
) -> None:
    _, wang = persons
    account, ids = venue.keys[DESK]["account"], some_trades(venue)
    trade = venue.get(f"/v1/reports/trades/{ids[0]}")
    signed, key = {"reason": "a ring", "name": "Li Na"}, venue.get("/v1/admin/keys")["keys"][0]
    with administration(venue) as client:
        warned = {"accounts": [account], "measure": "warning", "trading_date": trade["trading_date"], **signed}
        seq = client.post("/v1/admin/measures", json=warned).raise_for_status().json()["seq"]
        asked: list[tuple[str, str, Any, list[str]]] = [
            (
                "PUT", f"accounts/{account}/limits", {"max_order_value": "5000.00"},
                [f"{account} · {DESK}", "¥ 5,000.00 (now none)", "open ordersnone (now none)"],
            ),
            ("PUT", "instruments/PRND-OX/collar", {"rate": "0.07"}, ["PRND-OX · ", "7 % (now "]),
            ("PUT", "fees/0", {"maker_rate": "0.0001", "taker_rate": "0.0002"}, ["0.01 % (now ", "0.02 % (now "]),
            ("POST", f"measures/{seq}/lift", signed, [f"{account} · {DESK}", "warning", "a ring"]),
            (
                "POST", "decisions", {"decision": "exclude", "trade_ids": ids, **signed},
                [*ids, trade["buyer"]["name"], trade["seller"]["name"]],
            ),
            (
                "PUT", f"keys/{key['key_id']}/limits", {"reads": {"per_s": 7, "burst": 9}, "reason": "a test"},
                [key["name"], "7 a second, 9 at once", "They hold at once, also for the key's open WebSockets"],
            ),
            ("POST", f"accounts/{account}/cash", {"amount": "1.00"}, [DESK, "¥ 1.00 (now ¥ "]),
        ]  # fmt: skip
        proposals = [
            client.request(method, f"/v1/admin/{path}", json=body).raise_for_status().json()["proposal"]
            for method, path, body, _ in asked
        ]
        rows = wang.get_by_test_id("proposals").locator("tbody tr")
        expect(rows).to_have_count(len(asked))
        for proposal, (_, _, _, told) in zip(proposals, asked, strict=True):
            row_of(wang, proposal).get_by_test_id("confirm-proposal").click()
            dialog = wang.get_by_test_id("dialog")
            for text in told:
                expect(dialog).to_contain_text(text)
            wang.keyboard.press("Escape")
            expect(dialog).to_have_count(0)
        for proposal in proposals:
            client.post(f"/v1/admin/proposals/{proposal}/withdraw", json={"reason": "shown"}).raise_for_status()


def test_the_second_person_reads_that_a_figure_from_outside_is_withdrawn(
    persons: tuple[Page, Page], venue: VenueProcess
) -> None:
    _, wang = persons
    about = {"year": year_of(venue), "figure": "output value", "source": "the bulletin", "name": "Li Na"}
    entered, withdrawn = about | {"value": "75000000000", "unit": "yuan"}, about | {"value": "", "unit": ""}
    shown = [
        f"year{year_of(venue)}",
        "value75,000,000,000 (now none)",
        "It replaces the value of the same figure and year",
    ]
    with administration(venue) as client:
        for body, told in (
            (entered, shown),
            (withdrawn, ["valuewithdrawn (now 75,000,000,000)", "unitnone (now yuan)", "is withdrawn."]),
        ):
            proposal = client.post("/v1/admin/context", json=body).raise_for_status().json()["proposal"]
            row = row_of(wang, proposal)
            row.get_by_test_id("confirm-proposal").click()
            dialog = wang.get_by_test_id("dialog")
            for text in (*told, "once a minute"):
                expect(dialog).to_contain_text(text)
            dialog.get_by_test_id("confirm").click()
            wang.mouse.move(0, 0)
            expect(row).to_have_count(0)


def test_the_list_comes_although_its_first_readings_fail(page: Page, venue: VenueProcess) -> None:
    page.route("**/v1/admin/proposals*", lambda route: route.abort())
    person = {"name": "Li Na", "password": PASSWORD}
    assert page.request.post(f"{venue.url}/v1/session", data=person, headers={"origin": venue.url}).ok
    open_page(page, venue, "/ui/control")
    said = page.get_by_test_id("proposals-state")
    expect(said).to_contain_text("The list could not be read")
    expect(page.get_by_test_id("accounts").locator("tbody tr").first).to_be_visible()
    page.unroute("**/v1/admin/proposals*")
    expect(page.locator("#proposals-panel")).to_contain_text("Nothing waits for a second person.")
    expect(said).to_be_hidden()
    expect(page.locator("#sections")).to_contain_text("second person")
