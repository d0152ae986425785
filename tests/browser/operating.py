"""What the tests of the control page and of the surveillance page share: people of each role, and an act with its question."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import VenueProcess
from tests.patience import HttpClient

PASSWORD = "a password of the test's own"


def administration(venue: VenueProcess) -> HttpClient:
    """Requests with the key of the venue's operator, who is also an administrator."""
    return HttpClient(base_url=venue.url, headers={"authorization": f"Bearer {venue.keys['operator']['key']}"})


def add_people(venue: VenueProcess, *roles: str) -> None:
    """Adds a person of each role; a trader acts on account 2."""
    with administration(venue) as client:
        for role in roles:
            user = {"name": f"the {role}", "role": role, "account": 2 if role == "trader" else 0, "password": PASSWORD}
            client.post("/v1/admin/users", json=user).raise_for_status()


def enter(page: Page, venue: VenueProcess, role: str) -> None:
    """Logs the page's browser in as the person of a role."""
    person = {"name": f"the {role}", "password": PASSWORD}
    answer = page.request.post(f"{venue.url}/v1/session", data=person, headers={"origin": venue.url})
    assert answer.ok, answer.text()


def open_page(page: Page, venue: VenueProcess, path: str) -> None:
    """Opens a page and waits until its panels stand and its line lives."""
    page.goto(venue.url + path)
    expect(page.locator("html")).to_have_attribute("data-ready", "")
    expect(page.locator("html")).to_have_attribute("data-line", "live")


def confirm(page: Page, button: Locator, **fields: str) -> Locator:
    """Uses a button, fills the fields of its question and says yes. Returns the toast that tells the result."""
    button.click()
    dialog = page.get_by_test_id("dialog")
    for name, value in fields.items():
        field = dialog.locator(f"[name={name}]")
        if field.evaluate("node => node.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    dialog.get_by_test_id("confirm").click()
    expect(dialog).to_have_count(0)
    page.mouse.move(0, 0)  # a list below the pointer holds still
    return page.get_by_test_id("toast").first


def actions(venue: VenueProcess, **query: Any) -> list[dict[str, Any]]:
    """The log of what operators did, newest first."""
    found: list[dict[str, Any]] = venue.get("/v1/admin/log", **query)["actions"]
    return found
