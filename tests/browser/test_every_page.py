"""Every page, as every role, in both languages and themes, on a desk and on a phone: no trouble, nothing cut, everything in the
page's language, no serious finding of axe. `make pages` goes through all combinations, `make rigs` once through each page and
each look, `make test-long` through some more."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import VenueProcess, Watched, new_context
from tests.browser.operating import add_people, enter

PAGES = {
    "overview": "/ui/",
    "trade": "/ui/trade/PRND-OX",
    "figure": "/ui/figure",
    "surveillance": "/ui/surveillance",
    "control": "/ui/control",
    "health": "/ui/health",
    "rule": "/ui/rule",
}
SIZES = {"desk": (1400, 900), "wide": (1920, 1080), "phone": (390, 844)}
ROLES = ("nobody", "trader", "operator", "auditor", "admin")


class Case(NamedTuple):
    """How a page is looked at."""

    page: str
    role: str
    language: str
    theme: str
    size: str


ALL = [Case(*case) for case in product(PAGES, ROLES, ("en", "zh"), ("dark", "light"), SIZES)]
LOOKS = (
    ("nobody", "zh", "light", "phone"),
    ("trader", "en", "light", "phone"),
    ("operator", "en", "dark", "wide"),
    ("auditor", "zh", "dark", "desk"),
    ("admin", "zh", "light", "phone"),
)
FEW = [Case(page, *look) for number, page in enumerate(PAGES) for look in LOOKS[number % 2 :: 2]]
"""Each page on a phone and on a desk, in both languages and themes; two neighbours as all roles."""
FIRST = [Case(page, *LOOKS[number % 5]) for number, page in enumerate(PAGES)]
"""Each page once, and each look."""
SOME = [*FIRST, *(pytest.param(case, marks=pytest.mark.long) for case in FEW if case not in FIRST)]
CASES = ALL if os.environ.get("EVERY_PAGE") else SOME

CUT = """() => [...document.querySelectorAll('td.num, th.num, b, .num, dd, button')].filter(node => {
    const box = node.getBoundingClientRect(), style = getComputedStyle(node);
    return box.width && node.scrollWidth > node.clientWidth + 1
        && style.overflowX !== 'visible' && style.textOverflow !== 'ellipsis';
}).map(node => node.outerHTML.slice(0, 200))"""
"""Numbers, values and buttons whose text is cut off."""

SMALL = """() => [...document.querySelectorAll('button, a.button, input, select, summary')].filter(node => {
    const box = node.getBoundingClientRect();
    return box.width && getComputedStyle(node).visibility === 'visible' && (box.height < 24 || box.width < 24)
        && !['checkbox', 'radio'].includes(node.type);
}).map(node => node.outerHTML.slice(0, 200))"""
"""Targets of less than 24 pixels (WCAG 2.2, 2.5.8)."""

LATIN = """() => {
    const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const parent = walk.currentNode.parentElement;
        const isOther = parent.closest('script, noscript, [lang=en], [translate=no], code, .mono, [hidden]');
        if (!isOther && parent.getClientRects().length) found.push(walk.currentNode.textContent);
    }
    return found;
}"""
NAMES = re.compile(
    r"REX_[A-Z_]+|REX|CSV|PDF|XLSX|API|JSON|UTC|HHI|VWAP|PrNd|IOC|FOK|GTC|GTD|DAY|SHA-?256|SQLite|PostgreSQL|Redis|Grafana|WebSocket|English"
    r"|[A-Z]+(?:-[A-Z0-9]+)+|\b[A-Z]{1,3}\d*\b|\bP\d\d\b|(?:demo|the) (?:trader|operator|auditor|admin)|Esc|Enter|Ctrl|/[\w/.{}-]+|https?://\S+",
)
"""What is written in Latin letters in Chinese as well: names, codes, units of one to three capitals."""
WORD = re.compile(r"[A-Za-z]{3,}")
SPACED = re.compile(r"[。！？；] +\S")
"""Chinese sentences with a space between them, which only Western ones have."""


def in_letters(page: Page, venue: VenueProcess) -> list[str]:
    """The texts with words in Latin letters that are no names of products, accounts or codes."""
    accounts = venue.get("/v1/admin/accounts", limit=500)["accounts"]
    products = venue.get("/v1/instruments")
    keys = {key["name"] for key in venue.get("/v1/admin/keys", limit=500)["keys"]}
    names = [*[account["name"] for account in accounts], *[product["name_zh"] for product in products]]
    found = []
    for text in page.evaluate(LATIN):
        rest = text
        for name in sorted(names, key=len, reverse=True):
            rest = rest.replace(name, "")
        if text not in keys and WORD.search(NAMES.sub("", rest)):
            found.append(text)
    return found


def open_case(chromium: Browser, venue: VenueProcess, case: Case) -> tuple[Page, Watched]:
    width, height = SIZES[case.size]
    context = new_context(chromium, viewport={"width": width, "height": height}, color_scheme=case.theme)
    page = context.new_page()
    if case.role in ("trader", "operator"):
        answer = page.request.post(f"{venue.url}/ui/demo/{case.role}", data={}, headers={"origin": venue.url})
        assert answer.ok, answer.text()
    elif case.role != "nobody":
        enter(page, venue, case.role)
    watched = Watched(page)
    watched.listen()
    page.goto(f"{venue.url}{PAGES[case.page]}?lang={case.language}")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    expect(page.locator("html")).to_have_attribute("data-role", case.role)
    return page, watched


@pytest.fixture(scope="module")
def peopled(own_demo: VenueProcess) -> VenueProcess:
    """The demo with those whom nobody enters as without a password."""
    add_people(own_demo, "auditor", "admin")
    return own_demo


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def shown(
    request: pytest.FixtureRequest, chromium: Browser, peopled: VenueProcess
) -> Iterator[tuple[Case, Page, Watched]]:
    case: Case = request.param
    page, watched = open_case(chromium, peopled, case)
    yield case, page, watched
    page.context.close()


def test_a_page_is_whole_quiet_and_translated(shown: tuple[Case, Page, Watched], peopled: VenueProcess) -> None:
    case, page, watched = shown
    page.wait_for_load_state("networkidle")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= SIZES[case.size][0], "the page scrolls sideways"
    assert page.evaluate(CUT) == []
    assert page.evaluate(SMALL) == []
    if case.language == "zh":
        assert in_letters(page, peopled) == []
        assert [text for text in page.evaluate(LATIN) if SPACED.search(text)] == []
    found = Axe().run(page)
    serious = [
        (violation["id"], [node["html"][:160] for node in violation["nodes"]][:3])
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert watched.troubles == []


def test_an_address_that_nothing_has_is_a_page_in_a_browser(page: Page, peopled: VenueProcess) -> None:
    answer = page.goto(f"{peopled.url}/nowhere?lang=zh")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("没有这个页面")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    program = page.request.get(f"{peopled.url}/nowhere", headers={"accept": "application/json"})
    assert (program.status, program.json()["code"]) == (404, "not_found")
