"""The operator page: it updates itself, and while the market is halted its numbers equal the API's, to the fen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from services.dashboard.amounts import grouped, percent
from tests.browser.conftest import VenueProcess, Watched


@pytest.fixture
def halted(demo: VenueProcess) -> Iterator[VenueProcess]:
    """The demo venue with every instrument halted, so that no number changes."""
    demo.post("/v1/admin/halt")
    yield demo
    demo.post("/v1/admin/resume")


def open_operator_page(watched: Watched, venue: VenueProcess) -> Page:
    watched.page.goto(f"{venue.url}/")
    expect(watched.page.get_by_test_id("net")).not_to_be_empty()
    return watched.page


def test_the_address_without_a_path_leads_to_the_operators_page(watched: Watched, demo: VenueProcess) -> None:
    page = open_operator_page(watched, demo)
    assert page.url == f"{demo.url}/ui/"
    expect(page).to_have_title("REX 稀土交易所")
    expect(page.get_by_text("PROTOTYPE 原型")).to_be_visible()


def test_figure_tape_and_journal_move_while_traders_trade(watched: Watched, demo: VenueProcess) -> None:
    page = open_operator_page(watched, demo)
    for part in ("net", "seq", "tape", "market"):
        shown = page.get_by_test_id(part).inner_text()
        expect(page.get_by_test_id(part)).not_to_have_text(shown, use_inner_text=True)


def test_the_figure_is_the_reports(watched: Watched, halted: VenueProcess) -> None:
    page = open_operator_page(watched, halted)
    venue = halted.get("/v1/venue")
    date = venue["trading_date"]
    report = halted.get(f"/v1/reports/turnover/{date[:4]}", at_least_seq=venue["seq"])
    assert report["net"] != "0.00"
    expect(page.get_by_test_id("trading-date")).to_have_text(date)
    expect(page.get_by_test_id("net")).to_have_text(grouped(report["net"]))
    for key, text in {
        "share": percent(report["share"], 4),
        "ahead": grouped(report["ahead"].removeprefix("-")),
        "ahead-days": grouped(report["ahead_days"].removeprefix("-")),
        "days": f"{report['days_completed']} / {report['days_left']}",
        "required": grouped(report["required_per_day"]),
        "today": grouped(report["today"]),
        "trades": grouped(report["trades"]),
    }.items():
        expect(page.locator(f"[data-key={key}]")).to_have_text(text)
    for line in report["categories"]:
        expect(page.locator(f"[data-category={line['category']}]")).to_have_text(grouped(line["net"]))
    for line in report["products"]:
        expect(page.locator(f"[data-product='{line['symbol']}'] td").nth(1)).to_have_text(grouped(line["net"]))


def test_the_counting_rule_stands_beside_the_figure(watched: Watched, demo: VenueProcess) -> None:
    page = open_operator_page(watched, demo)
    year = demo.get("/v1/venue")["trading_date"][:4]
    rule = page.get_by_text(demo.get(f"/v1/reports/turnover/{year}")["counting_rule"])
    expect(rule).to_be_hidden()
    page.get_by_text("How it is counted").click()
    expect(rule).to_be_visible()
    shown = page.get_by_test_id("seq").inner_text()
    expect(page.get_by_test_id("seq")).not_to_have_text(shown)
    expect(rule).to_be_visible()  # the page has been refreshed, and the rule is still open


def test_market_and_tape_are_the_apis(watched: Watched, halted: VenueProcess) -> None:
    page = open_operator_page(watched, halted)
    instruments = halted.get("/v1/instruments")
    assert len(instruments) == 32
    expect(page.locator("[data-testid=market] tbody tr")).to_have_count(32)
    for instrument in instruments:
        ticker = halted.get(f"/v1/market/{instrument['symbol']}/ticker")
        row = page.locator(f"[data-testid=market] tr[data-symbol='{instrument['symbol']}']")
        expect(row.locator("[data-last]")).to_have_text(grouped(ticker["last"]))
        expect(row.locator("[data-volume]")).to_have_text(grouped(ticker["volume"]))
        expect(row.locator("[data-turnover]")).to_have_text(grouped(ticker["turnover"]))
        expect(row).to_contain_text("halted")
    expect(page.get_by_test_id("phase")).to_have_text("halted")
    trades = [trade for i in instruments for trade in halted.get(f"/v1/market/{i['symbol']}/trades")]
    newest = max(trades, key=lambda trade: int(trade["trade_id"]))
    first = page.locator("[data-testid=tape] tbody tr").first
    expect(first).to_have_attribute("data-trade", newest["trade_id"])
    expect(first).to_contain_text(grouped(newest["amount"]))
