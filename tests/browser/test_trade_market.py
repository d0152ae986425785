"""The trade page: the market as the API has it, on every size of window."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.browser.conftest import DESK, SIZE, SYMBOL, VenueProcess, Watched, new_context
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


def test_the_ladder_is_the_apis_book_at_every_grouping(watched: Watched, demo: VenueProcess) -> None:
    page = look(watched.page, demo)
    for ticks in (50, 10, 5, 1):  # what was chosen last is kept
        page.get_by_test_id(f"group-{ticks}").click()
        group = Decimal("0.10") * ticks
        eventually(lambda group=group: ladder(page) == expected_ladder(depth_of(demo), group))  # type: ignore[misc]


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


def test_the_ladder_saves_what_it_shows(watched: Watched, demo: VenueProcess, still: str) -> None:
    page = trade(watched.page, demo, still)
    page.get_by_test_id("group-10").click()
    heights = page.locator("#trade > :is(.ladder, .tape) > header").evaluate_all(
        "heads => heads.map((head) => head.offsetHeight)"
    )
    assert heights[0] == heights[1], "its buttons stand in one line"
    group = 10 * Decimal(terms(demo, still)["tick_size"])

    def agrees() -> bool:
        with page.expect_download() as saved:
            page.get_by_test_id("save-book").click()
        lines = list(csv.DictReader(Path(saved.value.path()).read_text("utf-8").splitlines()))
        shown = [
            [line["side"], line["price"], *(grouped(line[name]) for name in ("quantity", "orders", "sum"))]
            for line in lines
        ]
        own = sum(int(line["own"]) for line in lines if line["side"] == "bid")
        return own == 6 and shown == expected_ladder(depth_of(demo, still), group)

    eventually(agrees)


def test_a_gap_and_its_price_stand_apart(watched: Watched, demo: VenueProcess) -> None:
    page = look(watched.page, demo)
    space = page.evaluate(
        """() => {
            const [gap, price] = document.querySelector("#ladder-body tr.ask td.price").children;
            gap.textContent = "⋯249";
            price.textContent = "2,442,900.00";
            const [left, right] = [gap, price].map((node) => node.getBoundingClientRect());
            return [right.left - left.right, Math.abs(right.top - left.top)];
        }"""
    )
    assert space[0] >= 4
    assert space[1] < 8  # on one line


def test_a_far_order_does_not_squeeze_the_depth_chart(watched: Watched, demo: VenueProcess, no_orders: None) -> None:
    band = limits(demo)
    demo.place(DESK, symbol=SYMBOL, side="buy", price=band["lower_limit"], quantity=1)
    page, middle = look(watched.page, demo), Decimal(band["reference_price"])
    reach = page.get_by_test_id("depth-reach")

    def lowest() -> Decimal:
        """The lowest price on the axis; lots have no decimals."""
        texts = page.locator("#depth-chart svg text").all_text_contents()
        return min((Decimal(text.replace(",", "")) for text in texts if "." in text), default=Decimal(0))

    expect(reach).to_contain_text("±")
    eventually(lambda: lowest() > middle * Decimal("0.95"))
    while page.get_by_test_id("depth-wider").is_enabled():
        page.get_by_test_id("depth-wider").click()
    expect(reach).to_have_text("all")
    eventually(lambda: 0 < lowest() < middle * Decimal("0.97"))
    look(page, demo)
    expect(reach).to_have_text("all")  # it is remembered
    page.evaluate("localStorage.clear()")


def test_before_the_first_trade_of_a_day_the_price_says_so_beside_nothing(watched: Watched, demo: VenueProcess) -> None:
    page = look(watched.page, demo)
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
    assert height == 0  # the first trade moves nothing


@pytest.mark.usefixtures("no_orders")
def test_the_ladder_says_after_which_command_it_stands(watched: Watched, demo: VenueProcess) -> None:
    body = look(watched.page, demo).get_by_test_id("ladder").locator("tbody")
    lowest = limits(demo)["lower_limit"]
    placed = demo.place(DESK, symbol=SYMBOL, side="buy", price=lowest, quantity=1)
    eventually(lambda: int(body.get_attribute("data-seq") or 0) >= placed["seq"])


def test_pointing_at_a_level_says_sum_and_average_to_it(watched: Watched, demo: VenueProcess, still: str) -> None:
    page = look(watched.page, demo, still)
    page.get_by_test_id("group-1").click()
    lot = terms(demo, still)["lot_size"]

    def agrees() -> bool:
        page.get_by_role("heading", level=1).hover()
        page.locator("[data-testid=ladder] tr.bid").nth(2).hover()
        levels = demo.get(f"/v1/market/{still}/depth")["bids"][:3]
        lots = sum(level["quantity"] for level in levels)
        value = sum(Decimal(level["price"]) * level["quantity"] for level in levels)
        average = (value / lots).quantize(Decimal("0.000001"), "ROUND_HALF_UP")
        wanted = f"To {grouped(levels[2]['price'])}: {grouped(lots)} lots, average {average:,}, ¥ {value * lot:,}"
        return bool(page.get_by_test_id("ladder-said").get_attribute("title") == wanted)

    eventually(agrees)


@pytest.fixture
def halts(demo: VenueProcess) -> Iterator[Callable[[], None]]:
    """Halts the product, so that nothing of its market changes."""
    yield lambda: demo.post(f"/v1/admin/instruments/{SYMBOL}/halt")
    demo.post(f"/v1/admin/instruments/{SYMBOL}/resume")


def test_candles_are_those_of_rest_and_of_the_pushes(
    watched: Watched, demo: VenueProcess, halts: Callable[[], None]
) -> None:
    page = look(watched.page, demo, query="?lang=en&range=1m")
    expect(page.get_by_test_id("range-1m")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("range-1d").click()
    assert "range=1d" in page.url
    page.get_by_test_id("range-1m").click()
    trades = limits(demo)["trades"]
    eventually(lambda: limits(demo)["trades"] > trades)  # a push changes what was read
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


def test_head_and_tape_are_the_apis(watched: Watched, demo: VenueProcess) -> None:
    page = look(watched.page, demo)

    def agrees() -> bool:
        ticker, last = limits(demo), demo.get(f"/v1/market/{SYMBOL}/trades", limit=1)
        shown = [
            page.get_by_test_id("last").inner_text(),
            page.locator("#quote-volume").inner_text(),
            page.locator("#quote-turnover").get_attribute("title"),
        ]
        trades = last["trades"] if isinstance(last, dict) else last
        if not trades:
            return False
        tape = page.locator("#tape-body tr").first.locator("td").nth(1).inner_text()
        wanted = [grouped(ticker["last"]), grouped(ticker["volume"]), f"¥ {grouped(ticker['turnover'])}"]
        return shown == wanted and tape.lstrip("▲▼◆ ") == grouped(trades[0]["price"])

    eventually(agrees)
    before = page.locator("#tape-body").inner_text()
    expect(page.locator("#tape-body")).not_to_have_text(before, use_inner_text=True)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_head_or_value_of_book_and_tape_is_cut(page: Page, demo: VenueProcess, language: str) -> None:
    look(page, demo, query=f"?lang={language}")
    expect(page.locator("#tape-body tr[data-side=buy], #tape-body tr[data-side=sell]").first).to_be_visible()
    cut = page.evaluate(
        """() => [...document.querySelectorAll("#trade :is(.ladder, .tape) :is(th, td)")]
            .filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.textContent)"""
    )
    assert cut == []


def test_the_list_is_searched_and_leads_to_another_instrument(watched: Watched, demo: VenueProcess) -> None:
    page = look(watched.page, demo)
    page.keyboard.press("/")
    page.keyboard.type("yttrium targ")
    expect(page.locator("#instruments li:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{demo.url}/ui/trade/Y-TGT?lang=en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Y-TGT")
    expect(page.locator("#instruments [aria-current]")).to_be_in_viewport()
    expect(page.get_by_test_id("ladder-middle")).not_to_be_empty()


def test_a_symbol_nobody_listed_leads_to_those_listed(page: Page, demo: VenueProcess) -> None:
    answer = page.goto(f"{demo.url}/ui/trade/<i>GOLD")
    assert answer is not None
    assert answer.status == 404
    page.get_by_role("link", name=SYMBOL).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SYMBOL)


def test_what_was_chosen_is_remembered(page: Page, demo: VenueProcess) -> None:
    look(page, demo)
    page.get_by_test_id("group-10").click()
    page.get_by_test_id("range-15m").click()
    page.locator("#toggle-tape").click()
    expect(page.get_by_test_id("tape")).to_be_hidden()
    look(page, demo)
    expect(page.get_by_test_id("group-10")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("range-15m")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("tape")).to_be_hidden()
    page.evaluate("localStorage.clear()")


GRIDS = """async ([base, cases]) => {
  const { gridOf } = await import(`${base}/trade/layout.js`);
  return cases.map(([order, hidden]) => gridOf(order.split(" "), (name) => !hidden.split(" ").includes(name)).areas);
}"""


def test_the_columns_make_a_grid_in_every_order(page: Page, demo: VenueProcess) -> None:
    look(page, demo)
    base = page.evaluate("document.querySelector('link[href$=\"tokens.css\"]').href.replace('/tokens.css', '')")
    wanted = {
        ("list charts ladder order", ""): ["list charts ladder order", "own own tape order"],
        ("list charts ladder order", "tape"): ["list charts ladder order", "own own own order"],
        ("list charts ladder order", "list ladder"): ["charts charts order", "own tape order"],
        ("list charts ladder order", "ladder tape"): ["list charts order", "own own order"],
        ("order ladder charts list", ""): ["order ladder charts list", "order tape own own"],
        ("ladder list order charts", ""): ["ladder list order charts", "tape list order own"],
        ("ladder list order charts", "ladder"): ["tape list order charts", "tape list order own"],
    }
    found = page.evaluate(GRIDS, [base, [*wanted]])
    assert [re.findall(r'"([^"]+)"', areas)[1:] for areas in found] == [*wanted.values()]


def lefts(page: Page) -> list[str]:
    """The panels of the upper row from left to right."""
    boxes = {name: page.locator(f"#trade > .{name}").bounding_box() for name in ("list", "charts", "ladder", "order")}
    return sorted(boxes, key=lambda name: (boxes[name] or {"x": 0})["x"])


def test_columns_are_moved_by_pointer_and_keyboard_and_remembered(watched: Watched, demo: VenueProcess) -> None:
    page = look(watched.page, demo)
    assert lefts(page) == ["list", "charts", "ladder", "order"]
    page.locator("#ladder-title").drag_to(page.locator("#trade > .list"), target_position={"x": 5, "y": 60})
    assert lefts(page) == ["ladder", "list", "charts", "order"]
    page.get_by_test_id("show-layout").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Order ticket: to the left").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert lefts(page) == ["ladder", "order", "list", "charts"]
    page.keyboard.press("Escape")
    page.locator("#toggle-tape").click()
    look(page, demo)
    assert lefts(page) == ["ladder", "order", "list", "charts"]
    expect(page.get_by_test_id("tape")).to_be_hidden()
    page.get_by_test_id("show-layout").click()
    page.get_by_test_id("layout-reset").click()
    assert lefts(page) == ["list", "charts", "ladder", "order"]
    expect(page.locator("#toggle-tape")).to_have_attribute("aria-pressed", "true")
    page.evaluate("localStorage.clear()")


def test_halted_closed_and_auction_are_said(page: Page, demo: VenueProcess) -> None:
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


def test_nothing_is_cut_on_a_phone(chromium: Browser, demo: VenueProcess) -> None:
    for language in ("en", "zh"):
        context = new_context(chromium, viewport={"width": 390, "height": 844})
        page = trade(context.new_page(), demo, query=f"?lang={language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        small = page.evaluate(
            """() => [...document.querySelectorAll("main :is(button, a, select, input:not([type=checkbox]))")]
                .filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 24)
                .map((node) => node.outerHTML.slice(0, 90))"""
        )
        assert small == []
        context.close()


def test_what_trades_do_moves_nothing_but_the_books_rows(chromium: Browser, demo: VenueProcess) -> None:
    context = new_context(chromium, viewport=SIZE)
    page = trade(context.new_page(), demo)
    expect(page.locator("#quote-price")).to_have_attribute("data-traded", "yes")
    page.evaluate(WATCH)
    volumes = set()

    def has_moved() -> bool:
        volumes.add(page.locator("#quote-volume").inner_text())
        return len(volumes) > 8

    eventually(has_moved)
    assert page.evaluate("window.moved") == []
    context.close()


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


def test_a_book_that_does_not_prove_itself_is_not_shown_as_live(page: Page, demo: VenueProcess) -> None:
    spoiled: list[str] = []
    is_spoiling = True

    def carry(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            said = json.loads(text)
            if is_spoiling and said.get("channel") == "depth":
                spoiled.append(said["type"])
                said["data"]["checksum"] ^= 1
            socket.send(json.dumps(said))

        server.on_message(pass_on)

    page.route_web_socket("**/v1/ws", carry)
    page.goto(f"{demo.url}/ui/trade/{SYMBOL}?lang=en")
    expect(page.locator("html")).to_have_attribute("data-line", "verifying")
    assert spoiled[0] == "snapshot"
    is_spoiling = False
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    eventually(lambda: ladder(page) == expected_ladder(depth_of(demo), Decimal("0.10")))
