"""A dead line locks what acts: what is done meanwhile is never sent; the page lights up when its book is proven."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, WebSocketRoute, expect

from tests.browser.conftest import SIZE, SYMBOL, VenueProcess, new_context
from tests.browser.operating import open_page
from tests.browser.trading import fill_in, later, limits, placed, sent_by, stopped, trade

pytestmark = pytest.mark.usefixtures("calm")


def open_acts(page: Page) -> int:
    """How many of the controls that act can be used."""
    found: int = page.evaluate("[...document.querySelectorAll('[data-acts]')].filter(node => !node.inert).length")
    return found


def acts(venue: VenueProcess, kind: str) -> int:
    """How many acts of a kind the venue's log of actions has."""
    return len(venue.get("/v1/admin/log", kind=kind)["actions"])


@pytest.fixture
def context(chromium: Browser, demo: VenueProcess) -> Iterator[BrowserContext]:
    """The browser of the demo's operator."""
    context = new_context(chromium, viewport=SIZE)
    assert context.request.post(f"{demo.url}/ui/demo/operator", headers={"origin": demo.url}).ok
    yield context
    context.close()


def test_a_dead_line_locks_the_page_and_what_is_done_meanwhile_is_never_sent(
    page: Page, context: BrowserContext, demo: VenueProcess, no_orders: None
) -> None:
    """The ticket of a trader, an operator's question, and every other page."""
    question, other = Question(context.new_page(), demo), context.new_page()
    open_page(other, demo, "/ui/surveillance")
    expect(other.locator("main [data-acts]").first).to_be_attached()
    trade(page, demo)
    before, sent, price = placed(demo), sent_by(page), limits(demo)["lower_limit"]
    fill_in(page, "buy", price=price, quantity="7")
    button, quantity = page.get_by_test_id("ticket-send"), page.get_by_test_id("ticket-quantity")
    box = button.bounding_box()
    assert box is not None
    quantity.focus()
    with stopped(demo.pid):
        expect(page.get_by_test_id("line")).to_contain_text("The venue does not answer.")
        assert float(page.evaluate("getComputedStyle(document.querySelector('main')).opacity")) < 1, "dimmed"
        for each in (page, question.page, other):
            expect(each.locator("html")).to_have_attribute("data-line", "dead")
            assert open_acts(each) == 0, "what acts is locked"
        for act in (
            lambda: page.keyboard.press("Enter"),
            lambda: page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2),
            lambda: button.evaluate("button => button.click()"),
            lambda: page.get_by_test_id("ticket").evaluate("form => form.requestSubmit()"),
            lambda: quantity.evaluate("field => field.focus()"),
            lambda: page.keyboard.press("Enter"),
        ):
            later(page)
            act()
        question.confirm_in_vain()
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    expect(page.get_by_test_id("line")).to_be_hidden()
    assert page.get_by_test_id("ticket-price").input_value() == price, "what was typed stays"
    assert quantity.input_value() == "7"
    assert sent == []
    later(page)
    button.click()  # What was kept to be sent later would have been sent by now, too.
    expect(quantity).to_have_value("")
    (only,) = sent
    assert placed(demo) - before == {json.loads(only.post_data or "")["client_order_id"]}, "the page works again"
    question.expect_it_is_sent_once_now()
    expect(other.locator("html")).to_have_attribute("data-line", "live")
    expect(other.locator("[data-acts][inert]")).to_have_count(0)
    assert open_acts(other) > 0


class Question:
    """An operator's question about a collar, to which 2.75 % was typed."""

    def __init__(self, page: Page, venue: VenueProcess) -> None:
        self.page, self.venue = page, venue
        open_page(page, venue, f"/ui/control?product={SYMBOL}")
        self.before, self.sent = acts(venue, "set_collar"), sent_by(page)
        page.get_by_test_id("set-collar").click()
        self.dialog = page.get_by_test_id("dialog")
        self.yes, self.rate = self.dialog.get_by_test_id("confirm"), self.dialog.locator("[name=rate]")
        self.yes.focus()
        self.rate.fill("2.75")
        self.box = self.yes.bounding_box()

    def confirm_in_vain(self) -> None:
        assert self.box is not None
        self.page.keyboard.press("Enter")
        self.page.mouse.dblclick(self.box["x"] + self.box["width"] / 2, self.box["y"] + self.box["height"] / 2)
        self.yes.evaluate("button => button.click()")
        self.yes.evaluate("button => button.focus()")
        self.page.keyboard.press("Enter")
        self.dialog.locator("form").evaluate("form => form.requestSubmit()")
        expect(self.dialog).to_be_visible()

    def expect_it_is_sent_once_now(self) -> None:
        expect(self.page.locator("html")).to_have_attribute("data-line", "live")
        expect(self.dialog).to_be_visible()
        expect(self.rate).to_have_value("2.75")
        assert self.sent == []
        assert acts(self.venue, "set_collar") == self.before
        self.yes.click()  # What was kept to be sent later would have been sent by now, too.
        expect(self.page.get_by_test_id("toast").first).to_have_class("toast done")
        assert len(self.sent) == 1
        assert acts(self.venue, "set_collar") == self.before + 1


def test_a_book_that_came_back_is_proven_before_it_lights_up(page: Page, demo: VenueProcess) -> None:
    """Nor does one that has just come, before it proves itself."""
    sockets: list[WebSocketRoute] = []
    is_wrong = True

    def between(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()

        def to_page(message: str | bytes) -> None:
            push = json.loads(message)
            if is_wrong and push.get("channel") == "depth":
                push["data"]["checksum"] ^= 1
            socket.send(json.dumps(push))

        server.on_message(to_page)

    page.route_web_socket("**/v1/ws", between)
    page.goto(f"{demo.url}/ui/trade/{SYMBOL}")
    expect(page.locator("html")).to_have_attribute("data-line", "verifying")
    is_wrong = False
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    trade(page, demo)
    is_wrong = True
    sockets[-1].close()
    expect(page.locator("html")).to_have_attribute("data-line", "dead")
    expect(page.locator("html")).to_have_attribute("data-line", "verifying")
    expect(page.get_by_test_id("line")).to_contain_text("the book is being verified")
    assert page.get_by_test_id("ticket").evaluate("node => node.inert")
    is_wrong = False
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    assert not page.get_by_test_id("ticket").evaluate("node => node.inert")


def test_a_line_that_is_begun_anew_while_a_retry_is_due_is_one_line(page: Page, demo: VenueProcess) -> None:
    lines: list[WebSocket] = []
    page.on("websocket", lambda line: lines.append(line))
    page.goto(f"{demo.url}/ui/health")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    base = page.evaluate("document.querySelector('link[href$=\"tokens.css\"]').href.replace('/tokens.css', '')")
    page.evaluate(
        """async (base) => {
            const { feed } = await import(`${base}/app/feed.js`);
            feed.lost(feed.socket, 0);
            feed.begin();
            await new Promise((due) => setTimeout(due, 300));  // the retry was due before
        }""",
        base,
    )
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    assert len(lines) == 2
