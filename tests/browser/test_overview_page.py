"""The overview: its figures are the API's, in every state and size."""

from __future__ import annotations

import re
import time
from typing import Any

from playwright.sync_api import Browser, Page, expect

from services.pages.catalogue import words
from services.pages.formatting import money, percent, short
from services.reporting.exports.seal import COUNTING_RULE_ZH
from tests.browser.conftest import SIZE, VenueProcess, Watched, new_context
from tests.browser.overviewing import halted, open_overview, present
from tests.browser.trading import eventually
from tests.patience import PATIENCE_S

__all__ = ["halted"]


def test_every_number_is_the_apis(watched: Watched, halted: VenueProcess) -> None:
    """Of the headline, the market, the trades and the months; the address without a path leads there."""
    page, report = watched.page, present(halted)
    page.goto(f"{halted.url}/?lang=en")
    expect(page).to_have_url(f"{halted.url}/ui/?lang=en")
    expect(page).to_have_title("Overview · REX 稀土交易所")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    expect(page.get_by_test_id("notice")).to_be_visible()
    expect_headline(page, report, "en")
    expect_market(page, report, halted)
    months = halted.get(f"/v1/reports/turnover/{report['year']}/months", at_least_seq=report["seq"])["months"]
    for month in months:
        cells = page.locator(f"#months tr[data-key='{month['month']}'] td")
        expect(cells.nth(0)).to_have_attribute("title", money(month["actual"]))
        expect(cells.nth(1)).to_have_text(short(month["plan"], "en"))
        expect(cells.nth(3)).to_have_text(short(month["last_year"], "en"))
    open_overview(page, halted, "?lang=zh")
    expect_headline(page, report, "zh")


def expect_headline(page: Page, report: Any, language: str) -> None:
    t = words("overview", language)
    shown = {
        "net-short": short(report["net"], language),
        "net": money(report["net"]),
        "of": t["headline.of"].replace("{target}", short(report["target"], language)),
        "of-exact": t["headline.of_exact"]
        .replace("{target}", money(report["target"]))
        .replace("{share}", percent(report["share"], language, 2)),
        "pace-said": t["headline.no_day"],
        "outcome": t["outcome.too_early"],
        "today": short(report["today"], language),
        "days": f"{report['days_completed']} / {report['days_left']}",
        "trades": f"{report['trades']:,}",
        "forecast": t["headline.too_early"],
    }
    assert report["outcome"] == "too_early"
    for key, text in shown.items():
        expect(page.locator(f"[data-key={key}]")).to_have_text(text)
    expect(page.locator(".keys div", has=page.locator("[data-key=today]"))).to_have_attribute(
        "title", money(report["today"])
    )
    expect(page.get_by_test_id("simulated")).to_have_text(words("all", language)["simulated.traders"])
    expect(page.get_by_test_id("today-state")).to_have_text(t["today.halted"])


def expect_market(page: Page, report: Any, halted: VenueProcess) -> None:
    tickers = halted.get("/v1/market/tickers")
    assert len(tickers) == 32
    expect(page.locator(".market [data-symbol]")).to_have_count(32)
    for ticker in tickers:
        cells = page.locator(f".market [data-symbol='{ticker['symbol']}'] td")
        expect(cells.nth(0)).to_have_text(f"{_grouped(ticker['last'] or ticker['reference_price'])}")
        expect(cells.nth(2)).to_have_text(short(ticker["turnover"], "en"))
        expect(cells.nth(2)).to_have_attribute("title", re.compile(re.escape(money(ticker["turnover"]))))
    largest = max(report["products"], key=lambda line: float(line["net"]))
    first = page.locator("#products tr").first
    expect(first.locator("b")).to_have_text(largest["symbol"])
    expect(first.locator("td").first).to_have_attribute("title", money(largest["net"]))
    trades = [trade for ticker in tickers for trade in halted.get(f"/v1/market/{ticker['symbol']}/trades")]
    newest = max(trades, key=lambda trade: int(trade["trade_id"]))
    row = page.locator("#tape tr").first
    expect(row).to_have_attribute("data-trade", newest["trade_id"])
    expect(row).to_contain_text(_grouped(newest["price"]))
    traded = next(one for one in halted.get("/v1/instruments") if one["symbol"] == newest["symbol"])
    expect(row.locator("td").nth(1)).to_have_text(f"{traded['symbol']} /{traded['unit']}")
    expect(row.locator("td").nth(1)).to_have_attribute("title", traded["name_en"])


def _grouped(price: str) -> str:
    whole, _, rest = price.partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "")


def test_the_counting_rule_stands_in_full_in_both_languages(watched: Watched, halted: VenueProcess) -> None:
    """Nothing of it is cut, and the page's words are those of the report and of its Chinese exports. It has a page of its own,
    to link to."""
    page, shown = watched.page, watched.page.get_by_test_id("rule")

    def is_whole(rule: str) -> None:
        expect(shown).to_have_text(rule)
        expect(shown).to_be_visible()
        assert shown.evaluate(
            "node => node.scrollHeight <= node.clientHeight + 1 && node.scrollWidth <= node.clientWidth + 1"
        )

    for language, rule in (("en", present(halted)["counting_rule"]), ("zh", COUNTING_RULE_ZH)):
        page.set_viewport_size(SIZE)
        open_overview(page, halted, f"?lang={language}")
        is_whole(rule)
        page.get_by_test_id("meaning").locator("a").click()
        expect(page).to_have_url(re.compile("/ui/rule"))
        page.set_viewport_size({"width": 390, "height": 844})
        is_whole(rule)


def test_without_script_the_figure_is_there(chromium: Browser, halted: VenueProcess) -> None:
    report = present(halted)
    context = new_context(chromium, java_script_enabled=False, viewport=SIZE)
    page = context.new_page()
    net, deadline = page.get_by_test_id("net"), time.monotonic() + PATIENCE_S
    page.goto(f"{halted.url}/ui/")
    while net.text_content() != money(report["net"]):  # the text is made once a second
        assert time.monotonic() < deadline, net.text_content()
        page.reload()
    expect(page.locator("[data-key=net-short]")).to_have_text(short(report["net"], "en"))
    expect(page.get_by_test_id("headline")).to_contain_text("too early to say")
    expect(page.locator("[data-key=as-of]")).to_contain_text("UTC+8")
    expect(page.locator("#months tr")).to_have_count(12)
    expect(page.locator(".market [data-symbol]")).to_have_count(32)
    expect(page.get_by_test_id("drill")).to_contain_text(report["verdict"])
    context.close()


def test_the_time_of_the_figure_is_not_the_browsers(chromium: Browser, halted: VenueProcess) -> None:
    """A clock that is hours wrong changes nothing of what the page says about the figure's exactness."""
    context = new_context(chromium)
    context.clock.install(time="2031-03-04T05:06:07Z")
    context.clock.resume()
    page, report = open_overview(context.new_page(), halted), present(halted)
    expect(page.locator("[data-key=as-of]")).to_contain_text("exact at journal seq")
    expect(page.get_by_test_id("net")).to_have_text(money(report["net"]))
    expect(page.locator("[data-key=as-of]")).to_contain_text("UTC+8")
    assert "2031" not in page.locator("[data-key=as-of]").inner_text()
    context.close()


def test_what_is_shown_is_saved_and_the_small_lines_are_of_the_same_days(
    watched: Watched, halted: VenueProcess
) -> None:
    page, report = watched.page, present(halted)

    def saved() -> list[str]:
        open_overview(page, halted)
        expect(page.get_by_test_id("year-chart").locator(".pane")).to_be_visible()
        with page.expect_download() as saving:
            page.get_by_test_id("save-drill").click()
        return saving.value.path().read_text().splitlines()

    today = report["trading_date"]
    # The page may have come from an answer of the second before the halt.
    eventually(lambda: any(line.startswith(today) and money(report["net"]) in line for line in saved()))
    lines = saved()
    closes = page.evaluate("JSON.parse(document.getElementById('page').textContent).first.closes")
    assert len(closes) == 10
    for symbol, prices in closes.items():
        candles = halted.get(f"/v1/market/{symbol}/candles", interval="1d", gaps="flat", limit=30)["candles"]
        assert prices[:-1] == [candle["close"] for candle in candles][:-1]  # the last one is of today
    assert lines[0] == "date,net turnover,linear pace"
    assert len(lines) == len(report["days"]) + 1


def test_an_empty_venue_a_closed_market_and_a_year_without_trades_are_told(
    watched: Watched, served: VenueProcess
) -> None:
    year = int(present(served)["year"]) - 1
    page = open_overview(watched.page, served)
    expect(page.locator("[data-key=net]")).to_have_text("¥ 0.00")
    expect(page.get_by_test_id("headline")).to_contain_text("too early to say")
    expect(page.get_by_test_id("today")).to_contain_text("No trade yet on this trading day")
    expect(page.get_by_test_id("tape")).to_contain_text("No trade yet.")
    expect(page.get_by_test_id("simulated")).to_be_hidden()
    symbols = [instrument["symbol"] for instrument in served.get("/v1/instruments")]
    for phase, said in (
        ("closed", r"^Closed, opens in \d+ (h|d|min)"),
        ("call_auction", r"^Call auction: orders are collected; "),
        ("continuous", "^$"),
    ):
        for symbol in symbols:
            served.put(f"/v1/admin/instruments/{symbol}/phase", {"phase": phase})
        expect(page.get_by_test_id("today-state")).to_have_text(re.compile(said))
    open_overview(page, served, f"?year={year}")
    expect(page.get_by_test_id("headline")).to_contain_text("the venue had not opened")
    for of_today in (page.get_by_test_id("today"), page.locator("[data-key=today]")):
        expect(of_today).to_be_hidden()


CUT_NUMBERS = """(widest) => {
  const amounts = '#products td:nth-child(2), #tape td:nth-child(5), [data-symbol] td:nth-child(4)';
  for (const cell of document.querySelectorAll(amounts)) cell.textContent = widest;
  return [...document.querySelectorAll('td.num, th.num, .hero b')].filter((cell) => {
    const range = document.createRange(), box = cell.getBoundingClientRect();
    const frame = cell.closest('.panel').getBoundingClientRect();
    range.selectNodeContents(cell);
    const text = range.getBoundingClientRect();
    return text.width && (text.left < box.left - 1 || text.right > box.right + 1 || box.right > frame.right + 1);
  }).map((cell) => cell.outerHTML);
}"""


def test_the_main_panels_fit_on_one_screen_without_cut_numbers(watched: Watched, halted: VenueProcess) -> None:
    for language in ("en", "zh"):
        page = open_overview(watched.page, halted, f"?lang={language}")
        expect(page.get_by_test_id("year-chart").locator(".pane")).to_be_visible()
        expect(page.locator("#tape tr").first).to_be_visible()
        for panel in ("hero", "drill", "today", "market", "months", "products", "tape"):
            box = page.get_by_test_id(panel).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= SIZE["height"], panel
        assert page.evaluate("() => document.documentElement.scrollWidth") == SIZE["width"]
        assert page.evaluate(CUT_NUMBERS, "¥ 9,999 万" if language == "zh" else "¥ 1,000 m") == []


def test_on_a_phone_nothing_is_cut(chromium: Browser, halted: VenueProcess) -> None:
    """At 390 pixels the page does not scroll sideways, and no number of the hero leaves its room."""
    context = new_context(chromium, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    for language in ("en", "zh"):
        page = open_overview(context.new_page(), halted, f"?lang={language}")
        expect(page.get_by_test_id("year-chart").locator(".pane")).to_be_visible()
        page.locator("[data-key=net]").evaluate("node => { node.textContent = '¥ 123,456,789,012.34'; }")
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390
        cut = page.evaluate(
            """() => [...document.querySelectorAll('.hero b, .hero span, .hero dd, .market th b, .products th b, .num')]
              .filter((node) => node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline')
              .map((node) => node.textContent)"""
        )
        assert cut == []
        page.close()
    context.close()
