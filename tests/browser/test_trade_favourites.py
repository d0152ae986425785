"""Favourites in the list of instruments: by keyboard and pointer, first in the list, remembered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SYMBOL, VenueProcess, Watched
from tests.browser.trading import look

FAVOURITE = "Y-TGT"


@pytest.fixture(autouse=True)
def forgotten(page: Page) -> Iterator[None]:
    """The browser is that of the next test, too."""
    yield
    page.evaluate("localStorage.clear()")


def star(page: Page, symbol: str = FAVOURITE) -> Locator:
    return page.get_by_test_id(f"favourite-{symbol}")


def shown(page: Page) -> list[str]:
    names: list[str] = page.locator("#instruments li:visible a").evaluate_all(
        "links => links.map((link) => link.dataset.symbol)"
    )
    return names


def test_a_favourite_is_chosen_by_keyboard_and_stands_first_once_the_list_is_left_and_in_a_search(
    watched: Watched, demo: VenueProcess
) -> None:
    page = look(watched.page, demo)
    listed = shown(page)
    assert listed == [one["symbol"] for one in demo.get("/v1/instruments")]
    page.locator(f"#instruments [data-symbol={FAVOURITE}]").focus()
    page.keyboard.press("Shift+Tab")  # the star stands before its link
    expect(star(page)).to_be_focused()
    expect(star(page)).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Space")
    expect(star(page)).to_have_attribute("aria-pressed", "true")
    expect(star(page)).to_have_text("★")
    assert shown(page) == listed  # nothing that acts moves
    page.keyboard.press("ArrowUp")
    expect(page.locator(f"#instruments [data-symbol={listed[listed.index(FAVOURITE) - 1]}]")).to_be_focused()
    page.keyboard.press("/")
    rest = [name for name in listed if name != FAVOURITE]
    expect(page.locator("#instruments li a").first).to_have_attribute("data-symbol", FAVOURITE)
    assert shown(page) == [FAVOURITE, *rest]
    look(page, demo)
    assert shown(page) == [FAVOURITE, *rest]
    page.get_by_test_id("search").fill("-")
    assert shown(page)[0] == FAVOURITE
    page.get_by_test_id("search").fill("ndfeb")
    assert SYMBOL in shown(page)
    assert FAVOURITE not in shown(page)
    page.get_by_test_id("search").fill("")
    star(page).click()
    page.get_by_test_id("search").focus()
    page.get_by_role("heading", level=1).hover()
    expect(page.locator("#instruments li a").first).to_have_attribute("data-symbol", listed[0])
    assert shown(page) == listed


def test_what_another_tab_chooses_keeps_the_favourites(page: Page, demo: VenueProcess) -> None:
    look(page, demo)
    context = page.context
    other = context.new_page()
    look(other, demo)
    star(page).click()
    other.get_by_test_id("group-10").click()
    star(other, SYMBOL).click()
    other.close()
    look(page, demo)
    for symbol in (FAVOURITE, SYMBOL):
        expect(star(page, symbol)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("group-10")).to_have_attribute("aria-pressed", "true")
