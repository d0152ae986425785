"""The figure's page: every number is the API's, to the fen; the proof says so, and says when it is not so; the past is the
report's of that seq; and each role sees what its scopes give."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from services.files.data_folder import READ_DATABASE_FILE
from services.pages.catalogue import words
from services.pages.formatting import money
from services.values.decimals import counted
from tests.browser.conftest import SIZE, VenueProcess, Watched, new_context, rex
from tests.browser.figuring import (
    PASSWORD,
    administration,
    look_at,
    make_reports,
    open_figure,
    report_of,
    rung,
    some_trades,
    year_of,
)
from tests.browser.trading import eventually
from tests.faults.rig import until
from tests.long import some
from tests.patience import PATIENCE_S

RUNGS = ("gross", "busted", "excluded", "net", "delivered", "taken_out")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("figure")


@pytest.fixture(scope="module")
def venue(folder: Path) -> Iterator[VenueProcess]:
    """A demo that is halted after some trades of which one is busted and one excluded, so that nothing changes; users."""
    with rex(folder, "demo", "--no-history", "--pace", "250") as venue, administration(venue) as client:
        make_reports(client, year_of(venue))
        trades = some_trades(venue)
        venue.post("/v1/admin/halt")
        busted = client.post(f"/v1/admin/trades/{trades[0]}/bust", json={"reason": "a test"})
        decision = {"decision": "exclude", "trade_ids": [trades[1]], "reason": "a test", "name": "Li Na"}
        excluded = client.post("/v1/admin/decisions", json=decision)
        context = {
            "year": year_of(venue),
            "figure": "output",
            "value": "75",
            "unit": "bn",
            "source": "a bulletin",
            "name": "Li",
        }
        for answer in (busted, excluded, client.post("/v1/admin/context", json=context)):
            assert answer.is_success, answer.text
        for role in ("visitor", "auditor"):
            user = {"name": role, "role": role, "account": 0, "password": PASSWORD}
            client.post("/v1/admin/users", json=user).raise_for_status()
        report_of(venue, at_least_seq=venue.get("/v1/venue")["seq"])  # all of that is projected
        yield venue


def test_the_first_paint_has_the_main_sums_and_the_seal_without_script(chromium: Browser, venue: VenueProcess) -> None:
    for language, verdict in (("en", "verdict"), ("zh", "verdict_zh")):
        context = new_context(chromium, java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{venue.url}/ui/figure?lang={language}")
        seal = page.locator("#certificate dd")
        report = report_of(venue, seq=int(seal.nth(1).inner_text().replace(",", "")))  # an alert may have come since
        for name in ("gross", "busted", "excluded", "net"):
            expect(page.locator(f"[data-rung={name}]")).to_have_text(money(report[name]))
        expect(page.get_by_test_id("net")).to_have_text(money(report["net"]))
        expect(page.get_by_test_id("verdict")).to_have_text(report[verdict])
        expect(seal.nth(4)).to_have_text(report["row_hash"])
        expect(page.get_by_text(words("figure", language)["counting_rule"])).to_be_visible()
        context.close()


def test_what_the_last_day_added_is_the_apis_in_the_first_paint_and_in_the_past(
    chromium: Browser, page: Page, venue: VenueProcess
) -> None:
    last_day = report_of(venue, "/last_day")
    for language, name in (("en", "sentence"), ("zh", "sentence_zh")):
        context = new_context(chromium, java_script_enabled=False)
        plain = context.new_page()

        def stands(plain: Page = plain, language: str = language, wanted: str = last_day[name]) -> bool:
            """A first paint is made without what takes longer than two seconds."""
            plain.goto(f"{venue.url}/ui/figure?lang={language}")
            return plain.get_by_test_id("last-day").inner_text() == wanted

        eventually(stands)
        context.close()
    page.route(
        re.compile(r"/last_day\b"),
        lambda route: route.fulfill(json=last_day | {"sentence": f"of {route.request.url.partition('?')[2]}"}),
    )
    open_figure(page, venue, query="?seq=50")
    expect(page.get_by_test_id("last-day")).to_have_text("of seq=50")
    page.get_by_test_id("travel-now").click()
    expect(page.get_by_test_id("last-day")).to_have_text("of ")
    page.unroute_all()
    page.route(re.compile(r"/last_day\b"), lambda route: route.fulfill(status=503, json={"title": "not now"}))
    page.get_by_test_id("travel").fill("60")
    expect(page.get_by_test_id("last-day")).to_be_empty()


def test_the_ladder_is_the_apis(watched: Watched, venue: VenueProcess) -> None:
    page = open_figure(watched.page, venue)
    ladder = report_of(venue, "/ladder")["ladder"]
    assert ladder["busted"]["amount"] != "0.00" != ladder["excluded"]["amount"]
    for name in RUNGS:
        expect(rung(page, name)).to_have_text(money(ladder[name]["amount"]))
    expect(rung(page, "changed_hands")).to_have_text(money(ladder["changed_hands"]))
    product = report_of(venue, "/ladder")["products"][0]
    page.get_by_test_id("product").select_option(product["symbol"])
    expect(rung(page, "net")).to_have_text(money(product["net"]["amount"]))
    expect(page).to_have_url(re.compile(f"product={product['symbol']}"))
    page.go_back()
    expect(rung(page, "net")).to_have_text(money(ladder["net"]["amount"]))


def test_the_other_tables_are_the_apis(watched: Watched, venue: VenueProcess) -> None:
    page = open_figure(watched.page, venue)

    def row(table: str, text: str) -> Any:
        return page.get_by_test_id(f"table-{table}").locator("tbody tr").filter(has_text=text).first

    for name in ("splits", "concentration", "months", "targets", "fees", "files", "context", "quality"):
        look_at(page, name)
    for line in report_of(venue, "/splits", by="category")["lines"]:
        expect(row("split", words("figure", "en")[f"category.{line['part']}"])).to_contain_text(money(line["amount"]))
    page.get_by_test_id("split-member").click()
    for line in report_of(venue, "/members")["lines"][:3]:
        expect(row("split", line["name"])).to_contain_text(money(line["bought"]["amount"]))
    for line in report_of(venue, "/months")["months"]:
        expect(row("months", line["month"])).to_contain_text(money(line["plan"]))
    fees = report_of(venue, "/fees")
    expect(page.get_by_test_id("fees").last).to_have_text(money(fees["fees"]))
    progress = venue.get(f"/v1/reports/targets/{year_of(venue)}/progress")["targets"]
    for line in progress:
        expect(row("targets", line["name"])).to_contain_text(money(line["done"]))
    expect(row("context", "output")).to_contain_text("a bulletin")
    hhi = Decimal(report_of(venue, "/concentration")["markets"][0]["both"]["hhi"])
    points = (hhi * 10_000).quantize(Decimal(1), ROUND_HALF_UP)
    expect(row("concentration", "All products")).to_contain_text(f"{points:,}")
    bulletin = venue.get(f"/v1/reports/bulletins/{venue.get('/v1/venue')['trading_date']}")
    expect(page.get_by_test_id("bulletin-sum")).to_contain_text(money(bulletin["total"]["turnover"]))
    assert any(line["stock_lots"] for line in bulletin["products"])
    for line in bulletin["products"]:
        cells = [f"{line[name]:,}" for name in ("received_lots", "released_lots", "stock_lots")]
        expect(row("receipts", f"{line['symbol']} ").locator("td")).to_have_text(cells)


def test_products_and_categories_behind_plan_stand_first(watched: Watched, venue: VenueProcess) -> None:
    """The gap is that of the last close; who has no target of his own, or one that has not begun, has no plan."""
    address = f"/v1/reports/targets/{year_of(venue)}/progress"
    found = venue.get(address)

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
    page = watched.page
    page.route(re.compile(address), lambda route: route.fulfill(json=found | {"targets": [*found["targets"], *lines]}))
    open_figure(page, venue)
    look_at(page, "targets")
    said = "3 of 4 targets of products and categories are behind plan, farthest deep-processed products: by ¥ 700.00."
    expect(page.get_by_test_id("behind-said")).to_have_text(said)
    rows = page.get_by_test_id("table-behind").locator("tbody tr")
    expected = [
        ("deep-processed products", "¥ 1,000.00", "¥ 300.00", "−¥ 700.00", "−70.0 %"),
        ("PRND-OX", "¥ 1,000.00", "¥ 988.00", "−¥ 12.00", "−1.2 %"),
        ("CEO2", "10.000 t", "7.500 t", "−2.500 t", "−25.0 %"),
        ("DY-OX", "¥ 1,000.00", "¥ 1,300.00", "+¥ 300.00", "30.0 %"),
    ]
    expect(rows).to_have_count(len(expected))
    for row, (name, *cells) in zip(rows.all(), expected, strict=True):
        expect(row.locator("th b")).to_have_text(name)
        expect(row.locator("td")).to_have_text(cells)
    page.unroute_all()
    page.reload()
    look_at(page, "targets")
    expect(page.get_by_test_id("behind-said")).to_contain_text("No product or category has a target of its own")
    expect(page.get_by_test_id("table-behind")).to_have_count(0)


def test_what_waits_for_a_decision_stands_beside_the_forecast(page: Page, venue: VenueProcess) -> None:
    open_figure(page, venue)
    look_at(page, "forecast")
    said, table = page.get_by_test_id("flagged-said"), page.get_by_test_id("table-flagged").locator("tbody tr")
    expect(said).to_have_text("No finding of the wash screen waits for a decision.")
    found = report_of(venue, "/flagged")
    parts = [found["parts"][0] | {"findings": 2}, *found["parts"][1:]]
    now = {"net": "1000.00", "ahead": "-10.00", "p50": "2000.00", "reach": "0.619"}
    without = {"net": "900.00", "ahead": "-110.00", "p50": "1800.00", "reach": "0.570"}
    told = {"parts": parts, "undecided": "100.00", "undecided_trades": 3, "share": "0.100000"}
    page.route("**/flagged", lambda route: route.fulfill(json=found | told | {"now": now, "without": without}))
    page.reload()
    look_at(page, "forecast")
    expect(said).to_have_text(
        "2 findings of the wash screen wait for a decision: ¥ 100.00, 10.0 % of the net turnover. "
        "If all of it were excluded, the chance to reach the target would be 57 % instead of 62 %."
    )
    for row, cells in (
        (table.first, ["¥ 1,000.00", "−¥ 10.00", "¥ 2,000.00", "61.9 %"]),
        (table.last, ["¥ 900.00", "−¥ 110.00", "¥ 1,800.00", "57.0 %"]),
    ):
        expect(row.locator("td")).to_have_text(cells)
    page.get_by_test_id("travel").fill("50")
    expect(page.get_by_test_id("cert-seq")).to_have_text("50")
    expect(said).to_be_hidden()  # The API tells it of the present only.


def test_the_scorecard_tells_what_the_forecast_said_and_whether_it_held(page: Page, venue: VenueProcess) -> None:
    found, answers = report_of(venue, "/forecasts"), list[dict[str, object]]()
    page.route("**/forecasts", lambda route: route.fulfill(json=found | answers[-1]))
    ends = {"p10": "900.00", "p50": "1000.00", "p90": "1100.00", "reach": "0.500", "too_early": False}
    told = {"seq": 50, "days_left": 20, "net": "800.00", "target": "1000.00", **ends}
    lines = [told | {"month": "2023-10", "too_early": True, "held": False}, told | {"month": "2023-11", "held": True}]
    none, running = "No month has ended at whose end", "What the report forecast at the end of each month."
    ended = "The year ended at ¥ 1,050.00. Of 2 forecasts at the ends of its months, 1 had it between P10 and P90"
    said, table = page.get_by_test_id("score-said"), page.get_by_test_id("table-scorecard")
    cells = ["¥ 800", "¥ 900", "¥ 1.00 k", "¥ 1.10 k", "too early"]
    for has_ended, shown, sentence, held in (
        (False, [], none, []),
        (False, lines, running, []),
        (True, lines, ended, ["no"]),
    ):
        answers.append({"has_ended": has_ended, "net": "1050.00", "forecasts": shown})
        open_figure(page, venue)
        look_at(page, "forecast")
        expect(said).to_contain_text(sentence)
        expect(table).to_have_count(1 if shown else 0)
        if shown:
            expect(table.locator("tbody tr").first.locator("td")).to_have_text([*cells, *held])
    table.get_by_role("link", name="2023-11").click()
    expect(page.get_by_test_id("cert-seq")).to_have_text("50")
    expect(said).to_be_hidden()  # The API tells it of the present only.


def test_the_forecast_says_where_the_year_ends_at_a_mean(page: Page, venue: VenueProcess) -> None:
    """The API tells it from the 20th trading day on."""
    ends = {"forecast_recent_mean": "22928276968.50", "forecast_year_mean": "22645181905.50"}
    page.route(
        re.compile(rf"/v1/reports/turnover/{year_of(venue)}(\?|$)"),
        lambda route: route.fulfill(json=report_of(venue) | ends),
    )
    open_figure(page, venue)
    look_at(page, "forecast")
    expect(page.locator("[data-forecast=at_recent]")).to_have_text(money(ends["forecast_recent_mean"]))
    expect(page.locator("[data-forecast=at_year]")).to_have_text(money(ends["forecast_year_mean"]))


def test_a_file_and_a_table_are_saved(watched: Watched, venue: VenueProcess) -> None:
    page = open_figure(watched.page, venue)
    ladder = report_of(venue, "/ladder")
    expect(rung(page, "changed_hands")).to_have_text(money(ladder["ladder"]["changed_hands"]))
    with page.expect_download() as download:
        page.get_by_test_id("save-ladder").click()
    lines = list(csv.reader(Path(download.value.path()).read_text("utf-8").splitlines()))
    assert [line[1] for line in lines[1:5]] == [ladder["ladder"][name]["amount"] for name in RUNGS[:4]]
    assert [line[0] for line in lines[-2:]] == ["seq", "row_hash"]
    assert lines[-1][1] == report_of(venue, seq=int(lines[-2][1]))["row_hash"]
    look_at(page, "files")
    pdf = page.get_by_test_id("year-pdf").get_attribute("href")
    answer = page.request.get(f"{venue.url}{pdf}")
    assert answer.ok
    assert answer.body().startswith(b"%PDF")


def test_the_bar_of_a_proof_stands_where_the_venue_is(page: Page, venue: VenueProcess) -> None:
    open_figure(page, venue)
    held: list[Route] = []
    page.route("**/proof", lambda route: held.append(route))
    facts: dict[str, int | None] = {"proof_reached_seq": None, "proof_to_seq": None}
    page.route("**/healthz", lambda route: route.fulfill(json=facts))
    page.get_by_test_id("prove").click()
    bar = page.get_by_test_id("proof-bar")
    expect(bar).to_be_visible()
    assert bar.get_attribute("value") is None  # no share is known, and none is pretended
    facts |= {"proof_reached_seq": 300, "proof_to_seq": 1_200}
    expect(page.get_by_test_id("proof-reached")).to_have_text("300 of 1,200 commands (25 %)")
    assert bar.get_attribute("value") == "0.25"
    held[0].continue_()
    expect(page.get_by_test_id("proof-agrees")).to_be_visible()


@contextmanager
def damaged(folder: Path, table: str = "trades", newest: str = "trade_id") -> Iterator[None]:
    """The newest row of a table of the read database has a fen more."""

    def add(fen: int) -> None:
        with closing(sqlite3.connect(folder / READ_DATABASE_FILE, timeout=PATIENCE_S)) as connection, connection:
            last = f"(SELECT max({newest}) FROM {table})"
            connection.execute(f"UPDATE {table} SET amount_fen = amount_fen + ? WHERE {newest} = {last}", [fen])

    add(1)
    try:
        yield
    finally:
        add(-1)


def test_a_disagreement_is_told_as_danger_and_four_sums_that_agree_are_shown(
    page: Page, venue: VenueProcess, folder: Path
) -> None:
    open_figure(page, venue)
    with damaged(folder):
        prove(page)
        expect(page.get_by_test_id("proof-disagrees")).to_be_visible()
        expect(page.locator(".sums .differs [data-sum]")).to_have_attribute("data-sum", "sql_sum")
        colour = page.get_by_test_id("proof-disagrees").locator("b").evaluate("node => getComputedStyle(node).color")
        danger = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--danger')").strip("# ")
        assert colour == f"rgb({', '.join(str(int(danger[at : at + 2], 16)) for at in (0, 2, 4))})"
        expect(page.get_by_test_id("differences").locator("li").first).to_be_visible()
        page.get_by_test_id("certify").click()
        expect(page.get_by_text("There is no certificate", exact=True)).to_be_visible()
    watched = Watched(page)
    watched.listen()  # from here on nothing is refused
    prove(page)
    expect(page.get_by_test_id("proof-agrees")).to_be_visible()
    report = report_of(venue)
    traded = money(str(Decimal(report["gross"]) - Decimal(report["busted"])))
    for name in ("engine_counter", "sql_sum", "journal_replay", "independent_decoder"):
        expect(page.locator(f"[data-sum={name}]")).to_have_text(traded)
    for name in ("excluded_sql_sum", "excluded_independent_decoder"):
        expect(page.locator(f"[data-sum={name}]")).to_have_text(money(report["excluded"]))
    with page.expect_response("**/certificate") as answered:
        page.get_by_test_id("certify").click()
    certificate = answered.value.json()
    expect(page.get_by_test_id("certified")).to_be_visible()
    expect(page.get_by_test_id("redo")).to_have_text(certificate["redo"])
    expect(page.get_by_test_id("certificate")).to_contain_text(certificate["decoder_sha256"])
    assert watched.troubles == []


def test_a_report_that_found_a_disagreement_is_doubted_beside_its_figure(
    page: Page, venue: VenueProcess, folder: Path
) -> None:
    overview, doubt = f"{venue.url}/ui/", page.get_by_test_id("doubt")
    page.goto(overview)
    expect(page.get_by_test_id("net")).not_to_have_text("–")
    expect(doubt).to_have_count(0)
    open_figure(page, venue)
    expect(page.get_by_test_id("travel-said")).to_contain_text("no proof is recorded")
    expect(doubt).to_have_count(0)
    with damaged(folder, "daily_turnover", "largest_trade_id"):
        until(lambda: report_of(venue)["discrepancies"], "the report finds nothing")
        (found,) = report_of(venue)["discrepancies"]
        page.reload()
        expect(doubt).to_have_text(found["sentence"])
        page.goto(f"{overview}?lang=zh")
        expect(doubt).to_have_text(found["sentence_zh"])
    until(lambda: not report_of(venue)["discrepancies"], "the report still finds something")


def prove(page: Page) -> None:
    page.get_by_test_id("prove").click()
    expect(page.get_by_test_id("proof-waits")).to_contain_text("re-executes")
    expect(page.get_by_test_id("prove")).to_be_disabled()


def test_a_proof_beside_a_past_figure_is_marked_as_of_the_present(page: Page, venue: VenueProcess) -> None:
    open_figure(page, venue)
    note, proof = page.get_by_test_id("of-present"), page.get_by_test_id("proof-agrees")
    prove(page)
    expect(proof).to_be_visible()
    expect(note).to_be_hidden()
    page.get_by_test_id("travel").fill("50")
    expect(page.get_by_test_id("cert-seq")).to_have_text("50")
    expect(note).to_be_visible()
    page.get_by_test_id("travel-now").click()
    expect(note).to_be_hidden()
    expect(proof).to_be_visible()
    page.locator("#years button").first.click()
    expect(proof).to_be_hidden()  # it is of another year


def test_time_travel_shows_the_report_of_that_seq(page: Page, venue: VenueProcess) -> None:
    present = report_of(venue)
    seqs = sorted(trade["seq"] for trade in venue.get("/v1/reports/trades", year=year_of(venue), limit=100)["trades"])
    middle, later = seqs[len(seqs) // 2], seqs[-2]
    past = report_of(venue, seq=middle)
    assert past["net"] != present["net"]
    open_figure(page, venue, query=f"?seq={middle}")
    expect(page.get_by_test_id("net")).to_have_text(money(past["net"]))
    expect(page.get_by_test_id("cert-seq")).to_have_text(f"{middle:,}")
    expect(page.get_by_test_id("row-hash")).to_have_text(past["row_hash"])
    expect(page.get_by_test_id("travel")).to_have_value(str(middle))
    for name in ("gross", "busted", "excluded", "net"):
        expect(rung(page, name)).to_have_text(money(past[name]))
    expect(rung(page, "changed_hands")).to_have_text("–")
    look_at(page, "concentration")
    expect(page.get_by_test_id("concentration")).to_contain_text("of the present")
    page.get_by_test_id("travel").fill(str(later))
    expect(page.get_by_test_id("net")).to_have_text(money(report_of(venue, seq=later)["net"]))
    expect(page).to_have_url(re.compile(f"seq={later}"))
    expect(page.get_by_test_id("travel-said")).to_contain_text("As it was")
    page.get_by_test_id("travel-now").click()
    expect(page.get_by_test_id("net")).to_have_text(money(present["net"]))
    expect(page).not_to_have_url(re.compile("seq="))


def test_a_past_report_that_could_not_be_read_is_read_again(page: Page, venue: VenueProcess) -> None:
    seq = min(trade["seq"] for trade in venue.get("/v1/reports/trades", year=year_of(venue), limit=100)["trades"])
    past = report_of(venue, seq=seq)
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    page.route(re.compile(r"/v1/reports/turnover/\d+\?seq="), refuse_once)
    open_figure(page, venue, query=f"?seq={seq}")
    expect(page.get_by_test_id("net")).to_have_text(money(past["net"]))
    expect(page.get_by_test_id("travel-said")).to_contain_text("As it was")
    assert len(refused) == 1


def test_a_seq_beyond_the_journal_is_told_and_the_boxes_are_put_right(page: Page, venue: VenueProcess) -> None:
    open_figure(page, venue, query="?seq=50")
    expect(page.get_by_test_id("travel-said")).to_contain_text("As it was")
    field = page.get_by_test_id("travel-seq")
    field.fill("99999999")
    field.press("Enter")
    expect(page.get_by_test_id("travel-said")).to_contain_text("The journal ends at seq")
    expect(page).not_to_have_url(re.compile("seq="))
    for box in (field, page.get_by_test_id("travel")):
        expect(box).not_to_have_value("99999999")
        expect(page.get_by_test_id("travel-said")).to_contain_text(f"{int(box.input_value()):,}")
    field.fill("0")
    field.press("Enter")
    expect(field).not_to_have_value("0")


def test_an_address_with_a_seq_beyond_the_journal_leads_to_its_end(watched: Watched, venue: VenueProcess) -> None:
    page = open_figure(watched.page, venue, query="?seq=99999999")
    said = page.get_by_test_id("travel-said")
    expect(said).to_contain_text("The journal ends at seq")
    expect(page.get_by_test_id("net")).to_have_text(money(report_of(venue)["net"]))
    expect(page).not_to_have_url(re.compile("seq="))
    page.get_by_test_id("travel-last").click()
    expect(said).to_contain_text("As it was")
    expect(page).to_have_url(re.compile(r"seq=\d+"))


@pytest.mark.parametrize("path", ["/ui/figure", "/ui/", "/ui/surveillance"])
def test_a_year_that_no_report_can_be_of_is_the_present_one(watched: Watched, venue: VenueProcess, path: str) -> None:
    """Nothing is asked that the API refuses: `watched` would notice it."""
    page = open_figure(watched.page, venue, query="?year=1999")
    page.goto(f"{venue.url}{path}?lang=en&year=1999")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    expect(page.locator("main")).to_contain_text(str(year_of(venue)))


def test_the_book_then_is_the_one_after_that_seq(watched: Watched, venue: VenueProcess) -> None:
    trade = venue.get("/v1/reports/trades", year=year_of(venue), limit=100)["trades"][0]
    product, seq = trade["product"], trade["seq"]
    book = venue.get(f"/v1/reports/books/{product}", seq=seq, levels=10)
    page = open_figure(watched.page, venue, query=f"?seq={seq}&product={product}")
    lines = page.get_by_test_id("table-book").locator("tbody tr")
    expect(lines).to_have_count(10)
    none = {"price": None, "quantity": None, "orders": None}
    for number, row in enumerate(lines.all()):
        bid, ask = (([*book[side], *[none] * 10][number]) for side in ("bids", "asks"))
        shown = bid["orders"], bid["quantity"], bid["price"], ask["price"], ask["quantity"], ask["orders"]
        expect(row.locator("td")).to_have_text(["–" if one is None else f"{Decimal(one):,}" for one in shown])
    sums = page.get_by_test_id("book-sums")
    expect(sums).to_contain_text(
        f"{counted(book['bid_quantity'], 'lot')} to buy at {counted(book['bid_levels'], 'price')}"
    )
    expect(sums).to_contain_text(
        f"{counted(book['ask_quantity'], 'lot')} to sell at {counted(book['ask_levels'], 'price')}"
    )
    with page.expect_download() as download:
        page.locator("#market .part-levels").get_by_role("button", name="CSV").click()
    saved = list(csv.reader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert [row[1] for row in saved[-2:]] == [str(seq), book["row_hash"]]
    page.get_by_test_id("travel-now").click()
    expect(page.locator("#market")).to_contain_text(f"The book of {product} now.")


def test_the_figure_names_one_seq_and_its_last_proof(page: Page, venue: VenueProcess) -> None:
    """Each panel is read at its own moment: its seq is in its title, not beside the figure's."""
    open_figure(page, venue)
    for panel in ("ladder", "market", "splits", "months", "quality", "files"):
        look_at(page, panel)
        expect(page.locator(f"#{panel}-body")).not_to_have_text("…")
    expect(page.locator("#ladder h2")).to_have_attribute("title", re.compile(r"^exact at seq [\d,]+$"))
    said = page.locator("main").inner_text()
    certified = re.search(r"Exact at seq\s+([\d,]+)", said)
    assert certified
    assert set(re.findall(r"(?<!agreed: )(?<!Set by )\bseq\s+([\d,]+)", said)) == {certified[1]}
    expect(page.get_by_test_id("travel-seq")).to_have_value(re.compile(r"^\d+$"))


def test_the_trades_then_are_those_up_to_that_seq(page: Page, venue: VenueProcess) -> None:
    trades = venue.get("/v1/reports/trades", year=year_of(venue), limit=100)["trades"]
    product = trades[-1]["product"]
    of_product = [trade for trade in trades if trade["product"] == product]
    seq = of_product[len(of_product) // 2]["seq"]
    open_figure(page, venue, query=f"?seq={seq}&product={product}")
    table = page.get_by_test_id("table-trades-then")
    expect(table.locator("tbody tr")).to_have_count(min(20, sum(trade["seq"] <= seq for trade in of_product)))
    expect(table.locator("tbody tr").first).to_contain_text(f"{seq:,}")


@pytest.mark.parametrize(
    ("role", "reads", "proves"),
    some([("auditor", True, True), (None, False, False), ("visitor", True, False), ("trader", True, False)], short=2),
)
def test_each_role_sees_what_its_scopes_give(
    watched: Watched, venue: VenueProcess, role: str | None, reads: bool, proves: bool
) -> None:
    page = open_figure(watched.page, venue, role)
    report = report_of(venue)
    expect(page.get_by_test_id("net")).to_have_text(money(report["net"]))
    expect(rung(page, "net")).to_have_text(money(report["net"]))
    expect(page.get_by_test_id("needs")).to_be_visible(visible=not reads)
    look_at(page, "forecast")
    expect(page.get_by_test_id("flagged-said")).to_have_count(int(reads))
    look_at(page, "splits")
    if reads:
        expect(page.get_by_test_id("table-split")).to_be_visible()
        expect(page.get_by_test_id("travel")).to_be_visible()
    else:
        expect(page.get_by_test_id("enter-here")).to_be_visible()
        expect(page.get_by_test_id("months")).to_be_visible()
        for hidden in (page.get_by_test_id("splits"), page.locator(".contents a[href='#splits']")):
            expect(hidden).to_be_hidden()
    if proves:
        expect(page.get_by_test_id("prove")).to_be_visible()
    else:
        expect(page.get_by_test_id("proof-needs")).to_contain_text("operator or auditor")


def test_it_fits_a_phone_in_chinese(watched: Watched, venue: VenueProcess) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 844})
    page = open_figure(watched.page, venue, query="?lang=zh")
    expect(page.get_by_role("heading", name="成交额阶梯")).to_be_visible()
    expect(page.get_by_test_id("verdict")).to_have_text(report_of(venue)["verdict_zh"])
    for name in ("splits", "targets", "quality", "context"):
        look_at(page, name)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    watched.page.set_viewport_size(SIZE)  # type: ignore[arg-type]


def test_it_prints_with_the_ladder_and_the_seal(watched: Watched, venue: VenueProcess) -> None:
    page = open_figure(watched.page, venue)
    page.emulate_media(media="print", color_scheme="dark")
    expect(rung(page, "net")).to_be_visible()
    expect(page.get_by_test_id("row-hash")).to_be_visible()
    expect(page.get_by_test_id("prove")).to_be_hidden()
    inks = "['--red', '--green'].map(name => getComputedStyle(document.documentElement).getPropertyValue(name).trim())"
    in_dark = page.evaluate(inks)
    page.emulate_media(media="print", color_scheme="light")
    assert in_dark == page.evaluate(inks), "paper is white"
    assert page.pdf(format="A4").startswith(b"%PDF")
