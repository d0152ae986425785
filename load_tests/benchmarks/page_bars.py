"""What a page in a real browser takes and does: bytes, paints, shifts, time of the main thread, memory.

Chromium says it through its DevTools protocol and the web's own performance entries. Of a page that was opened by `open_cold`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # The benchmarks also run without Playwright.
    from playwright.sync_api import BrowserContext, CDPSession, Page

SCRIPT = """
window.bars = { shift: 0, shifts: [], seen: [] };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.bars.shift += entry.value;
    const moved = entry.sources.map(({ node }) => node?.id || node?.className || node?.nodeName);
    window.bars.shifts.push(`${entry.value.toFixed(4)} ${moved}`);
  }
}).observe({ type: "layout-shift", buffered: true });
new MutationObserver((changes) => {
  const now = performance.timeOrigin + performance.now();
  for (const { target } of changes) window.bars.seen.push([Number(target.dataset.seq), now]);
}).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-seq"] });
"""
"""Notes layout shifts without input of a person, and when the book shows a sequence number (`data-seq` of the ladder)."""


@dataclass
class Opened:
    """A page, and what came over the network for it."""

    page: Page
    protocol: CDPSession
    bytes_by_address: dict[str, int] = field(default_factory=dict)

    @property
    def transferred_bytes(self) -> int:
        """Of all answers so far, with their heads, as they came: compressed."""
        return sum(self.bytes_by_address.values())

    def first_paint_ms(self) -> float:
        """First contentful paint, from the navigation's start."""
        found: float = self.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        return found

    def shift(self) -> float:
        """The cumulative layout shift so far, and a new beginning."""
        found: float = self.page.evaluate("(() => { const { shift } = bars; bars.shift = 0; return shift; })()")
        return found

    def shifts(self) -> list[str]:
        """Each layout shift with what has moved."""
        found: list[str] = self.page.evaluate("bars.shifts.splice(0)")
        return found

    def metrics(self) -> dict[str, float]:
        """Chromium's counters: `TaskDuration` in seconds of the main thread, `JSHeapUsedSize` in bytes after a collection."""
        self.protocol.send("HeapProfiler.collectGarbage")
        return {one["name"]: one["value"] for one in self.protocol.send("Performance.getMetrics")["metrics"]}


def open_cold(context: BrowserContext, address: str) -> Opened:
    """A page that is opened with an empty cache; returns once its line is live."""
    page = context.new_page()
    opened = Opened(page, context.new_cdp_session(page))
    addresses: dict[str, str] = {}

    def answered(event: dict[str, Any]) -> None:
        addresses[event["requestId"]] = event["response"]["url"]

    def finished(event: dict[str, Any]) -> None:
        address = addresses.get(event["requestId"], "")
        opened.bytes_by_address[address] = opened.bytes_by_address.get(address, 0) + int(event["encodedDataLength"])

    opened.protocol.on("Network.responseReceived", answered)
    opened.protocol.on("Network.loadingFinished", finished)
    for domain in ("Network", "Performance"):
        opened.protocol.send(f"{domain}.enable")
    opened.protocol.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.add_init_script(SCRIPT)
    page.goto(address)
    page.wait_for_selector("html[data-line=live]")
    return opened
