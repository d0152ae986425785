"""The panel of today: a sum that goes up in steps, told once the feed has told it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.charting import blank, module, opened
from tests.browser.conftest import VenueProcess, Watched
from tests.browser.overviewing import present

__all__ = ["blank", "opened"]

SUMS = """(() => {
  const at = (time) => Date.parse(`2026-11-27T${time}Z`), clock = (x) => new Date(x).toISOString().slice(11, 19);
  const said = (sums) => m.pointsOf(sums).map(({x, text}) => [clock(x), text]);
  let sums = m.sumsOf([["2026-11-27T10:50:00Z", "10.00"], ["2026-11-27T10:55:00Z", "5.50"]]);
  const steps = [said(sums)];
  for (const [time, yuan] of [
    ["11:00:20", "15.50"], ["11:03:00", "20.00"], ["11:03:40", "20.00"], ["11:03:50", "21.00"], ["11:17:00", "30.00"],
  ]) {
    sums = m.withSum(sums, at(time), yuan);
    steps.push(said(sums).slice(3));
  }
  return steps;
})()"""


FIRST = """m.pointsOf(m.withSum(m.sumsOf([]), 7, "20.00")).map(({x, text}) => [x, text])"""


def test_each_sum_begins_at_the_moment_at_which_the_page_learnt_it(blank: Page) -> None:
    """Those before the page was opened stand at the ends of their five minutes; of a minute that is over one change is kept."""
    assert module(blank, "../overview/day_points.js", SUMS) == [
        [["10:50:00", "¥ 0.00"], ["10:55:00", "¥ 10.00"], ["11:00:00", "¥ 15.50"]],
        [["11:00:20", "¥ 15.50"]],
        [["11:03:00", "¥ 20.00"]],
        [["11:03:00", "¥ 20.00"], ["11:03:40", "¥ 20.00"]],
        [["11:03:00", "¥ 20.00"], ["11:03:50", "¥ 21.00"]],
        [["11:03:50", "¥ 21.00"], ["11:17:00", "¥ 30.00"]],
    ]
    assert module(blank, "../overview/day_points.js", FIRST) == [[7, "¥ 0.00"], [7, "¥ 20.00"]]


def test_a_sum_is_drawn_in_steps(blank: Page) -> None:
    place = "{at: (x) => x, y: {at: (y) => 10 - y, from: 0}, height: 10, width: 10}"
    points = "[{x: 0, y: 0}, {x: 5, y: 3}, {x: 7, y: 4}]"
    drawn = f"m.stepArea.draw({{}}, {points}, {place}).map((path) => path.getAttribute('d'))"
    line = "M0 10H5V7H7V6"
    assert module(blank, "layers/line.js", drawn) == [f"{line}L7 10L0 10Z", line]


def test_before_the_feed_has_told_the_day_nothing_is_said_of_it(watched: Watched, served: VenueProcess) -> None:
    """The report is there; the WebSocket is open and silent."""
    present(served)
    opened: list[WebSocketRoute] = []

    def be_silent(route: WebSocketRoute) -> None:
        opened.append(route)

    watched.page.route_web_socket(re.compile("/v1/ws"), be_silent)
    watched.page.goto(f"{served.url}/ui/")
    expect(watched.page.get_by_test_id("year-chart").locator(".pane")).to_be_visible()
    assert opened
    expect(watched.page.get_by_test_id("today")).not_to_contain_text("No trade yet")
