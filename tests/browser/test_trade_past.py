"""The trade page on a day without a trade, of a venue that has traded before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import SYMBOL, Watched, rex
from tests.browser.trading import grouped
from tests.faults.venue_process import rex as run


def test_an_empty_tape_names_the_last_trade_before_today(watched: Watched, tmp_path: Path) -> None:
    year = str(datetime.now(UTC).year - 1)
    made = run("simulate-year", year, "--days", "2", "--commands", "50000", "--data-dir", tmp_path / "data")
    assert made.exit_status == 0, made.err
    with rex(tmp_path / "data", "serve", "--schedule", "always", "--accept-clock", "--json") as venue:
        page = watched.page
        page.goto(f"{venue.url}/ui/trade/{SYMBOL}?lang=en")
        expect(page.locator("html")).to_have_attribute("data-line", "live")
        (last,) = venue.get(f"/v1/market/{SYMBOL}/trades", end=datetime.now(UTC).isoformat(), limit=1)["trades"]
        time = datetime.fromisoformat(last["time"]).astimezone(timezone(timedelta(hours=8)))
        said = f"No trade yet on this trading day. The last one: {grouped(last['price'])}, {time:%Y-%m-%d %H:%M}."
        expect(page.locator("#tape-empty")).to_have_text(said)
