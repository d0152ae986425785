"""The overview leads from the year down to a trade and its row of the journal, and back."""

from __future__ import annotations

import json
import re
from datetime import date as Date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, WebSocketRoute, expect

from services.pages.formatting import money
from services.values.decimals import counted
from tests.browser.conftest import VenueProcess, Watched, wait_for_a_late_pong
from tests.browser.figuring import log_in
from tests.browser.overviewing import enter_operator, halted, middle_of, open_overview, present

__all__ = ["halted"]


def test_down_from_the_year_to_the_journal_and_back(watched: Watched, halted: VenueProcess) -> None:
    """Each step is an address: Back leads to the one before, and a copied address shows the same."""
    page, report = open_overview(watched.page, halted), present(halted)
    enter_operator(page)
    today, year = report["trading_date"], report["year"]
    days = halted.get(f"/v1/reports/turnover/{year}/days", at_least_seq=report["seq"])

    first, last, here = (
        Date.fromisoformat(text) for text in (report["days"][0]["date"], report["days"][-1]["date"], today)
    )
    share = (here - first) / (last - first)
    pane = page.get_by_test_id("year-chart").locator(".pane").first
    page.mouse.move(*middle_of(pane, max(0.0, share - 0.03)))
    page.mouse.down()
    page.mouse.move(*middle_of(pane, min(1.0, share + 0.02)), steps=4)
    page.mouse.up()
    expect(page.get_by_test_id("drill-said")).to_have_text(
        f"{money(days['net'])} net on {counted(len(days['days']), 'trading day')} with trades"
    )

    page.mouse.click(*middle_of(page.get_by_test_id("days-chart").locator(".pane").first, 0.5))
    day = days["days"][-1]
    expect(page).to_have_url(re.compile(f"day={today}"))
    counts = f"{day['trades']:,} trades count · {day['busted_trades']} busted · {day['excluded_trades']} excluded"
    expect(page.get_by_test_id("drill-said")).to_have_text(f"{money(day['net'])} net · {counts}")
    chart = page.get_by_test_id("day-chart")
    page.mouse.click(*middle_of(chart.locator(".pane").first, 0.999))
    trades = page.get_by_test_id("drill-trades").locator("tbody tr")
    expect(trades.first).to_be_visible()
    trade_id = str(trades.first.get_attribute("data-trade"))
    minutes = page.url
    trades.first.locator("a").click()

    trade = halted.get(f"/v1/reports/trades/{trade_id}")
    drill = page.locator("#drill")
    for text in (money(trade["amount"]), trade["buyer"]["name"], trade["seller"]["name"]):
        expect(drill).to_contain_text(text)
    page.get_by_test_id("to-buyer-order").click()
    order = halted.get(f"/v1/reports/orders/{trade['buyer']['order_id']}")
    expect(drill).to_contain_text(money(order["filled"]))
    page.get_by_test_id("to-journal").click()
    row = halted.get(f"/v1/reports/journal/{order['order_id']}")
    expect(page.get_by_test_id("row-hash")).to_have_text(row["row"]["hash"])

    crumbs = [
        f"Year {year}",
        None,
        today,
        None,
        f"trade {trade_id}",
        f"order {order['order_id']}",
        f"journal {order['order_id']}",
    ]
    shown = page.get_by_test_id("crumbs").locator("li")
    expect(shown).to_have_count(len(crumbs))
    for crumb, text in zip(shown.all(), crumbs, strict=True):
        expect(crumb).to_have_text(text if text is not None else re.compile(r"\d"))

    copied = page.url
    page.go_back()
    expect(page.get_by_test_id("to-last-change")).to_be_visible()
    page.go_back()
    page.go_back()
    assert page.url == minutes
    expect(page.get_by_test_id("drill-said")).to_be_visible()  # not the order's trades any more
    expect(trades.first).to_have_attribute("data-trade", trade_id)
    page.get_by_test_id("crumb-year").click()
    expect(page.get_by_test_id("year-chart")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.goto(copied)
    expect(page.get_by_test_id("row-hash")).to_have_text(row["row"]["hash"])


def test_a_visitor_sees_a_trade_and_what_its_orders_would_need(watched: Watched, halted: VenueProcess) -> None:
    """A product narrows the charts."""
    page, report = open_overview(watched.page, halted), present(halted)
    page.locator("#tape a").first.click()
    needs = page.get_by_test_id("needs")
    expect(needs).to_contain_text("log in as operator or auditor")
    expect(page.get_by_test_id("to-journal")).to_have_count(0)
    page.go_back()
    expect(page.get_by_test_id("year-chart")).to_be_visible()
    symbol = next(line["symbol"] for line in report["products"] if line["trades"])
    path = f"/v1/reports/turnover/{report['year']}/days"
    product = halted.get(path, product=symbol, at_least_seq=report["seq"])
    page.get_by_test_id("product").select_option(symbol)
    expect(page).to_have_url(re.compile(f"product={symbol}"))
    said = f"{money(product['net'])} net on {counted(len(product['days']), 'trading day')} with trades"
    expect(page.get_by_test_id("drill-said")).to_have_text(said)


def began(venue: VenueProcess, date: str) -> str:
    """When a trading day began, as a query says it: at 17:00 of the trading day before, of which the calendar knows."""
    year = int(date[:4])
    days = [day for known in (year - 1, year) for day in venue.get("/v1/calendar", year=known)["trading_days"]]
    return f"{days[days.index(date) - 1]}T09:00:00.000Z"


def test_a_day_is_shown_from_its_own_beginning(watched: Watched, halted: VenueProcess) -> None:
    """Also the first trading day of a year, and a day of another year than that of the report that is shown."""
    report, page = present(halted), watched.page
    today, year = report["trading_date"], report["year"]
    first = halted.get("/v1/calendar", year=year)["trading_days"][0]
    for query, date in ((f"?day={first}", first), (f"?year={year - 1}&day={today}", today), (f"?day={today}", today)):
        with page.expect_request(re.compile(r"/candles\?interval=5m")) as asked:
            open_overview(page, halted, query)
        spans = parse_qs(urlsplit(asked.value.url).query)
        assert (spans["start"], spans["end"]) == ([began(halted, date)], [f"{date}T09:00:00.000Z"])
        expect(page.get_by_test_id("day-chart")).to_be_visible()
        expect(page.get_by_test_id("crumbs")).to_contain_text(date)


def test_of_the_first_trading_day_nothing_of_the_days_before_is_shown(page: Page, halted: VenueProcess) -> None:
    """As if the year began today, and yesterday's trades were there, too; the report is another year's."""
    report = present(halted)
    today, year = report["trading_date"], report["year"]
    yesterday = began(halted, today)[:10]
    day = halted.get(f"/v1/reports/turnover/{year}/days", at_least_seq=report["seq"])["days"][-1]
    older: dict[str, Any] = {"start": f"{yesterday}T08:55:00.000000Z", "amount": "999999999.00", "quantity": 1}

    def calendar(route: Route) -> None:
        asked = int(parse_qs(urlsplit(route.request.url).query)["year"][0])
        route.fulfill(json={"trading_days": [today] if asked == year else [f"{asked}-01-05", yesterday]})

    def candles(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        answer = route.fetch()
        told = answer.json()
        if query["start"][0] < older["start"]:
            told["candles"].insert(0, older)
        route.fulfill(response=answer, json=told)

    page.route(re.compile("/v1/calendar"), calendar)
    page.route(re.compile(r"/candles\?interval=5m"), candles)
    open_overview(page, halted, f"?year={year - 1}&day={today}")
    expect(page.get_by_test_id("day-chart").locator(".pane").first).to_be_visible()
    with page.expect_download() as saving:
        page.get_by_test_id("save-drill").click()
    last = saving.value.path().read_text().splitlines()[-1]
    whole = Decimal(day["net"])
    assert money(f"{whole:.2f}") in last.replace('"', ""), last  # the cumulative line ends at the day's turnover
    page.unroute_all(behavior="ignoreErrors")


def test_after_cuts_the_trades_are_followed_once(page: Page, halted: VenueProcess) -> None:
    """The venue refuses to resume: the page follows the trades from a snapshot, and once, however often the line is cut."""
    asked: list[dict[str, Any]] = []
    lines: list[WebSocketRoute] = []

    def between(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        lines.append(line)

        def pass_on(message: str | bytes) -> None:
            told = json.loads(message)
            params = told["params"]
            if told["method"] == "subscribe" and params["channels"] == ["trades"]:
                asked.append(params)
                if "resume" in params:
                    refusal = {"status": 410, "code": "too_old", "detail": "Too old."}
                    line.send(json.dumps({"req_id": told["req_id"], "error": refusal}))
                    return
            server.send(message)

        line.on_message(pass_on)

    log_in(page, halted, "operator")
    page.route("**/app/feed.js", wait_for_a_late_pong)
    page.route_web_socket("**/v1/ws", between)
    open_overview(page, halted)
    expect(page.locator("#tape tr").first).to_be_visible()
    assert ["resume" in params for params in asked] == [False]
    for _ in range(2):
        asked.clear()
        count = len(lines)
        lines[-1].close(code=1012)
        expect(page.locator("html")).to_have_attribute("data-line", "dead")
        expect(page.locator("html")).to_have_attribute("data-line", "live")
        assert len(lines) > count
        assert sum("resume" not in params for params in asked) == 1, asked
        assert len(asked) <= 2, asked  # what the feed knows of may be refused; nothing else is asked
