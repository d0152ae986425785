"""A page of a venue that holds nothing but charts, whose modules come from the venue's static address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import VenueProcess, Watched

MAKE = """async ({options, layers}) => {
  const { Chart } = await import(window.charts + "chart.js");
  const host = document.getElementById("main");
  window.chart?.close();
  host.replaceChildren();
  window.told = [];
  window.chart = new Chart(host, {
    label: "The chart", sentence: () => "It rises.", x: "number", xText: String, yText: (y) => y.toFixed(1), height: 240,
    onRange: (range) => told.push(["range", range]), onPick: (x) => told.push(["pick", x]), ...options,
  });
  for (const layer of layers) if (layer.draggable) layer.onDrag = (y) => told.push(["drag", y]);
  chart.show(layers);
}"""
RISING = [{"x": x, "y": x * x} for x in range(101)]


@pytest.fixture(scope="module")
def opened(visitor: BrowserContext, served: VenueProcess) -> Iterator[Watched]:
    """The page of all tests of a file."""
    page = visitor.new_page()
    watched = Watched(page)
    watched.listen()
    open_blank(page, f"{served.url}/log-in?lang=en")
    yield watched
    page.close()


@pytest.fixture
def blank(opened: Watched) -> Iterator[Page]:
    """A page of the venue without its own content, which may have no trouble; `charts` is the address of the modules."""
    opened.page.evaluate("""() => {
      window.chart?.close();
      window.chart = undefined;
      document.getElementById("main").replaceChildren();
    }""")
    opened.page.mouse.move(0, 0)
    yield opened.page
    assert opened.troubles == []


def open_blank(page: Page, address: str) -> None:
    """Opens a page of the venue whose charts are the test's own."""
    page.goto(address)
    page.wait_for_load_state("networkidle")  # its own script is done
    page.evaluate(
        "() => { window.charts = new URL('../charts/', document.querySelector('script[type=module]').src).href; }"
    )


def make(page: Page, layers: list[dict[str, Any]], **options: Any) -> None:
    page.evaluate(MAKE, {"options": options, "layers": layers})
    page.wait_for_function("() => chart.redraws > 0")


def module(page: Page, name: str, call: str) -> Any:
    """What `call` returns; `m` is the module."""
    return page.evaluate(f"async () => {{ const m = await import(charts + '{name}'); return {call}; }}")


def drag(page: Page, start: float, end: float) -> None:
    """Drags from one share of the plot's width to another."""
    box = page.locator(".chart-area > svg").bounding_box()
    left, width = page.evaluate("() => [chart.plan.left, chart.plan.width]")
    assert box is not None
    page.mouse.move(box["x"] + left + start * width, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + left + end * width, box["y"] + 104, steps=4)
    page.mouse.up()
