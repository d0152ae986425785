"""What the tests of the trade page share."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from playwright.sync_api import Locator, Page, Request, Route, WebSocketRoute, expect

from tests.browser.conftest import DESK, SYMBOL, VenueProcess, wait_for_a_late_pong
from tests.patience import PATIENCE_S, http_post

Json = dict[str, Any]


def grouped(number: str | int) -> str:
    """As the pages write it: 1,234.50."""
    return f"{Decimal(number):,}"


def look(page: Page, venue: VenueProcess, symbol: str = SYMBOL, query: str = "?lang=en") -> Page:
    """The page as a visitor sees it, with a book."""
    page.goto(f"{venue.url}/ui/trade/{symbol}{query}")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    expect(page.get_by_test_id("ladder-middle")).not_to_be_empty()
    expect(page.get_by_test_id("price-chart")).to_have_attribute("data-candles", re.compile(r"\d"))
    return page


def trade(page: Page, venue: VenueProcess, symbol: str = SYMBOL, query: str = "?lang=en") -> Page:
    """The page as the demo's trader sees it."""
    answer = page.request.post(f"{venue.url}/ui/demo/trader", headers={"origin": venue.url})
    assert answer.ok, answer.text()
    look(page, venue, symbol, query)
    expect(page.get_by_test_id("who-name")).to_be_visible()
    expect(page.get_by_test_id("count-open")).to_have_text(re.compile(r"\d"))
    return page


def orders(venue: VenueProcess, state: str = "all") -> list[Json]:
    found: list[Json] = venue.get("/v1/orders", DESK, state=state)["orders"]
    return found


def limits(venue: VenueProcess) -> Json:
    found: Json = venue.get(f"/v1/market/{SYMBOL}/ticker")
    return found


def fill_in(page: Page, side: str = "buy", **fields: str) -> None:
    page.get_by_test_id(f"ticket-{side}").click()
    for name, value in fields.items():
        page.get_by_test_id(f"ticket-{name}").fill(value)


def send(page: Page, side: str = "buy", **fields: str) -> None:
    fill_in(page, side, **fields)
    page.get_by_test_id("ticket-send").click()


def row_of(page: Page, order: Json) -> Locator:
    return page.locator(f"[data-testid=open-orders] tr[data-order='{order['order_id']}']")


def eventually(check: Callable[[], bool]) -> None:
    """Waits for a condition about two moments, of the page and of the API, which must be the same one."""
    end = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < end
        time.sleep(0.05)


def ladder(page: Page) -> list[list[str]]:
    found: list[list[str]] = page.evaluate(
        """() => [...document.querySelectorAll("#ladder-body tr[data-price]")].map(({ className, dataset, children }) =>
            [className, dataset.price, ...[3, 1, 4].map((column) => children[column].textContent)])"""
    )
    return found


def expected_ladder(depth: Json, group: Decimal) -> list[list[str]]:
    sides = []
    for side, levels in (("ask", depth["asks"]), ("bid", depth["bids"])):
        steps: dict[Decimal, list[int]] = {}
        for level in levels:
            ticks = Decimal(level["price"]) / group
            at = ticks.to_integral_value("ROUND_CEILING" if side == "ask" else "ROUND_FLOOR") * group
            step = steps.setdefault(at.quantize(Decimal("0.01")), [0, 0])
            step[0] += level["quantity"]
            step[1] += level["orders"]
        total, rows = 0, []
        for price, (quantity, count) in list(steps.items())[:12]:
            total += quantity
            rows.append([side, str(price), grouped(quantity), str(count), grouped(total)])
        sides += rows[::-1] if side == "ask" else rows
    return sides


def depth_of(venue: VenueProcess, symbol: str = SYMBOL) -> Json:
    found: Json = venue.get(f"/v1/market/{symbol}/depth", levels=500)
    return found


def later(page: Page) -> None:
    """Waits until a click means another order, not the same one."""
    now = page.evaluate("performance.now()")
    page.wait_for_function("now => performance.now() > now + 500", arg=now)


def lose_the_answer(route: Route) -> None:
    """The request reaches the venue, its answer nobody."""
    route.fetch()
    route.abort()


def placed(venue: VenueProcess) -> set[str]:
    """The orders that the page's form has placed, by client_order_id."""
    return {order["client_order_id"] for order in orders(venue) if (order["client_order_id"] or "").startswith("p-")}


def sent_by(page: Page) -> list[Request]:
    """The changes that the page sends from now on."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method != "GET" else None)
    return sent


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process stands still: its sockets stay open, and nothing comes."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def asked_of_the_api(venue: VenueProcess, body: Json) -> Json:
    answer = http_post(f"{venue.url}/v1/orders/test", json=body, headers=venue._headers(DESK))
    found: Json = answer.raise_for_status().json()
    return found


class HeldChecks:
    """The WebSocket of the page's next load, on which the checks of orders can be held. What is held belongs to one line: the
    page does not give it up."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.route("**/app/feed.js", wait_for_a_late_pong)
        self.is_holding = False
        self.held: list[tuple[WebSocketRoute, Json]] = []
        self._answered: set[int] = set()
        page.route_web_socket("**/v1/ws", self._carry)

    def _carry(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def ask(text: str | bytes) -> None:
            message = json.loads(text)
            if self.is_holding and message["method"] == "test_order":
                self.held.append((server, message))
            else:
                server.send(text)

        def answer(text: str | bytes) -> None:
            socket.send(text)
            self._answered.add(json.loads(text).get("req_id"))

        socket.on_message(ask)
        server.on_message(answer)

    def wait_for_one(self) -> None:
        """Until a check is held."""
        eventually(lambda: bool(self._page.evaluate("true") and self.held))

    def wait_until_answered(self, *messages: Json) -> None:
        """Until the page has the venue's answers to these."""
        numbers = {message["req_id"] for message in messages}
        eventually(lambda: bool(self._page.evaluate("true") and numbers <= self._answered))

    def let_go(self) -> None:
        """Holds no more, and sends those that are held."""
        self.is_holding = False
        for server, message in self.held:
            server.send(json.dumps(message))
