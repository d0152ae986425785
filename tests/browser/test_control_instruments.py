"""Instruments that are listed, changed and delisted while pages are open: the pages learn of them, and the second person reads
all that is proposed.

The tests have one venue in common, in this order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import VenueProcess, Watched, rex
from tests.browser.operating import PASSWORD, administration, confirm, open_page
from tests.browser.overviewing import open_overview
from tests.patience import http_post

SYMBOL = "SC-OX"
SIGNED = {"reason": "the board of 3 March", "name": "Li Na"}
LISTING = SIGNED | {
    "symbol": SYMBOL, "name_en": "Scandium oxide", "name_zh": "氧化钪", "category": "deep_processed",
    "family": "separated_oxide", "unit": "kg", "lot_size": 10, "tick_size": "1.00", "reference_price": "6000.00",
    "band_rate": "0.06", "max_quantity": 1000, "spec": "99.99 %", "note": "new this spring",
}  # fmt: skip
OTHER_TERMS = SIGNED | {"band_rate": "0.08", "collar_rate": "0.03", "name_en": None, "note": "4N only"}


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """A venue where what happens to instruments needs two persons. Wang Fang has chosen her password herself, so she may
    confirm at once; whoever holds the operator's key proposes."""
    acts = {"REX_FOUR_EYES": "list_instrument,change_instrument,delist_instrument,set_collar"}
    start = ("serve", "--new", "--schedule", "always", "--json")
    with rex(tmp_path_factory.mktemp("instruments"), *start, variables=acts) as running:
        first = {"token": running.first_link.partition("#")[2], "name": "Wang Fang", "password": PASSWORD}
        http_post(f"{running.url}/v1/session/link", json=first).raise_for_status()
        running.wait_for_reports()
        yield running


@pytest.fixture
def wang(watched: Watched, venue: VenueProcess) -> Page:
    """The control page of Wang Fang, who confirms there."""
    person = {"name": "Wang Fang", "password": PASSWORD}
    assert watched.page.request.post(f"{venue.url}/v1/session", data=person, headers={"origin": venue.url}).ok
    open_page(watched.page, venue, "/ui/control?lang=en")
    return watched.page


@pytest.fixture
def beside(wang: Page) -> Iterator[Page]:
    """Another page that is open meanwhile. It may have no trouble either."""
    context = wang.context
    page = context.new_page()
    watched = Watched(page)
    watched.listen()
    yield page
    assert watched.troubles == []
    page.close()


def propose(venue: VenueProcess, method: str, path: str, body: dict[str, Any]) -> int:
    with administration(venue) as client:
        answer = client.request(method, f"/v1/admin/instruments{path}", json=body).raise_for_status().json()
    number: int = answer["proposal"]
    return number


def withdraw(venue: VenueProcess, proposal: int) -> None:
    with administration(venue) as client:
        path = f"/v1/admin/proposals/{proposal}/withdraw"
        client.post(path, json={"reason": "shown"}).raise_for_status()


def button_of(page: Page, proposal: int) -> Locator:
    row = page.get_by_test_id("proposals").locator(f"tbody tr[data-key='{proposal}']")
    return row.get_by_test_id("confirm-proposal")


def asked(page: Page, proposal: int) -> list[str]:
    """The facts and the consequence in the question before a confirmation; then the page is left without an answer."""
    button_of(page, proposal).click()
    dialog = page.get_by_test_id("dialog")
    expect(dialog).to_be_visible()
    said = dialog.inner_text().splitlines()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.mouse.move(0, 0)  # a list below the pointer, or with the focus, holds still
    page.evaluate("document.activeElement.blur()")
    return [line.strip() for line in said]


def carried_out(page: Page, proposal: int) -> None:
    expect(confirm(page, button_of(page, proposal))).to_contain_text("is confirmed and carried out")


def expect_all_of_the_listing(said: list[str]) -> None:
    """The second person reads all that members will see of it."""
    for text in (
        SYMBOL, "Scandium oxide", "氧化钪", "deep-processed products", "6,000.00", "6 %", "1,000", "99.99 %",
        "new this spring", "the board of 3 March",
    ):  # fmt: skip
        assert text in said
    assert said.count("the board of 3 March") == 1
    assert said[said.index("Signed by") + 1] == "Li Na"
    assert any("never change" in line for line in said)


def test_open_pages_learn_a_listed_instrument(wang: Page, beside: Page, venue: VenueProcess) -> None:
    context = wang.context
    trade = context.new_page()
    trade.goto(f"{venue.url}/ui/trade/PRND-OX")
    overview = open_overview(context.new_page(), venue)
    open_page(beside, venue, "/ui/control")
    link = trade.locator(f"#instruments a[data-symbol='{SYMBOL}']")
    expect(trade.locator("#instruments li")).to_have_count(32)
    trade.get_by_test_id("search").fill("scandium")
    expect(trade.locator("#list-empty")).to_be_visible()
    proposal = propose(venue, "POST", "", LISTING)
    expect_all_of_the_listing(asked(wang, proposal))
    carried_out(wang, proposal)
    for page in (wang, beside):
        tile = page.locator(f"[data-testid=tile][data-symbol='{SYMBOL}']")
        expect(tile).to_contain_text("Scandium oxide")
        expect(tile).to_have_attribute("data-phase", "continuous")
        expect(page.get_by_test_id("field-symbol").locator(f"option[value='{SYMBOL}']")).to_have_count(1)
    expect(link).to_be_visible()  # also while a search narrows the list
    expect(link).to_contain_text("6,000.00")
    expect(trade.locator("#list-empty")).to_be_hidden()
    with overview.expect_download() as saved:
        overview.get_by_test_id("save-market").click()
    assert f"{SYMBOL},Scandium oxide" in saved.value.path().read_text("utf-8")
    trade.close()
    overview.close()


def test_the_question_shows_what_holds_now_whoever_changed_it(wang: Page, beside: Page, venue: VenueProcess) -> None:
    open_page(beside, venue, "/ui/control")
    collar = propose(venue, "PUT", f"/{SYMBOL}/collar", {"rate": "0.05"})
    said = asked(beside, collar)
    assert f"{SYMBOL} · Scandium oxide" in said
    assert "5 % (now none)" in said
    change = propose(venue, "PATCH", f"/{SYMBOL}", OTHER_TERMS)
    said = asked(beside, change)
    for text in ("8 % (now 6 %)", "3 % (now none)", "4N only (now new this spring)", "the board of 3 March"):
        assert text in said
    assert "English name" not in said  # it stays
    assert any("outside new price limits are canceled" in line for line in said)
    carried_out(wang, change)
    assert "5 % (now 3 %)" in asked(beside, collar)
    withdraw(venue, collar)


def test_a_delisting_is_said_to_be_for_good_then_shown_and_proposed_on_the_products_page(
    wang: Page, beside: Page, venue: VenueProcess
) -> None:
    trade = beside
    trade.goto(f"{venue.url}/ui/trade/PRND-OX")
    link = trade.locator(f"#instruments a[data-symbol='{SYMBOL}']")
    expect(link).to_have_attribute("data-phase", "continuous")
    proposal = propose(venue, "POST", f"/{SYMBOL}/delist", SIGNED)
    said = asked(wang, proposal)
    assert f"{SYMBOL} · Scandium oxide" in said
    assert any("for good" in line and "All its open orders end" in line for line in said)
    carried_out(wang, proposal)
    tile = wang.locator(f"[data-testid=tile][data-symbol='{SYMBOL}']")
    expect(tile).to_have_attribute("data-phase", "delisted")
    expect(link).to_contain_text("delisted")
    wang.get_by_test_id("account-goods").click()
    option = wang.get_by_test_id("dialog").locator(f"option[value='{SYMBOL}']")
    expect(option).to_have_text(f"{SYMBOL} · Scandium oxide · delisted")
    wang.keyboard.press("Escape")
    expect_a_proposal_of_the_page(wang, venue)


def expect_a_proposal_of_the_page(wang: Page, venue: VenueProcess) -> None:
    """On the page of a product its delisting is proposed, but where it is delisted already."""
    open_page(wang, venue, "/ui/control?lang=en&product=Y-TGT")
    expect(confirm(wang, wang.get_by_test_id("delist"), reason="nobody delivers it")).to_contain_text("second person")
    (waiting,) = venue.get("/v1/admin/proposals", state="waiting")["proposals"]
    assert (waiting["act"], waiting["path"]) == ("delist_instrument", "/v1/admin/instruments/Y-TGT/delist")
    assert (waiting["body"], waiting["proposed_by"]["name"]) == ({"reason": "nobody delivers it"}, "Wang Fang")
    expect(wang.locator("[data-testid=tile][data-symbol='Y-TGT']")).to_have_attribute("data-phase", "continuous")
    open_page(wang, venue, f"/ui/control?lang=en&product={SYMBOL}")
    expect(wang.get_by_test_id("delist")).to_be_disabled()  # it is delisted already
