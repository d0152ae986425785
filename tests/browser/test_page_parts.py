"""What every page is made of: lists hold still under the pointer, and scripts write numbers as the first paint does."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from services.pages.formatting import money, percent, short
from tests.browser.conftest import VenueProcess

ROWS = """async () => {
  const { rows, h } = await import(`${base}/app/dom.js`);
  const list = h("ul", { id: "held", "data-freeze": "" });
  document.querySelector("main").prepend(list);
  window.show = (names) => rows(list, names, (name) => name, (name) => h("li", {}, h("button", { type: "button" }, name)));
  window.show(["a", "b", "c"]);
}"""


BASE = """document.querySelector('link[href$="tokens.css"]').href.replace('/tokens.css', '')"""


@pytest.fixture(scope="module")
def modules(visitor: BrowserContext, demo: VenueProcess) -> Iterator[Page]:
    """A page whose address has the modules: `base`."""
    page = visitor.new_page()
    page.goto(f"{demo.url}/log-in?lang=en")
    page.evaluate(f"() => {{ window.base = {BASE}; }}")
    yield page
    page.close()


def test_nothing_that_acts_moves_under_the_pointer(modules: Page) -> None:
    page = modules
    page.evaluate(ROWS)
    items = page.locator("#held li")
    page.locator("#held button", has_text="b").hover()
    page.evaluate("window.show(['x', 'y', 'a', 'c'])")
    expect(items).to_have_text(["a", "b", "c"])
    expect(page.locator("#held")).to_have_attribute("data-held", "")
    page.mouse.move(0, 0)
    expect(items).to_have_text(["x", "y", "a", "c"])
    page.locator("#held button", has_text="a").focus()
    page.evaluate("window.show(['c'])")
    expect(items).to_have_text(["x", "y", "a", "c"])
    page.locator("#name").focus()
    expect(items).to_have_text(["c"])


def test_no_cell_of_a_saved_text_begins_a_formula(modules: Page) -> None:
    """A number below zero stays one."""
    texts = ["=1+1", "+1", "-1.50", "-1+1", "@a", "\t=1", 'a;=1+2"', "plain"]
    with modules.expect_download() as download:
        modules.evaluate("async (line) => (await import(`${base}/app/save.js`)).saveCsv('names', [line])", texts)
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        (saved,) = csv.reader(file)
    assert saved == ["'=1+1", "+1", "-1.50", "'-1+1", "'@a", "'\t'=1", "a;'=1+2\"", "plain"]


CHANGES = [
    {"time": "2026-11-27T09:00:00Z", "phase": "closed", "trading_date": "2026-11-30"},
    {"time": "2026-11-30T00:55:00Z", "phase": "call_auction", "trading_date": "2026-11-30"},
]


def test_what_comes_next_is_another_phase(modules: Page) -> None:
    """A closed market does not close in 18 minutes, when only the trading date changes."""
    found = modules.evaluate(
        """async (changes) => {
            const { nextChange } = await import(`${base}/app/timetable.js`);
            const of = (phase, next_changes) => nextChange({ next_changes }, phase)?.phase ?? null;
            return [of("closed", changes), of("continuous", changes), of("closed", changes.slice(0, 1)), of("closed", [])];
        }""",
        CHANGES,
    )
    assert found == ["call_auction", "closed", "closed", None]


def test_language_and_theme_of_the_address_go_along_with_a_link(page: Page, demo: VenueProcess) -> None:
    """Also with one that was used before another theme was chosen."""
    page.goto(f"{demo.url}/ui/?lang=zh&theme=light&year=2026")
    health = page.locator("[data-nav=health]")
    with page.context.expect_page() as opened:
        health.click(button="middle")
    expect(opened.value).to_have_url(f"{demo.url}/ui/health?lang=zh&theme=light")
    expect(opened.value.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(opened.value.locator("html")).to_have_attribute("data-theme", "light")
    opened.value.close()
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    health.click()
    expect(page).to_have_url(re.compile("/ui/health"))
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.evaluate("localStorage.clear()")  # the browser is that of the next test, too


def test_on_a_phone_the_head_leaves_room_and_no_tab_is_cut(page: Page, demo: VenueProcess) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.request.post(f"{demo.url}/ui/demo/operator", data={}, headers={"origin": demo.url}).ok
    page.goto(f"{demo.url}/ui/control")
    expect(page.get_by_test_id("who-name")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    assert page.evaluate("document.querySelector('.top').offsetHeight") <= 110
    right = page.evaluate(
        "Math.max(...[...document.querySelectorAll('nav a')].map(a => a.getBoundingClientRect().right))"
    )
    assert right <= 390


AMOUNTS = (
    "6400000000.00",
    "23000000000.00",
    "123456789012.34",
    "999999999.99",
    "-5676000.00",
    "12345.00",
    "999.50",
    "0.00",
)
SHARES = ("0.2783", "-0.105", "12.5", "0.000049", "1")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_scripts_write_numbers_as_the_first_paint_does(page: Page, demo: VenueProcess, language: str) -> None:
    page.goto(f"{demo.url}/log-in?lang={language}")
    written = page.evaluate(
        """async ([amounts, shares]) => {
            const base = document.querySelector('link[href$="tokens.css"]').href.replace('/tokens.css', '');
            const { money, percent, short } = await import(`${base}/app/format.js`);
            return [amounts.map(money), amounts.map(short), shares.map((share) => percent(share))];
        }""",
        [AMOUNTS, SHARES],
    )
    assert written == [
        [money(amount) for amount in AMOUNTS],
        [short(amount, language) for amount in AMOUNTS],
        [percent(share, language) for share in SHARES],
    ]


def test_a_question_on_a_line_that_is_not_open_yet_fails_and_leaves_no_listener(modules: Page) -> None:
    found = modules.evaluate(
        """async () => {
            const { Feed } = await import(`${base}/app/feed.js`), { Refused } = await import(`${base}/app/api.js`);
            let listeners = 0;
            class Counted extends Feed {
                addEventListener(...given) { listeners += 1; super.addEventListener(...given); }
                removeEventListener(...given) { listeners -= 1; super.removeEventListener(...given); }
            }
            const said = await new Counted().request("ping", {}).catch((error) => error.name);
            return [said, listeners, new Refused({ status: 429, code: "rate_limited", retry_after_ms: 1200 }).retryAfter_s];
        }"""
    )
    assert found == ["Error", 0, 2]


def test_the_title_of_the_tab_has_no_price_before_the_days_first_trade(page: Page, demo: VenueProcess) -> None:
    page.goto(f"{demo.url}/ui/trade/PRND-OX")
    titles = page.evaluate(
        """async () => {
            const base = document.querySelector('link[href$="tokens.css"]').href.replace('/tokens.css', '');
            const { showTitle } = await import(`${base}/trade/quote.js`);
            return [null, "473000.00"].map((last) => {
                showTitle({ last, reference_price: "470000.00" }, "PRND-OX");
                return document.title;
            });
        }"""
    )
    assert [title.partition(" · ")[0] for title in titles] == ["PRND-OX", "473,000.00 PRND-OX"]
