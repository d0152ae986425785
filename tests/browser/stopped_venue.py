"""What the tests of the trade page's safety share: a trader and the orders that it has sent, and a venue that stands still."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import VenueProcess

SYMBOL, DESK = "ND-OX", "Demo Trading Desk"
TWICE_MS = 500
"""What is done again so soon after an act is the same act (ticket.js)."""


class Trader:
    """A trade page of the demo's trader, and the orders that it has sent."""

    def __init__(self, page: Page, venue: VenueProcess) -> None:
        self.page, self.venue = page, venue
        self.sent: list[dict[str, Any]] = []
        page.on("request", self._note)
        answer = page.request.post(f"{venue.url}/ui/demo/trader", headers={"origin": venue.url})
        assert answer.ok, answer.text()
        page.goto(f"{venue.url}/ui/trade/{SYMBOL}")
        expect(page.get_by_test_id("who-name")).to_contain_text("demo trader")
        expect(page.get_by_test_id("ticket")).to_be_visible()
        self.expect_line("live")

    def _note(self, request: Request) -> None:
        if request.method != "GET" and request.url.endswith("/v1/orders"):
            self.sent.append(json.loads(request.post_data or "{}"))

    def expect_line(self, state: str) -> None:
        expect(self.page.locator("html")).to_have_attribute("data-line", state)

    def fill(self, quantity: str = "1") -> str:
        """Enters an order to buy that rests: at the lowest price of the day, which it returns."""
        price: str = self.venue.get(f"/v1/market/{SYMBOL}/ticker")["lower_limit"]
        collared = self.page.get_by_test_id("last").text_content() or ""
        if collared not in ("", "–"):
            price = collared.replace(",", "")
        self.page.get_by_test_id("ticket-price").fill(price)
        self.page.get_by_test_id("ticket-quantity").fill(quantity)
        return price

    def orders(self) -> set[str]:
        """The ids of every order of the page's form that the venue knows, by client_order_id."""
        listed = self.venue.get("/v1/orders", DESK, state="all", limit=200)["orders"]
        return {order["client_order_id"] for order in listed if (order["client_order_id"] or "").startswith("p-")}

    def pass_twice(self) -> None:
        """Waits until the page takes what is done for another act."""
        self.page.evaluate(f"""() => new Promise((resolve) => {{
          const until = performance.now() + {TWICE_MS};
          const look = () => (performance.now() > until ? resolve() : requestAnimationFrame(look));
          look();
        }})""")

    def send(self) -> None:
        """Sends what was entered, as another act, and waits for the answer."""
        self.pass_twice()
        told = self.page.get_by_test_id("toast").count()
        self.page.get_by_test_id("ticket-send").click()
        expect(self.page.get_by_test_id("toast")).not_to_have_count(told)  # two, where it trades at once
        expect(self.page.locator("[data-under-way]")).to_have_count(0)


@contextmanager
def stopped(venue: VenueProcess) -> Iterator[None]:
    """The venue's process stands still: its sockets stay open, and nothing comes."""
    os.kill(venue.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(venue.pid, signal.SIGCONT)
