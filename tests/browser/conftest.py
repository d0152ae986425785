"""Fixtures: a real venue in its own process, and Debian's Chromium with its pages."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.faults.venue_process import Mutant, printing
from tests.patience import PATIENCE_S, http_get, http_post, http_put

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SIZE = {"width": 1400, "height": 900}
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

    def _headers(self, name: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.keys[name]['key']}"}


@contextmanager
def rex(data_dir: Path, *arguments: str, mutant: Mutant | None = None) -> Iterator[VenueProcess]:
    """Runs `rex` on a free port until the block ends; it must then stop by itself with status 0."""
    with printing(*arguments, "--port", "0", "--data-dir", data_dir, mutant=mutant) as (process, out, errors):
        found = next((match for line in out if (match := re.search(r"http://127\.0\.0\.1:\d+", line))), None)
        assert found is not None, f"the venue ended before it said where it listens: {errors.read_text()}"
        assert process.pid is not None
        try:
            yield VenueProcess(found[0], json.loads((data_dir / "keys.json").read_text()))
        finally:
            os.kill(process.pid, signal.SIGINT)
            out.read()  # so that its last output does not fill the pipe
            process.join()
        assert process.exitcode == 0, errors.read_text()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """`rex demo`: with simulated traders, who trade often, and an order ticket on the trader page."""
    with rex(tmp_path_factory.mktemp("demo"), "demo", "--no-history", "--pace", "250") as venue:
        yield venue


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """`rex serve`: without traders, and with read-only pages."""
    with rex(tmp_path_factory.mktemp("served"), "serve", "--schedule", "always", "--json") as venue:
        yield venue


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one test file. While it is open, Playwright keeps an event loop running, which async tests of other files
    need for themselves."""
    if not CHROMIUM.exists():
        pytest.skip(f"NO BROWSER TEST RAN: {CHROMIUM} is missing (Debian's package chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS), timeout=PATIENCE_MS)
        yield browser
        browser.close()


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
        page.on(
            "requestfailed",
            # A `goto` aborts what the page before it has under way.
            lambda request: note(f"failed: {request.url}") if request.failure != "net::ERR_ABORTED" else None,
        )
        page.on("response", lambda answer: note(f"{answer.status}: {answer.url}") if answer.status >= 400 else None)


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Watched]:
    """A page of 1400 × 900 pixels. The test fails if the page has any trouble."""
    context = chromium.new_context(viewport=SIZE)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    found = Watched(context.new_page())
    found.listen()
    yield found
    troubles = list(found.troubles)  # taken before the close, which may end a request that is under way
    context.close()
    assert troubles == []
