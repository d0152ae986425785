"""No page may scroll, cut off digits, or send requests to another server."""

from __future__ import annotations

import os
import re
import time
from datetime import date
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from services.bootstrap import open_venue
from services.cli import running
from services.simulator.year import day_shape
from tests.browser.conftest import VenueProcess, Watched, rex

PAGES = {"/ui/": "market", "/ui/control": "board", "/ui/trade/PRND-OX": "ladder"}

CUT_NUMBERS = """() => [...document.querySelectorAll('td.num, th.num, b, .num')].filter(cell => {
    const box = cell.getBoundingClientRect(), frame = cell.closest('.panel')?.getBoundingClientRect();
    return cell.scrollWidth > cell.clientWidth + 1 && getComputedStyle(cell).overflow === 'hidden'
        || frame && (box.right > frame.right + 1 || box.left < frame.left - 1);
}).map(cell => cell.outerHTML)"""


LAST_DAY = date(2025, 12, 31)


def on_the_last_day_of_2025() -> None:
    """The demo's history ends before this day, and its clock stands there."""
    os.environ["REX_DEMO_TODAY"] = str(LAST_DAY)
    behind_ns = day_shape.at(LAST_DAY, (10, 0)) - time.time_ns()
    vars(running)["open_venue"] = partial(open_venue, clock=lambda: time.time_ns() + behind_ns)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_on_1400_by_900_without_cut_numbers(watched: Watched, demo: VenueProcess, path: str) -> None:
    watched.page.goto(demo.url + path)
    expect(watched.page.get_by_test_id(PAGES[path])).to_be_visible()
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert watched.page.evaluate(size) == [1400, 900]
    assert watched.page.evaluate(CUT_NUMBERS) == []


@pytest.mark.slow
def test_the_page_of_a_demo_with_its_history_cuts_no_number_and_says_that_it_is_simulated(
    watched: Watched, tmp_path: Path
) -> None:
    """On the last trading day of 2025, whose numbers are as long as they get."""
    with rex(tmp_path, "demo", mutant=on_the_last_day_of_2025) as venue:
        watched.page.goto(venue.url + "/ui/")
        expect(watched.page.get_by_text("no trade is real")).to_be_visible()
        size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert watched.page.evaluate(size) == [1400, 900]
        assert watched.page.evaluate(CUT_NUMBERS) == []


@pytest.mark.parametrize("path", PAGES)
def test_everything_comes_from_the_venue_itself(watched: Watched, demo: VenueProcess, path: str) -> None:
    asked: set[str] = set()
    watched.page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    watched.page.goto(demo.url + path)
    expect(watched.page.get_by_test_id(PAGES[path])).to_be_visible()
    assert asked - {""} == {urlsplit(demo.url).netloc}  # data: addresses have no host


def test_the_colours_are_explained(watched: Watched, demo: VenueProcess) -> None:
    for path in PAGES:
        watched.page.goto(demo.url + path)
        expect(watched.page.get_by_text(re.compile("red up / buy, green down / sell"))).to_be_visible()
