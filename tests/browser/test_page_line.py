"""A dead line locks what acts: what is done meanwhile is never sent; the page lights up when its book is proven."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, WebSocket, WebSocketRoute, expect

from tests.browser.conftest import VenueProcess
from tests.browser.stopped_venue import SYMBOL, Trader, stopped
from tests.long import some


def open_acts(page: Page) -> int:
    """How many of the controls that act can be used."""
    found: int = page.evaluate("[...document.querySelectorAll('[data-acts]')].filter(node => !node.inert).length")
    return found


def sent_by(page: Page) -> list[str]:
    """The addresses to which the page sends changes from now on."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method != "GET" else None)
    return sent


def acts(venue: VenueProcess, kind: str) -> int:
    """How many acts of a kind the venue's log of actions has."""
    return len(venue.get("/v1/admin/log", kind=kind)["actions"])


def test_a_dead_line_locks_the_page_and_what_is_done_meanwhile_is_never_sent(page: Page, demo: VenueProcess) -> None:
    trader = Trader(page, demo)
    before = trader.orders()
    price = trader.fill("7")
    button, quantity = page.get_by_test_id("ticket-send"), page.get_by_test_id("ticket-quantity")
    box = button.bounding_box()
    assert box is not None
    quantity.focus()
    with stopped(demo):
        trader.expect_line("dead")
        expect(page.get_by_test_id("line")).to_contain_text("The venue does not answer.")
        assert float(page.evaluate("getComputedStyle(document.querySelector('main')).opacity")) < 1, "dimmed"
        assert open_acts(page) == 0, "what acts is locked"
        for act in (
            lambda: page.keyboard.press("Enter"),
            lambda: page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2),
            lambda: button.evaluate("button => button.click()"),
            lambda: page.get_by_test_id("ticket").evaluate("form => form.requestSubmit()"),
            lambda: quantity.evaluate("field => field.focus()"),
            lambda: page.keyboard.press("Enter"),
        ):
            trader.pass_twice()
            act()
    trader.expect_line("live")
    expect(page.get_by_test_id("line")).to_be_hidden()
    assert page.get_by_test_id("ticket-price").input_value() == price, "what was typed stays"
    assert quantity.input_value() == "7"
    assert trader.sent == []
    trader.send()  # What was kept to be sent later would have been sent by now, too.
    assert len(trader.sent) == 1
    assert trader.orders() - before == {trader.sent[0]["client_order_id"]}, "the page works again"


def test_a_book_that_came_back_is_proven_before_it_lights_up(page: Page, demo: VenueProcess) -> None:
    sockets: list[WebSocketRoute] = []
    is_wrong = False

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
    trader = Trader(page, demo)
    is_wrong = True
    sockets[-1].close()
    trader.expect_line("dead")
    trader.expect_line("verifying")
    expect(page.get_by_test_id("line")).to_contain_text("the book is being verified")
    assert page.get_by_test_id("ticket").evaluate("node => node.inert")
    is_wrong = False
    trader.expect_line("live")
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


@pytest.mark.parametrize(
    ("button", "kind", "typed"),
    some([("set-collar", "set_collar", {"rate": "2.75"}), ("halt", "halt", {})]),
    ids=["collar", "halt"],
)
def test_a_question_that_is_confirmed_on_a_dead_line_is_not_carried_out(
    page: Page, demo: VenueProcess, button: str, kind: str, typed: dict[str, str]
) -> None:
    page.goto(f"{demo.url}/ui/control?product={SYMBOL}")
    page.get_by_test_id("enter-operator").click()
    expect(page.get_by_test_id("who-name")).to_contain_text("demo operator")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    before, sent = acts(demo, kind), sent_by(page)
    page.get_by_test_id(button).click()
    dialog = page.get_by_test_id("dialog")
    yes = dialog.get_by_test_id("confirm")
    yes.focus()
    for name, value in typed.items():
        dialog.locator(f"[name={name}]").fill(value)
    box = yes.bounding_box()
    assert box is not None
    with stopped(demo):
        expect(page.locator("html")).to_have_attribute("data-line", "dead")
        assert open_acts(page) == 0
        page.keyboard.press("Enter")
        page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        yes.evaluate("button => button.click()")
        yes.evaluate("button => button.focus()")
        page.keyboard.press("Enter")
        dialog.locator("form").evaluate("form => form.requestSubmit()")
        expect(dialog).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    expect(dialog).to_be_visible()
    for name, value in typed.items():
        expect(dialog.locator(f"[name={name}]")).to_have_value(value)
    assert sent == []
    assert acts(demo, kind) == before
    yes.click()  # What was kept to be sent later would have been sent by now, too.
    expect(page.get_by_test_id("toast").first).to_have_class("toast done")
    assert len(sent) == 1
    assert acts(demo, kind) == before + 1
    demo.post("/v1/admin/resume")


@pytest.mark.parametrize("path", some(["/ui/surveillance", "/ui/figure"]))
def test_a_dead_line_locks_what_acts_of_every_page(page: Page, demo: VenueProcess, path: str) -> None:
    page.goto(demo.url + path)
    page.get_by_test_id("enter-operator").click()
    expect(page.get_by_test_id("who-name")).to_contain_text("demo operator")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    expect(page.locator("main [data-acts]").first).to_be_attached()
    with stopped(demo):
        expect(page.locator("html")).to_have_attribute("data-line", "dead")
        assert open_acts(page) == 0
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    expect(page.locator("[data-acts][inert]")).to_have_count(0)
    assert open_acts(page) > 0
