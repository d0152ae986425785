"""What the pages cost a browser and the venue, in real Chromium.

First paint, a filled book, an acknowledged order on the screen, what moves, the time of the main thread, the venue's processor
time for an open page, and how soon a dead line is seen.

The venue is a demo in a process of its own, whose simulated traders trade often. Orders of which the page shows the sequence
number are placed over REST by another member; both clocks are this machine's.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import httpx

from load_tests.benchmarks import page_bars
from load_tests.benchmarks.measurement import Effort, Measurement, process_s
from services.scaled.launch import REX

if TYPE_CHECKING:  # The benchmarks also run without Playwright.
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
SIZE = {"width": 1400, "height": 900}
SYMBOL = "PRND-OX"
MEMBER = "Saihan Strategic Stockholding"
OVERVIEW, TRADE = "/ui/", f"/ui/trade/{SYMBOL}"
STARTS, PAGES = 5, 10
LIVE_S, UPDATES, UPDATES_A_SECOND, ACKNOWLEDGED = 60.0, 1_000, 50, 300


class Demo(NamedTuple):
    """A running demo."""

    url: str
    key: str
    pid: int


@contextmanager
def demo() -> Iterator[Demo]:
    """`rex demo` without a history, on a free port."""
    with tempfile.TemporaryDirectory(prefix="rex-pages-") as folder:
        command = [REX, "demo", "--no-history", "--pace", "250", "--port", "0"]
        process = subprocess.Popen([*command, "--data-dir", folder], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            found = next(match for line in process.stdout if (match := re.search(r"http://127\.0\.0\.1:\d+", line)))
            keys = json.loads((Path(folder) / "keys.json").read_text())
            yield Demo(found[0], keys[MEMBER]["key"], process.pid)
        finally:
            os.kill(process.pid, signal.SIGINT)
            process.stdout.read()
            process.wait(30)


def page_measurements(effort: Effort) -> list[Measurement]:
    """The bars of docs/pages.md."""
    if not CHROMIUM.exists():
        print(f"pages: NOT RUN, there is no {CHROMIUM}", file=sys.stderr)
        return []
    from playwright.sync_api import sync_playwright

    with demo() as venue, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGS))
        try:
            return [
                *_starts(browser, venue, effort),
                *_live(browser, venue, effort),
                *_open_pages(browser, venue, effort),
                _dead_line(browser, venue, effort),
            ]
        finally:
            browser.close()


def _starts(browser: Browser, venue: Demo, effort: Effort) -> Iterator[Measurement]:
    httpx.get(venue.url + OVERVIEW, timeout=30).raise_for_status()  # The first one starts the process of the reports.
    time.sleep(2)
    for name, path, kilobytes in (("overview", OVERVIEW, 150), ("trade page", TRADE, 200)):
        paints, filled, transferred = [], [], []
        for _ in range(1 if effort.quick else STARTS):
            context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
            opened = page_bars.open_cold(context, venue.url + path)
            if path == TRADE:
                opened.page.wait_for_selector("[data-testid=ladder] tbody tr:nth-child(2)")
                filled.append(float(opened.page.evaluate("performance.now()")))
            opened.page.wait_for_timeout(2_000)
            paints.append(opened.first_paint_ms())
            transferred.append(opened.transferred_bytes / 1000)
            context.close()
        yield Measurement(f"{name}, cold: transferred", max(transferred), "KB", "at most", kilobytes, "100 % at most")
        yield Measurement(
            f"{name}, cold: first contentful paint", median(paints), "ms", "at most", 500, "100 % at most"
        )
        if filled:
            yield Measurement("trade page, cold: book filled", median(filled), "ms", "at most", 1_000, "100 % at most")


def _live(browser: Browser, venue: Demo, effort: Effort) -> Iterator[Measurement]:
    live_s = LIVE_S / 10 if effort.quick else LIVE_S
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    opened = page_bars.open_cold(context, venue.url + TRADE)
    opened.page.wait_for_timeout(4_000)
    opened.shift()
    opened.page.wait_for_timeout(live_s * 1_000)
    yield Measurement(
        f"trade page: layout shift in {live_s:g} live s", opened.shift(), "", "at most", 0.02, "100 % at most"
    )
    acknowledged = _place(venue, effort.messages(ACKNOWLEDGED), 10)
    opened.page.wait_for_timeout(1_000)
    seen: list[tuple[int, float]] = sorted(map(tuple, opened.page.evaluate("bars.seen")))
    waits = sorted(
        max(next((at for shown, at in seen if shown >= seq), float("inf")) - at_ms, 0.0) for seq, at_ms in acknowledged
    )
    slowest = waits[int(len(waits) * 0.99)]
    note = f"p50 {median(waits):.0f} ms of {len(waits)} orders"
    name = "trade page: from acknowledged to on the screen"
    yield Measurement(name, slowest, "ms p99", "at most", 150, "100 % at most", note=note)
    before, began_s = opened.metrics(), time.monotonic()
    _place(venue, effort.messages(UPDATES), UPDATES_A_SECOND)
    took_s, after = time.monotonic() - began_s, opened.metrics()
    busy = (after["TaskDuration"] - before["TaskDuration"]) / took_s * 100
    name = f"trade page: main thread at {UPDATES_A_SECOND} orders/s of its symbol"
    yield Measurement(name, busy, "%", "at most", 10, "100 % at most")
    grown = (after["JSHeapUsedSize"] - before["JSHeapUsedSize"]) / 2**20
    yield Measurement(
        "trade page: heap grew meanwhile", grown, "MiB", note=f"to {after['JSHeapUsedSize'] / 2**20:.1f} MiB"
    )
    context.close()


def _open_pages(browser: Browser, venue: Demo, effort: Effort) -> Iterator[Measurement]:
    """The venue's processor time with open pages, and without, in turn."""
    stretch_s = LIVE_S / 10 if effort.quick else LIVE_S / 3
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    quiet = _busy(venue, stretch_s)
    pages = [context.new_page() for _ in range(PAGES)]
    for page in pages:
        page.goto(venue.url + TRADE)
        page.wait_for_selector("html[data-line=live]")
    pages[0].wait_for_timeout(3_000)
    beside = _busy(venue, stretch_s)
    context.close()
    quiet = (quiet + _busy(venue, stretch_s)) / 2
    name = f"the venue's processor for an open trade page, of {PAGES}"
    note = f"{quiet:.1f} % without pages, {beside:.1f} % with them"
    yield Measurement(name, (beside - quiet) / PAGES, "% of a core", "at most", 0.3, "100 % at most", note=note)


def _dead_line(browser: Browser, venue: Demo, effort: Effort) -> Measurement:
    """From when the venue stands still to when the page says that its line is dead."""
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(venue.url + TRADE)
    waits = []
    for _ in range(1 if effort.quick else STARTS):
        page.wait_for_selector("html[data-line=live]")
        page.wait_for_timeout(1_500)
        os.kill(venue.pid, signal.SIGSTOP)
        began_s = time.monotonic()
        try:
            page.wait_for_selector("html[data-line=dead]")
            waits.append((time.monotonic() - began_s) * 1_000)
        finally:
            os.kill(venue.pid, signal.SIGCONT)
    context.close()
    name = "trade page: until it says that its line is dead"
    note = "; ".join(f"{wait_ms:.0f}" for wait_ms in waits)
    return Measurement(name, max(waits), "ms", "at most", 2_000, "100 % at most", note=note)


def _busy(venue: Demo, seconds: float) -> float:
    """Percent of a core that the venue's process takes."""
    before, began_s = process_s(venue.pid), time.monotonic()
    time.sleep(seconds)
    return (process_s(venue.pid) - before) / (time.monotonic() - began_s) * 100


def _place(venue: Demo, orders: int, a_second: int) -> list[tuple[int, float]]:
    """Places orders that rest, and cancels them now and then. Returns seq and time (ms) of each acknowledgement."""
    acknowledged: list[tuple[int, float]] = []
    with httpx.Client(base_url=venue.url, headers={"authorization": f"Bearer {venue.key}"}, trust_env=False) as client:
        ticker = client.get(f"/v1/market/{SYMBOL}/ticker").raise_for_status().json()
        order = {
            "symbol": SYMBOL,
            "side": "buy",
            "price": ticker["best_bid"] or ticker["reference_price"],
            "quantity": 1,
        }
        began_s = time.monotonic()
        for number in range(orders):
            time.sleep(max(began_s + number / a_second - time.monotonic(), 0))
            placed = client.post("/v1/orders", json=order).raise_for_status().json()
            if placed["state"] == "new":
                acknowledged.append((placed["seq"], time.time() * 1_000))
            if number % 20 == 19:
                client.delete("/v1/orders", params={"symbol": SYMBOL}).raise_for_status()
    return acknowledged
