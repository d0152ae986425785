"""The figure's page: every number is the API's, to the fen; the proof says so, and says when it is not so; and each role sees
what its scopes give."""

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
from tests.browser.conftest import VenueProcess, Watched, new_context, rex
from tests.browser.figuring import look_at, open_figure, report_of, rung, some_trades, year_of
from tests.browser.operating import PASSWORD, administration
from tests.browser.trading import eventually
from tests.faults.rig import until
from tests.patience import PATIENCE_S

RUNGS = ("gross", "busted", "excluded", "net", "delivered", "taken_out")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("figure")


@pytest.fixture(scope="module")
def venue(folder: Path) -> Iterator[VenueProcess]:
    """A demo that is halted after some trades of which one is busted and one excluded, so that nothing changes; a visitor."""
    with rex(folder, "demo", "--no-history", "--pace", "250") as venue, administration(venue) as client:
        venue.wait_for_reports()
        trades = some_trades(venue)
        venue.post("/v1/admin/halt")
        signed = {"reason": "a test", "name": "Li Na"}
        entered = {"year": year_of(venue), "figure": "output", "value": "75", "unit": "bn", "source": "a bulletin"}
        for path, body in (
            (f"trades/{trades[0]}/bust", {"reason": "a test"}),
            ("decisions", signed | {"decision": "exclude", "trade_ids": [trades[1]]}),
            ("context", entered | {"name": "Li"}),
            ("users", {"name": "visitor", "role": "visitor", "account": 0, "password": PASSWORD}),
        ):
            client.post(f"/v1/admin/{path}", json=body).raise_for_status()
        report_of(venue, at_least_seq=venue.get("/v1/venue")["seq"])  # all of that is projected
        yield venue


@pytest.mark.parametrize(("language", "of"), [("en", ""), ("zh", "_zh")])
def test_the_first_paint_has_the_main_sums_and_the_seal_without_script(
    chromium: Browser, venue: VenueProcess, language: str, of: str
) -> None:
    last_day = report_of(venue, "/last_day")[f"sentence{of}"]
    context = new_context(chromium, java_script_enabled=False)
    page = context.new_page()

    def is_whole() -> bool:
        """A first paint is made without what takes longer than two seconds."""
        page.goto(f"{venue.url}/ui/figure?lang={language}")
        return bool(page.get_by_test_id("last-day").inner_text() == last_day)

    eventually(is_whole)
    seal = page.locator("#certificate dd")
    report = report_of(venue, seq=int(seal.nth(1).inner_text().replace(",", "")))  # an alert may have come since
    for name in ("gross", "busted", "excluded", "net"):
        expect(page.locator(f"[data-rung={name}]")).to_have_text(money(report[name]))
    expect(page.get_by_test_id("net")).to_have_text(money(report["net"]))
    expect(page.get_by_test_id("verdict")).to_have_text(report[f"verdict{of}"])
    expect(seal.nth(4)).to_have_text(report["row_hash"])
    expect(page.get_by_text(words("figure", language)["counting_rule"])).to_be_visible()
    context.close()


def test_ladder_and_tables_are_the_apis(watched: Watched, venue: VenueProcess) -> None:
    """And say so where there is nothing yet. Each panel is read at its own moment: its seq is in its title, and the page names
    one beside the figure."""
    page, told = open_figure(watched.page, venue), report_of(venue, "/ladder")
    for panel in ("ladder", "market", "splits", "months", "quality", "files"):
        look_at(page, panel)
        expect(page.locator(f"#{panel}-body")).not_to_have_text("…")
    expect(page.locator("#ladder h2")).to_have_attribute("title", re.compile(r"^exact at seq [\d,]+$"))
    said = page.locator("main").inner_text()
    certified = re.search(r"Exact at seq\s+([\d,]+)", said)
    assert certified
    assert set(re.findall(r"(?<!agreed: )(?<!Set by )\bseq\s+([\d,]+)", said)) == {certified[1]}

    assert told["ladder"]["busted"]["amount"] != "0.00" != told["ladder"]["excluded"]["amount"]
    for name in RUNGS:
        expect(rung(page, name)).to_have_text(money(told["ladder"][name]["amount"]))
    expect(rung(page, "changed_hands")).to_have_text(money(told["ladder"]["changed_hands"]))
    product = told["products"][0]
    page.get_by_test_id("product").select_option(product["symbol"])
    expect(rung(page, "net")).to_have_text(money(product["net"]["amount"]))
    expect(page).to_have_url(re.compile(f"product={product['symbol']}"))
    page.go_back()
    expect(rung(page, "net")).to_have_text(money(told["ladder"]["net"]["amount"]))

    expect_tables(page, venue)
    for panel, place, nothing in (
        ("targets", "behind-said", "No product or category has a target of its own"),
        ("forecast", "flagged-said", "No finding of the wash screen waits for a decision."),
        ("forecast", "score-said", "No month has ended at whose end"),
    ):
        look_at(page, panel)
        expect(page.get_by_test_id(place)).to_contain_text(nothing)
    for table in ("behind", "scorecard"):
        expect(page.get_by_test_id(f"table-{table}")).to_have_count(0)


def expect_tables(page: Page, venue: VenueProcess) -> None:
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


def test_tables_and_files_are_saved_and_the_page_is_printed(watched: Watched, venue: VenueProcess) -> None:
    page, ladder = open_figure(watched.page, venue), report_of(venue, "/ladder")["ladder"]
    expect(rung(page, "changed_hands")).to_have_text(money(ladder["changed_hands"]))
    with page.expect_download() as download:
        page.get_by_test_id("save-ladder").click()
    lines = list(csv.reader(Path(download.value.path()).read_text("utf-8").splitlines()))
    assert [line[1] for line in lines[1:5]] == [ladder[name]["amount"] for name in RUNGS[:4]]
    assert [line[0] for line in lines[-2:]] == ["seq", "row_hash"]
    assert lines[-1][1] == report_of(venue, seq=int(lines[-2][1]))["row_hash"]
    look_at(page, "files")
    answer = page.request.get(f"{venue.url}{page.get_by_test_id('year-pdf').get_attribute('href')}")
    assert answer.body().startswith(b"%PDF")
    page.emulate_media(media="print", color_scheme="dark")
    expect(rung(page, "net")).to_be_visible()
    expect(page.get_by_test_id("row-hash")).to_be_visible()
    expect(page.get_by_test_id("prove")).to_be_hidden()
    inks = "['--red', '--green'].map(name => getComputedStyle(document.documentElement).getPropertyValue(name).trim())"
    in_dark = page.evaluate(inks)
    page.emulate_media(media="print", color_scheme="light")
    assert in_dark == page.evaluate(inks), "paper is white"
    assert page.pdf(format="A4").startswith(b"%PDF")


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


def prove(page: Page) -> None:
    page.get_by_test_id("prove").click()
    expect(page.get_by_test_id("proof-waits")).to_contain_text("re-executes")
    expect(page.get_by_test_id("prove")).to_be_disabled()


def test_a_disagreement_is_told_as_danger_and_four_sums_that_agree_are_shown_and_certified(
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
    prove_and_look_at_the_bar(page)
    proof = page.get_by_test_id("proof-agrees")
    expect(proof).to_be_visible()
    report = report_of(venue)
    traded = money(str(Decimal(report["gross"]) - Decimal(report["busted"])))
    for name in ("engine_counter", "sql_sum", "journal_replay", "independent_decoder"):
        expect(page.locator(f"[data-sum={name}]")).to_have_text(traded)
    for name in ("excluded_sql_sum", "excluded_independent_decoder"):
        expect(page.locator(f"[data-sum={name}]")).to_have_text(money(report["excluded"]))
    expect_the_proof_of_the_present(page, report["seq"] - 10)
    with page.expect_response("**/certificate") as answered:
        page.get_by_test_id("certify").click()
    certificate = answered.value.json()
    expect(page.get_by_test_id("certified")).to_be_visible()
    expect(page.get_by_test_id("redo")).to_have_text(certificate["redo"])
    expect(page.get_by_test_id("certificate")).to_contain_text(certificate["decoder_sha256"])
    assert watched.troubles == []


def prove_and_look_at_the_bar(page: Page) -> None:
    """The bar stands where the venue is."""
    held: list[Route] = []
    page.route("**/proof", lambda route: held.append(route))
    facts: dict[str, int | None] = {"proof_reached_seq": None, "proof_to_seq": None}
    page.route("**/healthz", lambda route: route.fulfill(json=facts))
    prove(page)
    bar = page.get_by_test_id("proof-bar")
    expect(bar).to_be_visible()
    assert bar.get_attribute("value") is None  # no share is known, and none is pretended
    facts |= {"proof_reached_seq": 300, "proof_to_seq": 1_200}
    expect(page.get_by_test_id("proof-reached")).to_have_text("300 of 1,200 commands (25 %)")
    assert bar.get_attribute("value") == "0.25"
    held[0].continue_()


def expect_the_proof_of_the_present(page: Page, past: int) -> None:
    """Beside a past figure the proof is marked as that of the present, and beside another year it is not shown."""
    note, proof = page.get_by_test_id("of-present"), page.get_by_test_id("proof-agrees")
    expect(note).to_be_hidden()
    page.get_by_test_id("travel").fill(str(past))
    expect(page.get_by_test_id("cert-seq")).to_have_text(f"{past:,}")
    expect(note).to_be_visible()
    page.get_by_test_id("travel-now").click()
    expect(note).to_be_hidden()
    expect(proof).to_be_visible()
    page.locator("#years button").first.click()
    expect(proof).to_be_hidden()
    page.go_back()
    expect(proof).to_be_visible()


def test_a_report_that_found_a_disagreement_is_doubted_beside_its_figure(
    page: Page, venue: VenueProcess, folder: Path
) -> None:
    overview, doubt = f"{venue.url}/ui/?lang=zh", page.get_by_test_id("doubt")
    page.goto(overview)
    expect(page.get_by_test_id("net")).not_to_have_text("–")
    expect(doubt).to_have_count(0)
    open_figure(page, venue)
    expect(page.get_by_test_id("travel-said")).to_contain_text("no proof is recorded")
    expect(doubt).to_have_count(0)
    with damaged(folder, "daily_turnover", "largest_trade_id"):
        venue.post("/v1/admin/halt")  # after a command the report is made anew
        until(lambda: report_of(venue)["discrepancies"], "the report finds nothing")
        (found,) = report_of(venue)["discrepancies"]
        page.reload()
        expect(doubt).to_have_text(found["sentence"])
        page.goto(overview)
        expect(doubt).to_have_text(found["sentence_zh"])
    venue.post("/v1/admin/halt")
    until(lambda: not report_of(venue)["discrepancies"], "the report still finds something")


def test_nobody_sees_the_sums_and_what_the_rest_needs(watched: Watched, venue: VenueProcess) -> None:
    page, net = open_figure(watched.page, venue, None), money(report_of(venue)["net"])
    for shown in (page.get_by_test_id("net"), rung(page, "net")):
        expect(shown).to_have_text(net)
    expect(page.get_by_test_id("needs")).to_be_visible()
    expect(page.get_by_test_id("enter-here")).to_be_visible()
    expect(page.get_by_test_id("months")).to_be_visible()
    for hidden in (page.get_by_test_id("splits"), page.locator(".contents a[href='#splits']")):
        expect(hidden).to_be_hidden()
    look_at(page, "forecast")
    expect(page.get_by_test_id("flagged-said")).to_have_count(0)
    expect(page.get_by_test_id("proof-needs")).to_contain_text("operator or auditor")


def test_a_visitor_reads_it_in_chinese_on_a_phone_and_may_not_prove(watched: Watched, venue: VenueProcess) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 844})
    page = open_figure(watched.page, venue, "visitor", "?lang=zh")
    expect(page.get_by_role("heading", name="成交额阶梯")).to_be_visible()
    expect(page.get_by_test_id("verdict")).to_have_text(report_of(venue)["verdict_zh"])
    for name in ("splits", "targets", "quality", "context"):
        look_at(page, name)
    expect(page.get_by_test_id("table-split")).to_be_visible()
    expect(page.get_by_test_id("travel")).to_be_visible()
    expect(page.get_by_test_id("needs")).to_be_hidden()
    expect(page.get_by_test_id("proof-needs")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
