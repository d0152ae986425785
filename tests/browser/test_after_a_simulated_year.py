"""Pages of a venue that was simulated for a past year and goes on today, without a trade yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SYMBOL, VenueProcess, Watched, rex
from tests.browser.figuring import year_of
from tests.browser.trading import grouped
from tests.faults.venue_process import rex as run

YEAR = 2024


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """Two simulated days, continued today."""
    folder = tmp_path_factory.mktemp("simulated") / "data"
    few = ("--days", "2", "--commands", "50000", "--seed", "7")
    made = run("simulate-year", str(YEAR), *few, "--data-dir", folder)
    assert made.exit_status == 0, made.err
    with rex(folder, "serve", "--schedule", "always", "--accept-clock", "--json") as running:
        running.wait_for_reports()
        yield running


def test_an_empty_tape_names_the_last_trade_before_today(watched: Watched, venue: VenueProcess) -> None:
    page = watched.page
    page.goto(f"{venue.url}/ui/trade/{SYMBOL}?lang=en")
    expect(page.locator("html")).to_have_attribute("data-line", "live")
    (last,) = venue.get(f"/v1/market/{SYMBOL}/trades", end=datetime.now(UTC).isoformat(), limit=1)["trades"]
    time = datetime.fromisoformat(last["time"]).astimezone(timezone(timedelta(hours=8)))
    said = f"No trade yet on this trading day. The last one: {grouped(last['price'])}, {time:%Y-%m-%d %H:%M}."
    expect(page.locator("#tape-empty")).to_have_text(said)


def test_the_venues_own_targets_have_a_chinese_name(watched: Watched, venue: VenueProcess) -> None:
    page = watched.page
    for year, said in (
        (YEAR, f"模拟数据，其中无一笔真实成交：{YEAR} 年，随机种子 7"),
        (year_of(venue), "年成交额 230 亿元（本年度未设定目标）"),
    ):
        page.goto(f"{venue.url}/ui/figure?lang=zh&year={year}")
        expect(page.locator("[data-forecast=target_name]")).to_have_text(said)
