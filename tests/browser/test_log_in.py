"""Logging in with a browser: the one-time link, a wrong password, where a log-in leads to, log-out, and the entry to a demo.

And the font of the page, where a machine has none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import VenueProcess, Watched, launch, new_context
from tests.browser.operating import administration

PASSWORD = "a password of the test's own"
NEW_PASSWORD = "quite another one, as long"
HOMES = {"visitor": "/ui/", "trader": "/ui/trade/", "operator": "/ui/control", "auditor": "/ui/figure"}


@pytest.fixture(scope="module")
def people(served: VenueProcess) -> VenueProcess:
    """The served venue with a user of each role; a trader acts on account 2."""
    with administration(served) as client:
        client.post("/v1/admin/accounts", json={"name": "Magnet Works"}).raise_for_status()
        for role in HOMES:
            user = {"name": role, "role": role, "account": 2 if role == "trader" else 0, "password": PASSWORD}
            client.post("/v1/admin/users", json=user).raise_for_status()
    return served


def log_in(page: Page, address: str, name: str, password: str = PASSWORD) -> None:
    page.goto(address)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


def path(url: str, venue: VenueProcess) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(venue.url + url)}")


def test_the_first_start_s_link_makes_an_administrator_once(page: Page, served: VenueProcess) -> None:
    page.goto(served.first_link)
    page.get_by_label("Name").fill("li.na")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_test_id("who-name")).to_have_text("li.na · administrator")
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
        "rex_session",
        True,
        "Strict",
        "/",
    )
    assert served.first_link.split("#")[1] not in page.url
    page.goto("about:blank")
    page.goto(served.first_link)
    page.get_by_label("Name").fill("mallory")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_test_id("said")).to_contain_text("This link was used or has ended.")
    expect(page.locator("form")).to_be_hidden()


def test_a_link_sets_a_new_password(page: Page, people: VenueProcess) -> None:
    with administration(people) as client:
        user = {"name": "wang.fang", "role": "visitor", "account": 0, "password": None}
        user_id = client.post("/v1/admin/users", json=user).raise_for_status().json()["user_id"]
        link = client.post(f"/v1/admin/users/{user_id}/link").raise_for_status().json()["path"]
    page.goto(people.url + link)
    page.get_by_test_id("language").click()  # The link survives the other language.
    page.get_by_label("新密码").fill(PASSWORD)
    assert link.split("#")[1] not in page.url
    page.get_by_role("button", name="设置密码").click()
    expect(page).to_have_url(path("/ui/", people))
    expect(page.get_by_test_id("who-name")).to_have_text("wang.fang · 访客")


def test_the_page_of_a_link_without_its_secret_says_what_it_needs(page: Page, served: VenueProcess) -> None:
    """And has no form. Before there is an administrator, nobody can be asked for a link."""
    for name, said in (
        ("/first", "needs the whole address that the venue printed when it started"),
        ("/new-password", "needs the whole one-time link"),
    ):
        page.goto(served.url + name)
        expect(page.get_by_test_id("said")).to_contain_text(said)
        expect(page.locator("form")).to_be_hidden()


def test_a_wrong_password_is_one_sentence(page: Page, people: VenueProcess) -> None:
    for user in ("operator", "nobody"):
        page.goto(f"{people.url}/log-in?lang=zh")
        page.get_by_label("用户名").fill(user)
        page.get_by_label("密码", exact=True).fill("not the password at all")
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_test_id("said")).to_have_text("用户名或密码错误。")
    assert page.context.cookies() == []


def test_who_is_logged_in_changes_the_own_password(page: Page, chromium: Browser, people: VenueProcess) -> None:
    """The present one is asked for; the other sessions end, and this page goes on with its new one."""
    other = new_context(chromium)
    log_in(page, f"{people.url}/log-in", "auditor")
    expect(page).to_have_url(path("/ui/figure", people))
    person = {"name": "auditor", "password": PASSWORD}
    assert other.request.post(f"{people.url}/v1/session", data=person, headers={"origin": people.url}).ok

    def change(present: str, again: str) -> None:
        page.get_by_test_id("who-name").click()
        dialog = page.get_by_test_id("dialog")
        expect(dialog).to_contain_text("auditor · auditor")
        for name, text in (("password", present), ("new_password", NEW_PASSWORD), ("again", again)):
            dialog.locator(f"[name={name}]").fill(text)
        dialog.get_by_test_id("confirm").click()

    change("not the password at all", NEW_PASSWORD)
    expect(page.get_by_test_id("toast")).to_contain_text("The name or the password is wrong")
    page.get_by_test_id("toast").get_by_role("button").click()
    change(PASSWORD, "something else")
    assert page.get_by_test_id("dialog").locator("[name=again]").evaluate("node => node.validity.customError")
    page.get_by_test_id("dialog").locator("[name=again]").fill(NEW_PASSWORD)
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("toast")).to_contain_text("Your password is changed")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    assert page.request.get(f"{people.url}/v1/session").json()["name"] == "auditor"
    assert other.request.get(f"{people.url}/v1/session").json()["name"] is None
    other.close()
    expires_at = page.request.get(f"{people.url}/v1/session").json()["expires_at"]
    until = datetime.fromisoformat(expires_at).astimezone(timezone(timedelta(hours=8)))
    page.get_by_test_id("who-name").click()
    expect(page.get_by_test_id("dialog")).to_contain_text(f"{until:%Y-%m-%d %H:%M:%S} UTC+8")
    page.keyboard.press("Escape")
    page.get_by_test_id("log-out").click()
    expect(page.get_by_label("Name")).to_be_visible()
    log_in(page, f"{people.url}/log-in", "auditor", NEW_PASSWORD)
    expect(page).to_have_url(path("/ui/figure", people))
    back = {"password": NEW_PASSWORD, "new_password": PASSWORD}
    headers = {"origin": people.url}
    assert page.request.put(f"{people.url}/v1/session/password", data=back, headers=headers).ok


def test_a_log_in_leads_back_to_where_one_was_and_log_out_ends_it(page: Page, people: VenueProcess) -> None:
    page.goto(f"{people.url}/ui/figure?year=2026&day=2026-03-02")
    page.get_by_test_id("log-in").click()
    expect(page.get_by_label("Name")).to_be_visible()
    log_in(page, page.url, "operator")
    expect(page).to_have_url(f"{people.url}/ui/figure?year=2026&day=2026-03-02")
    expect(page.get_by_test_id("who-name")).to_contain_text("operator · ")
    page.goto(f"{people.url}/log-in")
    expect(page.get_by_test_id("inside")).to_contain_text("You are logged in as operator")
    expect(page.locator("form")).to_be_hidden()
    page.get_by_test_id("log-out").click()
    expect(page.get_by_label("Name")).to_be_visible()
    expect(page.get_by_test_id("log-in")).to_be_visible()
    assert page.context.cookies() == []


ELSEWHERE = (
    "https://elsewhere.example/ui/", "//elsewhere.example/ui/", "/\\elsewhere.example/ui/", "javascript:alert(1)//ui/",
    "/ui/../v1/venue", "/log-in", "/ui/%2e%2e/v1/venue", "", "ui/figure", " //elsewhere.example/ui/",
)  # fmt: skip
OWN_PAGE = """async ([next, role]) => {
    const { ownPage } = await import(document.querySelector('script[type=module]').src.replace('main.js', 'own_page.js'));
    return ownPage(next, role);
}"""


def test_a_log_in_leads_to_the_page_of_the_role_and_to_no_other_site(page: Page, people: VenueProcess) -> None:
    page.goto(f"{people.url}/log-in")
    for elsewhere in ELSEWHERE:
        assert page.evaluate(OWN_PAGE, [elsewhere, "operator"]) == "/ui/control", elsewhere
    for role, home in HOMES.items():
        assert page.evaluate(OWN_PAGE, [None, role]) == home


def test_the_pages_have_no_trouble_and_submit_nothing_without_their_script(
    watched: Watched, served: VenueProcess
) -> None:
    for name in ("/log-in", "/first#a", "/new-password#a"):
        watched.page.goto("about:blank")
        watched.page.goto(served.url + name)
        expect(watched.page.locator("form")).to_be_visible()
        assert watched.page.locator("form").get_attribute("method") == "post"  # never a password in an address


def test_a_visitor_enters_a_demo_as_its_trader(page: Page, demo: VenueProcess) -> None:
    page.goto(f"{demo.url}/ui/figure?year=2026")
    page.get_by_test_id("enter-trader").dblclick()
    expect(page.get_by_test_id("who-name")).to_have_text("demo trader · trader")
    expect(page).to_have_url(f"{demo.url}/ui/figure?year=2026")
    page.get_by_test_id("log-out").click()
    expect(page.get_by_label("Name")).to_be_visible()


# ---------------------------------------------------------------------- Chinese on a machine without a Chinese font

DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
LOADED = """() => document.fonts.ready.then(() =>
    [...document.fonts].filter(font => font.status === 'loaded').map(font => font.family))"""
"""The families that were loaded for the page."""
TOFU = """() => {
    const width = (text, font) => {
        const context = document.createElement('canvas').getContext('2d');
        context.font = `40px ${font}`;
        context.fillText(text, 0, 40);
        return [...context.getImageData(0, 0, 60, 60).data].join();
    };
    const family = getComputedStyle(document.documentElement).fontFamily;
    return width('稀', family) === width('土', family);
}"""
"""Whether two characters look the same: a box for each."""


@pytest.fixture(scope="module")
def poor(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser on a machine whose only fonts are Latin ones."""
    if not DEJAVU.exists():
        pytest.skip("NO FONT WAS TESTED: Debian's fonts-dejavu-core is missing")
    folder = tmp_path_factory.mktemp("fonts")
    settings = folder / "fonts.conf"
    settings.write_text(
        f'<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig><dir>{DEJAVU}</dir><cachedir>{folder}</cachedir></fontconfig>"
    )
    browser = launch(chromium.browser_type, env=os.environ | {"FONTCONFIG_FILE": str(settings)})
    yield browser
    browser.close()


def opened(page: Page, venue: VenueProcess) -> list[str]:
    """The addresses of fonts that the page in Chinese has loaded."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "font" else None)
    page.goto(f"{venue.url}/log-in?lang=zh")
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    page.evaluate(LOADED)
    return asked


def test_without_a_chinese_font_a_page_brings_its_own(poor: Browser, served: VenueProcess) -> None:
    page = new_context(poor).new_page()
    assert len(opened(page, served)) == 1
    assert page.evaluate(LOADED) == ["REX CJK"]
    assert not page.evaluate(TOFU)
    page.route("**/*.woff", lambda route: route.abort())
    page.reload()
    assert page.evaluate(TOFU), "else this browser has a Chinese font, and the test proves nothing"
