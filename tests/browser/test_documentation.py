"""The documentation in a browser: its content security policy allows what it needs, and nothing else."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import VenueProcess, Watched


def test_the_reference_works_under_its_policy(watched: Watched, served: VenueProcess) -> None:
    page = watched.page
    answer = page.goto(f"{served.url}/docs")
    assert answer is not None
    assert "'unsafe-eval'" not in answer.headers["content-security-policy"]
    expect(page.get_by_text("Place an order", exact=True)).to_be_visible()
    page.get_by_text("Place an order", exact=True).click()
    expect(page.get_by_text("client_order_id").first).to_be_visible()


def test_the_messages_of_the_websocket(watched: Watched, served: VenueProcess) -> None:
    watched.page.goto(f"{served.url}/docs/websocket")
    watched.page.get_by_role("link", name="place_order").click()
    expect(watched.page.get_by_text("Places an order. Scope:")).to_be_in_viewport()
    watched.page.get_by_role("link", name="OrderRequest").first.click()
    expect(watched.page.get_by_text("Symbol of a listed instrument.").first).to_be_in_viewport()


def test_the_page_of_a_code(watched: Watched, served: VenueProcess) -> None:
    watched.page.goto(f"{served.url}/errors/outcome_unknown")
    expect(watched.page.get_by_text("same client_order_id")).to_be_visible()


FRAME = "path => { const frame = document.createElement('iframe'); frame.src = path; document.body.append(frame) }"
SCRIPT = "path => { const script = document.createElement('script'); script.src = path; document.body.append(script) }"


def test_nothing_frames_the_venue_and_no_foreign_script_runs(watched: Watched, served: VenueProcess) -> None:
    page = watched.page
    page.goto(f"{served.url}/ui/")
    for script, path in ((FRAME, "/ui/"), (FRAME, "/docs"), (FRAME, "/healthz"), (SCRIPT, "http://127.0.0.1:9/x.js")):
        with page.expect_console_message(lambda said: "Content Security Policy" in said.text):
            page.evaluate(script, path)
    watched.troubles.clear()  # The browser's own words about what it refused.
