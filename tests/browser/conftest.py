"""Fixtures: a real venue in its own process, and Debian's Chromium with its pages."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, Route, ViewportSize, expect, sync_playwright

from tests.faults.venue_process import NO_VARIABLES, printing
from tests.patience import PATIENCE_S, http_delete, http_get, http_post, http_put, impatience

BROWSERS = (Path("/usr/lib/chromium/chromium-headless-shell"), Path("/usr/bin/chromium"))
CHROMIUM = next((path for path in BROWSERS if path.exists()), BROWSERS[-1])
"""The headless shell is the same browser without windows; with them a test costs a third more."""
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SYMBOL = "NDFEB-N42"
"""The product that tests trade."""
DESK = "Demo Trading Desk"
"""The account of the demo's trader."""
LEFT = "net::ERR_ABORTED"
"""The failure of a request whose page was left before its answer came."""
SIZE: ViewportSize = {"width": 1400, "height": 900}
PATIENCE_MS = PATIENCE_S * 1_000

expect.set_options(timeout=PATIENCE_MS)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks the tests of this folder: `-m browser` selects those that need Chromium."""
    if isinstance(item, pytest.Function) and "chromium" in item.fixturenames:
        item.add_marker("browser")


@dataclass
class VenueProcess:
    """A running `rex`, and requests to its API."""

    url: str
    keys: dict[str, Any]
    first_link: str = ""
    """The one-time link, of a venue that prints its address as JSON."""
    pid: int = 0

    def get(self, path: str, name: str = "operator", **query: Any) -> Any:
        """The API's JSON reply to one of the venue's keys."""
        answer = http_get(self.url + path, params=query, headers=self._headers(name))
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str) -> None:
        """Sends an operator's command."""
        http_post(self.url + path, headers=self._headers("operator")).raise_for_status()

    def put(self, path: str, body: dict[str, Any]) -> None:
        """Sends an operator's setting."""
        http_put(self.url + path, json=body, headers=self._headers("operator")).raise_for_status()

    def place(self, name: str, **order: Any) -> Any:
        """Places an order of an account. Returns its state."""
        answer = http_post(f"{self.url}/v1/orders", json=order, headers=self._headers(name))
        answer.raise_for_status()
        return answer.json()

    def wait_for_reports(self) -> None:
        """Asks until there is a report. The process that makes them starts after the venue, which may take long on a busy
        machine; until then a page that asks is answered 503."""
        path = f"{self.url}/v1/reports/turnover/{self.get('/v1/venue')['trading_date'][:4]}"
        deadline = time.monotonic() + PATIENCE_S
        while not http_get(path, headers=self._headers("operator")).is_success:
            assert time.monotonic() < deadline, "the venue makes no reports"

    def _headers(self, name: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.keys[name]['key']}"}


@contextmanager
def rex(
    data_dir: Path, *arguments: str, port: str = "0", variables: Mapping[str, str] = NO_VARIABLES
) -> Iterator[VenueProcess]:
    """Runs `rex` until the block ends, on a free port or on this one; it must then stop by itself with status 0."""
    started = printing(*arguments, "--port", port, "--data-dir", data_dir, variables=variables)
    with started as (process, out, errors):
        with impatience(process):
            found = next((match for line in out if (match := re.search(r"http://127\.0\.0\.1:\d+", line))), None)
        assert found is not None, f"the venue ended before it said where it listens: {errors.read_text()}"
        assert process.pid is not None
        try:
            link = re.search(r"http://127\.0\.0\.1:\d+/first#[\w-]+", found.string)
            keys = json.loads((data_dir / "keys.json").read_text())
            yield VenueProcess(found[0], keys, link[0] if link else "", process.pid)
        finally:
            os.kill(process.pid, signal.SIGINT)
            with impatience(process):
                out.read()  # so that its last output does not fill the pipe
                process.join()
        assert process.exitcode == 0, errors.read_text()


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """`rex demo`: with simulated traders, who trade often, and an order ticket on the trader page. Files have it in common:
    what a test changes it sets right, for the next one expects a venue that was just started."""
    with _demo(tmp_path_factory) as venue:
        yield venue


@pytest.fixture(scope="module")
def own_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """A demo of the file's own, whose tests leave people, products, decisions or a long log behind."""
    with _demo(tmp_path_factory) as venue:
        yield venue


@contextmanager
def _demo(folders: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with rex(folders.mktemp("demo"), "demo", "--no-history", "--pace", "250") as venue:
        venue.wait_for_reports()
        yield venue


@pytest.fixture(scope="module")
def calm(demo: VenueProcess) -> None:
    """Keeps one product in continuous trading: orders of tests begin no volatility auction there."""
    demo.put(f"/v1/admin/instruments/{SYMBOL}/volatility_band", {"rate": "0", "auction_seconds": 0})
    demo.put(f"/v1/admin/instruments/{SYMBOL}/phase", {"phase": "continuous"})


@pytest.fixture
def no_orders(demo: VenueProcess) -> Iterator[None]:
    """Cancels what a test leaves of the desk's orders."""
    yield
    answer = http_delete(f"{demo.url}/v1/orders?symbol=*", headers=demo._headers(DESK))
    answer.raise_for_status()


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """`rex serve`: without traders, and with read-only pages. The files of this folder have it in common."""
    with rex(tmp_path_factory.mktemp("served"), "serve", "--new", "--schedule", "always", "--json") as venue:
        yield venue


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of this folder. While it is open, Playwright keeps an event loop running, which async tests of
    other folders need for themselves."""
    if not CHROMIUM.exists():
        pytest.skip(f"NO BROWSER TEST RAN: {CHROMIUM} is missing (Debian's package chromium)")
    with sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        yield browser
        browser.close()


def launch(kind: BrowserType, **options: Any) -> Browser:
    """Starts a browser with the patience of the tests: Playwright's own is 30 seconds."""
    return kind.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS), timeout=PATIENCE_MS, **options)


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A context whose pages have the patience of the tests."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    return context


@dataclass
class Watched:
    """A page and its troubles: console messages, exceptions, failed requests."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Records console messages above `info`, exceptions, failed requests and error replies."""
        page, note = self.page, self.troubles.append
        page.on(
            "console", lambda said: note(f"{said.type}: {said.text}") if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: note(f"exception: {error}"))
        page.on("requestfailed", lambda request: note(f"failed: {request.url}") if request.failure != LEFT else None)
        page.on("response", lambda answer: note(f"{answer.status}: {answer.url}") if answer.status >= 400 else None)


@pytest.fixture(scope="module")
def visitor(chromium: Browser) -> Iterator[BrowserContext]:
    """A visitor of one test file, whose browser keeps the pages' scripts: to load and compile them is most of a page's time."""
    context = new_context(chromium, viewport=SIZE)
    yield context
    context.close()


@pytest.fixture
def page(visitor: BrowserContext) -> Iterator[Page]:
    """A page of 1400 × 900 pixels; nobody is logged in. Its browser may get 401 answers."""
    page = visitor.new_page()
    yield page
    page.close()
    visitor.clear_cookies()


@pytest.fixture
def watched(page: Page) -> Iterator[Watched]:
    """The page. The test fails if it has any trouble."""
    found = Watched(page)
    found.listen()
    yield found
    assert found.troubles == []  # before the page's end, which may end a request that is under way


def wait_for_a_late_pong(route: Route) -> None:
    """The module of the page's WebSocket, which gives a line up whose ping has no answer for a second: here not. Where a test
    carries the WebSocket, pongs come through its process and may be late."""
    answer, soon = route.fetch(), "const ANSWER_MS = 1_000;"
    body = answer.text()
    assert soon in body
    route.fulfill(response=answer, body=body.replace(soon, f"const ANSWER_MS = {PATIENCE_MS};"))
