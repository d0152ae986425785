"""The figure's page over time: how the figure stood after any seq, and what only an older venue has to tell."""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from playwright.sync_api import Page, Route, expect

from services.pages.formatting import money
from services.values.decimals import counted
from tests.browser.conftest import VenueProcess, Watched
from tests.browser.figuring import look_at, open_figure, report_of, rung, some_trades, year_of


def test_time_travel_shows_report_book_and_trades_of_that_seq(page: Page, demo: VenueProcess) -> None:
    """Also where the first reading fails, which is then read again."""
    some_trades(demo)
    trades = demo.get("/v1/reports/trades", year=year_of(demo), limit=100)["trades"]
    later, seqs = trades[0]["seq"], sorted({trade["seq"] for trade in trades})
    then = next(trade for trade in trades if trade["seq"] == seqs[len(seqs) // 2])
    product, seq = then["product"], then["seq"]
    past, last_day, refused = report_of(demo, seq=seq), report_of(demo, "/last_day"), list[str]()
    assert past["net"] != report_of(demo, seq=later)["net"]

    def refuse_once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    def tell(route: Route) -> None:
        route.fulfill(json=last_day | {"sentence": f"of {route.request.url.partition('?')[2]}"})

    page.route(re.compile(r"/v1/reports/turnover/\d+\?seq="), refuse_once)
    page.route(re.compile(r"/last_day\b"), tell)
    open_figure(page, demo, query=f"?seq={seq}&product={product}")
    expect(page.get_by_test_id("travel-said")).to_contain_text("As it was")
    assert len(refused) == 1
    expect(page.get_by_test_id("net")).to_have_text(money(past["net"]))
    expect(page.get_by_test_id("cert-seq")).to_have_text(f"{seq:,}")
    expect(page.get_by_test_id("row-hash")).to_have_text(past["row_hash"])
    expect(page.get_by_test_id("travel")).to_have_value(str(seq))
    expect(page.get_by_test_id("last-day")).to_have_text(f"of seq={seq}")
    expect(rung(page, "changed_hands")).to_have_text("–")
    look_at(page, "concentration")
    expect(page.get_by_test_id("concentration")).to_contain_text("of the present")
    rows = page.get_by_test_id("table-trades-then").locator("tbody tr")
    end = (datetime.fromisoformat(past["as_of"]) + timedelta(milliseconds=1)).isoformat()
    listed = demo.get(f"/v1/market/{product}/trades", end=end, limit=200)["trades"]
    expect(rows).to_have_count(min(20, sum(trade["seq"] <= seq for trade in listed)))
    expect(rows.first).to_contain_text(f"{seq:,}")
    expect_book(page, demo, product, seq)

    page.get_by_test_id("travel").fill(str(later))
    expect(page.get_by_test_id("net")).to_have_text(money(report_of(demo, seq=later)["net"]))
    expect(page).to_have_url(re.compile(f"seq={later}"))
    page.get_by_test_id("product").select_option("")
    for name in ("gross", "busted", "excluded", "net"):
        expect(rung(page, name)).to_have_text(money(report_of(demo, seq=later)[name]))
    page.go_back()
    expect(page).to_have_url(re.compile(f"product={product}"))
    page.get_by_test_id("travel-now").click()
    expect(page).not_to_have_url(re.compile("seq="))
    expect(page.get_by_test_id("cert-seq")).not_to_have_text(f"{later:,}")
    of_now = page.locator("#concentration .seal")
    expect(of_now).to_have_text(re.compile(r"^read at \d\d:\d\d:\d\d$"))
    expect(page.locator("#market")).to_contain_text(f"The book of {product} now.")
    expect(page.get_by_test_id("last-day")).to_have_text("of ")
    page.unroute_all()
    page.route(re.compile(r"/last_day\b"), lambda route: route.fulfill(status=503, json={"title": "not now"}))
    page.get_by_test_id("travel").fill(str(seq))
    expect(page.get_by_test_id("cert-seq")).to_have_text(f"{seq:,}")
    expect(page.get_by_test_id("last-day")).to_be_empty()
    expect(of_now).to_contain_text("of the present")  # also where nothing of the panel is read anew


def expect_book(page: Page, venue: VenueProcess, product: str, seq: int) -> None:
    """The page shows, and saves, the book after that seq."""
    book = venue.get(f"/v1/reports/books/{product}", seq=seq, levels=10)
    lines = page.get_by_test_id("table-book").locator("tbody tr")
    expect(lines).to_have_count(10)
    none = {"price": None, "quantity": None, "orders": None}
    for number, row in enumerate(lines.all()):
        bid, ask = (([*book[side], *[none] * 10][number]) for side in ("bids", "asks"))
        shown = bid["orders"], bid["quantity"], bid["price"], ask["price"], ask["quantity"], ask["orders"]
        expect(row.locator("td")).to_have_text(["–" if one is None else f"{Decimal(one):,}" for one in shown])
    for side, name in (("bid", "buy"), ("ask", "sell")):
        said = f"{counted(book[f'{side}_quantity'], 'lot')} to {name} at {counted(book[f'{side}_levels'], 'price')}"
        expect(page.get_by_test_id("book-sums")).to_contain_text(said)
    with page.expect_download() as download:
        page.locator("#market .part-levels").get_by_role("button", name="CSV").click()
    saved = list(csv.reader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert [row[1] for row in saved[-2:]] == [str(seq), book["row_hash"]]


def test_a_seq_beyond_the_journal_is_told_and_leads_to_its_end(watched: Watched, demo: VenueProcess) -> None:
    """In the address as well as in its box, which is put right."""
    page = open_figure(watched.page, demo, query="?seq=99999999")
    said, field = page.get_by_test_id("travel-said"), page.get_by_test_id("travel-seq")
    expect(said).to_contain_text("The journal ends at seq")
    expect(page.get_by_test_id("net")).to_have_text(re.compile(r"^¥ [1-9]"))
    expect(page).not_to_have_url(re.compile("seq="))
    page.get_by_test_id("travel-last").click()
    expect(said).to_contain_text("As it was")
    expect(page).to_have_url(re.compile(r"seq=\d+"))
    field.fill("99999999")
    field.press("Enter")
    expect(said).to_contain_text("The journal ends at seq")
    expect(page).not_to_have_url(re.compile("seq="))
    for box in (field, page.get_by_test_id("travel")):
        expect(box).not_to_have_value("99999999")
    field.fill("0")
    field.press("Enter")
    expect(field).not_to_have_value("0")


def test_a_year_that_no_report_can_be_of_is_the_present_one(watched: Watched, demo: VenueProcess) -> None:
    """Nothing is asked that the API refuses: `watched` would notice it."""
    page = open_figure(watched.page, demo, query="?year=1999")
    for path in ("/ui/", "/ui/surveillance", "/ui/figure"):
        page.wait_for_load_state("networkidle")
        page.goto(f"{demo.url}{path}?lang=en&year=1999")
        expect(page.locator("html")).to_have_attribute("data-line", "live")
        expect(page.locator("main")).to_contain_text(str(year_of(demo)))


MEANS = {"forecast_recent_mean": "22928276968.50", "forecast_year_mean": "22645181905.50"}
WAITING = {
    "undecided": "100.00", "undecided_trades": 3, "share": "0.100000",
    "now": {"net": "1000.00", "ahead": "-10.00", "p50": "2000.00", "reach": "0.619"},
    "without": {"net": "900.00", "ahead": "-110.00", "p50": "1800.00", "reach": "0.570"},
}  # fmt: skip
MONTH = {
    "seq": 50, "days_left": 20, "net": "800.00", "target": "1000.00",
    "p10": "900.00", "p50": "1000.00", "p90": "1100.00", "reach": "0.500",
}  # fmt: skip
MONTHS = [
    MONTH | {"month": "2023-10", "too_early": True, "held": False},
    MONTH | {"month": "2023-11", "too_early": False, "held": True},
]


def expect_rows(page: Page, table: str, rows: list[list[str]]) -> None:
    found = page.get_by_test_id(f"table-{table}").locator("tbody tr")
    expect(found).to_have_count(len(rows))
    for row, cells in zip(found.all(), rows, strict=True):
        expect(row.locator("td")).to_have_text(cells)


def test_the_forecast_tells_its_means_what_waits_and_whether_it_held(page: Page, demo: VenueProcess) -> None:
    """The API tells the means from the 20th trading day on, and the scorecard from the end of a month; a finding waits for a
    decision. Of the present only."""
    year, flagged, forecasts = year_of(demo), report_of(demo, "/flagged"), report_of(demo, "/forecasts")
    flagged |= WAITING | {"parts": [flagged["parts"][0] | {"findings": 2}, *flagged["parts"][1:]]}
    forecasts |= {"has_ended": True, "net": "1050.00", "forecasts": MONTHS}
    report = report_of(demo) | MEANS
    page.route(
        re.compile(rf"/v1/reports/turnover/{year}(\?at_least_seq=\d+)?$"), lambda route: route.fulfill(json=report)
    )
    page.route("**/flagged", lambda route: route.fulfill(json=flagged))
    page.route("**/forecasts", lambda route: route.fulfill(json=forecasts))
    open_figure(page, demo)
    look_at(page, "forecast")
    expect(page.locator("[data-forecast=at_recent]")).to_have_text(money(MEANS["forecast_recent_mean"]))
    expect(page.locator("[data-forecast=at_year]")).to_have_text(money(MEANS["forecast_year_mean"]))
    waits, score = page.get_by_test_id("flagged-said"), page.get_by_test_id("score-said")
    expect(waits).to_have_text(
        "2 findings of the wash screen wait for a decision: ¥ 100.00, 10.0 % of the net turnover. "
        "If all of it were excluded, the chance to reach the target would be 57 % instead of 62 %."
    )
    expect_rows(page, "flagged", [["¥ 1,000.00", "−¥ 10.00", "¥ 2,000.00", "61.9 %"],
                                  ["¥ 900.00", "−¥ 110.00", "¥ 1,800.00", "57.0 %"]])  # fmt: skip
    expect(score).to_contain_text("The year ended at ¥ 1,050.00. Of 2 forecasts at the ends of its months, 1 had it")
    cells = ["¥ 800", "¥ 900", "¥ 1.00 k", "¥ 1.10 k"]
    expect_rows(page, "scorecard", [[*cells, "too early", "no"], [*cells, "50.0 %", "yes"]])
    forecasts["has_ended"] = False
    page.reload()
    look_at(page, "forecast")
    expect(score).to_contain_text("What the report forecast at the end of each month.")
    expect_rows(page, "scorecard", [[*cells, "too early"], [*cells, "50.0 %"]])
    page.get_by_role("link", name="2023-11").click()
    expect(page.get_by_test_id("cert-seq")).to_have_text("50")
    for of_the_present in (waits, score):
        expect(of_the_present).to_be_hidden()


def test_products_and_categories_behind_plan_stand_first(watched: Watched, demo: VenueProcess) -> None:
    """The gap is that of the last close; who has no target of his own, or one that has not begun, has no plan."""
    address = f"/v1/reports/targets/{year_of(demo)}/progress"
    found = demo.get(address)

    def line(number: int, scope: str, ahead: str, metric: str = "net_traded", **more: Any) -> Any:
        own = {"seq": number, "scope": scope, "metric": metric, "ahead": ahead, "pace": "1000.00", "stage": "running"}
        return found["targets"][0] | own | more

    lines = [
        line(9001, "product:PRND-OX", "-12.00"),
        line(9002, "product:DY-OX", "300.00"),
        line(9003, "category:deep_processed", "-700.00"),
        line(9004, "product:CEO2", "-2.500", "tonnes", pace="10.000"),
        line(9005, "product:LA-MET", "-5.00", stage="not_begun"),
    ]
    page, told = watched.page, found | {"targets": [*found["targets"], *lines]}
    page.route(re.compile(address), lambda route: route.fulfill(json=told))
    open_figure(page, demo)
    look_at(page, "targets")
    said = "3 of 4 targets of products and categories are behind plan, farthest deep-processed products: by ¥ 700.00."
    expect(page.get_by_test_id("behind-said")).to_have_text(said)
    names = ["deep-processed products", "PRND-OX", "CEO2", "DY-OX"]
    expect(page.get_by_test_id("table-behind").locator("tbody th b")).to_have_text(names)
    expect_rows(page, "behind", [["¥ 1,000.00", "¥ 300.00", "−¥ 700.00", "−70.0 %"],
                                 ["¥ 1,000.00", "¥ 988.00", "−¥ 12.00", "−1.2 %"],
                                 ["10.000 t", "7.500 t", "−2.500 t", "−25.0 %"],
                                 ["¥ 1,000.00", "¥ 1,300.00", "+¥ 300.00", "30.0 %"]])  # fmt: skip
