"""The figures of the first paint: of the moment that they name, and in the form in which the scripts show them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.pages.mount import SHIPPED
from tests.unit.pages.mounted import mounted
from tests.unit.pages.test_pages import instrument

pytestmark = pytest.mark.anyio

SYMBOL = "PRND-OX"
REPORT = {
    "year": 2026, "net": "20590260825.00", "gross": "20591493225.00", "busted": "1232400.00", "excluded": "0.00",
    "trades": 18050, "busted_trades": 1000, "excluded_trades": 0, "today": "3730000.00", "target": "23000000000.00",
    "target_name": "a target", "share": "0.895229", "pace": "20909090909.09", "ahead": "-322562654.09", "days_total": 242,
    "days_before_opening": 1, "days_completed": 2, "days_left": 22, "required_per_day": "109703227.05",
    "required_ratio": "1.5000", "recent_mean": "106443089.25", "forecast": None, "outcome": "open", "verdict": "Open.",
    "verdict_zh": "无", "simulated": False, "calendar": "published", "discrepancies": [], "proof_alerts": [], "products": [],
    "seq": 77653, "as_of": "2026-03-12T09:00:00Z", "trading_date": "2026-03-12", "row_hash": "ab", "journal_id": "cd",
    "days": [{"date": f"2026-03-{day}"} for day in range(10, 16)],
}  # fmt: skip
TICKER: dict[str, Any] = {
    "symbol": SYMBOL, "phase": "continuous", "last": "473500.00", "reference_price": "473000.00", "best_bid": None,
    "best_ask": "473550.00", "low": "472000.00", "high": "474000.00", "lower_limit": "449350.00",
    "upper_limit": "496650.00", "volume": 1234, "turnover": "584000000.00", "trades": 5, "trading_date": "2026-03-12",
}  # fmt: skip


async def shown(path: str) -> str:
    """The text of a page's content without its markup."""
    assert SYMBOL in SHIPPED
    client, _ = mounted(report=REPORT, instruments=[instrument()], tickers=[TICKER])
    html = (await client.get(path)).text
    content = html[html.index("<main") : html.index("</main>")]
    return " ".join(re.sub("<[^>]*>", " ", content).split())


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "behind the pace by ¥ 323 m at the close of 2026-03-12"),
        ("zh", "截至 2026-03-12 收盘落后进度 ¥ 3.23 亿"),
    ],
)
async def test_the_distance_from_the_pace_names_its_close(language: str, sentence: str) -> None:
    """The third of the days is the venue's second one."""
    assert sentence in await shown(f"/ui/?lang={language}")


@pytest.mark.parametrize("path", ["/ui/", "/ui/figure", f"/ui/trade/{SYMBOL}"])
async def test_numbers_have_their_separators_before_the_scripts_come(path: str) -> None:
    text = await shown(path)
    said = {
        "/ui/": ("18,050", "77,653", "473,500.00", "1.50 ×"),
        "/ui/figure": ("19,050", "1,000", "18,050", "77,653"),
        f"/ui/trade/{SYMBOL}": ("473,500.00", "Ask 473,550.00", "472,000.00 … 474,000.00", "1,234"),
    }[path]
    for number in said:
        assert number in text
    assert re.findall(r"(?<![\w.,-])\d{4,}\.?\d*(?![\w-])", text.replace(str(REPORT["year"]), "")) == []
