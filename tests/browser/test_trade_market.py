"""The trade page: the market as the API has it, on every size of window."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, SYMBOL, VenueProcess, Watched
from tests.browser.trading import (
    depth_of,
    eventually,
    expected_ladder,
    grouped,
    ladder,
    limits,
    look,
    orders,
    send,
    trade,
)
from tests.patience import http_delete

pytestmark = pytest.mark.usefixtures("calm")


def test_ladder_head_and_tape_are_the_apis(watched: Watched, demo: VenueProcess, no_orders: None) -> None:
    """The ladder at every grouping; it says after which command it stands."""
    page = look(watched.page, demo)
    for ticks in (50, 10, 5, 1):  # what was chosen last is kept
        page.get_by_test_id(f"group-{ticks}").click()
        group = Decimal("0.10") * ticks
        eventually(lambda group=group: ladder(page) == expected_ladder(depth_of(demo), group))  # type: ignore[misc]
    body = page.get_by_test_id("ladder").locator("tbody")
    placed = demo.place(DESK, symbol=SYMBOL, side="buy", price=limits(demo)["lower_limit"], quantity=1)
    eventually(lambda: int(body.get_attribute("data-seq") or 0) >= placed["seq"])

    def agrees() -> bool:
        ticker, trades = limits(demo), demo.get(f"/v1/market/{SYMBOL}/trades", limit=1)
        if not trades:
            return False
        shown = [
            page.get_by_test_id("last").inner_text(),
            page.locator("#quote-volume").inner_text(),
            page.locator("#quote-turnover").get_attribute("title"),
            page.locator("#tape-body tr").first.locator("td").nth(1).inner_text().lstrip("▲▼◆ "),
        ]
        wanted = [grouped(ticker["last"]), grouped(ticker["volume"]), f"¥ {grouped(ticker['turnover'])}"]
        return shown == [*wanted, grouped(trades[0]["price"])]

    eventually(agrees)
    before = page.locator("#tape-body").inner_text()
    expect(page.locator("#tape-body")).not_to_have_text(before, use_inner_text=True)


def terms(demo: VenueProcess, symbol: str) -> Any:
    return next(listed for listed in demo.get("/v1/instruments") if listed["symbol"] == symbol)


@pytest.fixture
def still(demo: VenueProcess, no_orders: None) -> Iterator[str]:
    """An instrument that is halted once three bids of the desk rest in its book: nobody enters or trades there."""
    symbol = "SMCO-15"
    tick = Decimal(terms(demo, symbol)["tick_size"])

    def rests() -> bool:
        ticker = demo.get(f"/v1/market/{symbol}/ticker")
        price = Decimal(ticker["best_ask"] or ticker["reference_price"])
        for lots in (1, 2, 3):
            demo.place(DESK, symbol=symbol, side="buy", price=str(price - (2 + lots) * tick), quantity=lots)
        demo.post(f"/v1/admin/instruments/{symbol}/halt")
        if [order["leaves_qty"] for order in orders(demo, "open") if order["symbol"] == symbol] in (
            [1, 2, 3],
            [3, 2, 1],
        ):
            return True
        demo.post(f"/v1/admin/instruments/{symbol}/resume")  # somebody was faster, and sold to the desk
        http_delete(f"{demo.url}/v1/orders?symbol={symbol}", headers=demo._headers(DESK)).raise_for_status()
        return False

    eventually(rests)
    yield symbol
    demo.post(f"/v1/admin/instruments/{symbol}/resume")


def test_the_ladder_saves_what_it_shows_and_says_sum_and_average_to_a_level(
    watched: Watched, demo: VenueProcess, still: str
) -> None:
    page = trade(watched.page, demo, still)
    page.get_by_test_id("group-10").click()
    heights = page.locator("#trade > :is(.ladder, .tape) > header").evaluate_all(
        "heads => heads.map((head) => head.offsetHeight)"
    )
    assert heights[0] == heights[1], "its buttons stand in one line"
    group = 10 * Decimal(terms(demo, still)["tick_size"])

    def is_saved() -> bool:
        with page.expect_download() as saved:
            page.get_by_test_id("save-book").click()
        lines = list(csv.DictReader(Path(saved.value.path()).read_text("utf-8").splitlines()))
        shown = [
            [line["side"], line["price"], *(grouped(line[name]) for name in ("quantity", "orders", "sum"))]
            for line in lines
        ]
        own = sum(int(line["own"]) for line in lines if line["side"] == "bid")
        return own == 6 and shown == expected_ladder(depth_of(demo, still), group)

    eventually(is_saved)

    page.get_by_test_id("group-1").click()
    lot = terms(demo, still)["lot_size"]

    def is_said() -> bool:
        page.get_by_role("heading", level=1).hover()
        page.locator("[data-testid=ladder] tr.bid").nth(2).hover()
        levels = demo.get(f"/v1/market/{still}/depth")["bids"][:3]
        lots = sum(level["quantity"] for level in levels)
        value = sum(Decimal(level["price"]) * level["quantity"] for level in levels)
        average = (value / lots).quantize(Decimal("0.000001"), "ROUND_HALF_UP")
        wanted = f"To {grouped(levels[2]['price'])}: {grouped(lots)} lots, average {average:,}, ¥ {value * lot:,}"
        return bool(page.get_by_test_id("ladder-said").get_attribute("title") == wanted)

    eventually(is_said)


@pytest.fixture
def halts(demo: VenueProcess) -> Iterator[Callable[[], None]]:
    """Halts the product, so that nothing of its market changes."""
    yield lambda: demo.post(f"/v1/admin/instruments/{SYMBOL}/halt")
    demo.post(f"/v1/admin/instruments/{SYMBOL}/resume")


WATCH = """() => {
    window.moved = [];
    new PerformanceObserver((list) => {
        for (const { sources } of list.getEntries())
            for (const { node, previousRect: was, currentRect: is } of sources) {
                const isElsewhere = Math.abs(is.left - was.left) >= 1 || Math.abs(is.top - was.top) >= 1;
                if (isElsewhere && !node?.parentElement?.closest("#ladder-body"))
                    window.moved.push([(node?.outerHTML ?? node?.textContent ?? "").slice(0, 200), was, is]);
            }
    }).observe({ type: "layout-shift" });
}"""
"""Notes what the layout moves, with where it was and where it is; a number that grows to the left in its box does not move."""


def test_as_trades_come_nothing_moves_but_the_books_rows_and_candles_are_those_of_rest_and_of_the_pushes(
    watched: Watched, demo: VenueProcess, halts: Callable[[], None]
) -> None:
    page = trade(watched.page, demo, query="?lang=en&range=1m")
    expect(page.get_by_test_id("range-1m")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("range-1d").click()
    assert "range=1d" in page.url
    page.get_by_test_id("range-1m").click()
    expect(page.locator("#quote-price")).to_have_attribute("data-traded", "yes")
    page.evaluate(WATCH)
    volumes = set()

    def has_moved() -> bool:
        volumes.add(page.locator("#quote-volume").inner_text())
        return len(volumes) > 8

    eventually(has_moved)
    assert page.evaluate("window.moved") == []
    halts()
    expect(page.get_by_test_id("phase")).to_have_text("halted")
    wanted = demo.get(f"/v1/market/{SYMBOL}/candles", interval="1m", limit=300)["candles"]
    names = ("open", "high", "low", "close", "quantity", "amount", "trades")

    def agrees() -> bool:
        with page.expect_download() as saved:
            page.get_by_test_id("save-candles").click()
        lines = csv.DictReader(Path(saved.value.path()).read_text("utf-8").splitlines())
        return [[line[name] for name in names] for line in lines] == [
            [str(candle[name]) for name in names] for candle in wanted
        ]

    eventually(agrees)
    expect(page.locator("#price-chart")).to_have_attribute("data-candles", str(len(wanted)))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_of_quote_book_and_tape_is_cut_or_covered(page: Page, demo: VenueProcess, language: str) -> None:
    """Also beside a gap of the ladder, and before the day's first trade, which then moves nothing."""
    look(page, demo, query=f"?lang={language}")
    expect(page.locator("#tape-body tr[data-side=buy], #tape-body tr[data-side=sell]").first).to_be_visible()
    cut = page.evaluate(
        """() => [...document.querySelectorAll("#trade :is(.ladder, .tape) :is(th, td)")]
            .filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.textContent)"""
    )
    assert cut == []
    beside, above = page.evaluate(
        """() => {
            const [gap, price] = document.querySelector("#ladder-body tr.ask td.price").children;
            gap.textContent = "⋯249";
            price.textContent = "2,442,900.00";
            const [left, right] = [gap, price].map((node) => node.getBoundingClientRect());
            return [right.left - left.right, Math.abs(right.top - left.top)];
        }"""
    )
    assert beside >= 4
    assert above < 8  # on one line
    said, bid, height = page.evaluate(
        """(untraded) => {
            const price = document.getElementById("quote-price"), height = document.querySelector(".quote").offsetHeight;
            price.dataset.traded = "no";
            document.getElementById("quote-change").textContent = untraded;
            const right = document.getElementById("quote-change").getBoundingClientRect().right;
            const left = document.getElementById("quote-bid").getBoundingClientRect().left;
            return [right, left, document.querySelector(".quote").offsetHeight - height];
        }""",
        "settlement; no trade yet today",
    )
    assert said < bid
    assert height == 0


def test_a_symbol_nobody_listed_leads_to_the_list_which_is_searched(page: Page, demo: VenueProcess) -> None:
    answer = page.goto(f"{demo.url}/ui/trade/<i>GOLD?lang=en")
    assert answer is not None
    assert answer.status == 404
    page.get_by_role("link", name=SYMBOL).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SYMBOL)
    expect(page.get_by_test_id("ladder-middle")).not_to_be_empty()
    page.keyboard.press("/")
    page.keyboard.type("yttrium targ")
    expect(page.locator("#instruments li:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{demo.url}/ui/trade/Y-TGT*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Y-TGT")
    expect(page.locator("#instruments [aria-current]")).to_be_in_viewport()
    expect(page.get_by_test_id("ladder-middle")).not_to_be_empty()


def test_halted_closed_and_auction_are_said(page: Page, demo: VenueProcess, no_orders: None) -> None:
    symbol = "LA-MET"
    trade(page, demo, symbol)
    state, note = page.get_by_test_id("phase-said"), page.get_by_test_id("ticket-note")
    demo.post(f"/v1/admin/instruments/{symbol}/halt")
    expect(page.get_by_test_id("phase")).to_have_text("halted")
    expect(state).to_contain_text("orders can only be canceled")
    expect(note).to_contain_text("only be canceled")
    demo.post(f"/v1/admin/instruments/{symbol}/resume")
    expect(note).to_be_hidden()
    demo.put(f"/v1/admin/instruments/{symbol}/phase", {"phase": "closed"})
    expect(state).to_contain_text("Closed")
    demo.put(f"/v1/admin/instruments/{symbol}/phase", {"phase": "call_auction"})
    expect(state).to_contain_text("orders collect")
    expect(note).to_contain_text("collects limit orders")
    ticker = demo.get(f"/v1/market/{symbol}/ticker")
    price = ticker["last"] or ticker["reference_price"]
    offer = demo.place(
        "Hetao Market Making",
        symbol=symbol,
        side="sell",
        price=price,
        quantity=1,
        self_trade_prevention="cancel_oldest",
    )
    assert offer["state"] == "new", offer["reason_text"]
    send(page, "buy", price=price, quantity="1")
    expect(page.locator("#indicative-volume")).to_have_text(re.compile("[1-9]"))
    expect(page.get_by_test_id("ladder-middle")).to_contain_text("Auction")
    eventually(
        lambda: (
            page.locator("#indicative-price").inner_text()
            == grouped(demo.get(f"/v1/market/{symbol}/ticker")["indicative_price"])
        )
    )
    demo.put(f"/v1/admin/instruments/{symbol}/phase", {"phase": "continuous"})
    expect(page.get_by_test_id("phase")).to_have_text("continuous")
    expect(page.locator("#tape-body tr[data-side=auction]").first).to_be_visible()


def test_who_may_not_trade_sees_the_market_and_what_the_ticket_needs(watched: Watched, demo: VenueProcess) -> None:
    page = look(watched.page, demo)
    expect(page.get_by_test_id("read-only")).to_contain_text("log in as a trader")
    expect(page.get_by_test_id("ticket")).to_be_hidden()
    expect(page.get_by_test_id("open-orders")).to_be_hidden()
    assert (
        page.get_by_test_id("log-in-here").get_attribute("href") == f"/log-in?next=%2Fui%2Ftrade%2F{SYMBOL}%3Flang%3Den"
    )
    expect(page.get_by_test_id("enter-here")).to_be_visible()
    page.get_by_test_id("enter-operator").click()
    expect(page.get_by_test_id("read-only")).to_contain_text("operator")
    expect(page.get_by_test_id("ticket")).to_be_hidden()
