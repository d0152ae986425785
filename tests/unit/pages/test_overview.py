"""What the overview says in words and sums of its own: the counting rule, the forecast's coverage, today by five minutes."""

from __future__ import annotations

import asyncio
import re
from typing import Any, cast

import pytest
from rex_client import RexClient

from services.pages.catalogue import words
from services.pages.first_paint import intraday
from services.pages.formatting import largest
from services.reporting.exports.seal import COUNTING_RULE_ZH
from services.reporting.forecast.wording import MEASURED
from services.reporting.report import COUNTING_RULE
from services.reporting.schemas import Discrepancy, ProofAlert
from tests.unit.pages.measured_coverage import measured_coverage
from tests.unit.pages.mounted import mounted
from tests.unit.reporting.exports.test_files import report

TODAY = "2026-11-27"


def test_the_rule_is_that_of_the_report() -> None:
    assert words("overview", "en")["rule"] == COUNTING_RULE
    assert words("overview", "zh")["rule"] == COUNTING_RULE_ZH


def test_the_coverage_is_what_was_measured() -> None:
    """The least and the most of 100 years of the base class, from docs/forecast.md; the others as the forecast says."""
    found = [
        percent
        for (name, past), days in measured_coverage().items()
        for day in days
        for percent in day
        if name == "base" and past != 1
    ]
    ranges = [f"{min(found)} to {max(found)}", *re.findall(r"in (\d+ to \d+)", MEASURED)]
    for text in ranges:
        assert text in words("overview", "en")["meaning.coverage"]
        assert text.replace("to", "至") in words("overview", "zh")["meaning.coverage"]


def test_the_largest_by_amount_not_by_text() -> None:
    lines = [{"net": "9.00"}, {"net": "10.00"}, {"net": "100.00"}]
    assert largest(lines, "net", 2) == [{"net": "100.00"}, {"net": "10.00"}]


class _Venue:
    """Answers as the venue does: two instruments traded, one did not."""

    def __init__(self, date: str = TODAY) -> None:
        self._date = date
        self.asked: list[tuple[str, str]] = []

    async def tickers(self) -> list[dict[str, Any]]:
        return [
            {"symbol": name, "trades": trades, "trading_date": self._date}
            for name, trades in (("A", 2), ("B", 1), ("C", 0))
        ]

    async def candles(self, symbol: str, interval: str, **query: Any) -> dict[str, Any]:
        self.asked.append((symbol, interval))
        if interval == "1d":
            return {"candles": [{"start": f"{TODAY}T01:00:00Z", "trading_date": TODAY}]}
        assert query["start"] == f"{TODAY}T01:00:00Z"
        amounts = {
            "A": [("01:00", "0.10"), ("01:05", "5.00"), ("01:10", "7.00")],
            "B": [("01:00", "0.20"), ("01:10", "1.00")],
        }[symbol]
        running = {"A": "", "B": "01:10"}[symbol]  # A was asked a moment later
        return {
            "candles": [
                {"start": f"{TODAY}T{at}:00Z", "amount": amount, "closed": at != running} for at, amount in amounts
            ]
        }


def test_today_is_the_exact_sum_of_the_candles() -> None:
    venue = _Venue()
    found = asyncio.run(intraday(cast("RexClient", venue)))
    assert found["trading_date"] == TODAY
    assert found["amounts"] == [[f"{TODAY}T01:00:00Z", "0.30"], [f"{TODAY}T01:05:00Z", "5.00"]]
    assert ("C", "5m") not in venue.asked, "and the five minutes that were under way when B was asked are left out"


def test_a_day_that_has_just_begun_has_no_amounts() -> None:
    """The last daily candle is of the day before."""
    assert asyncio.run(intraday(cast("RexClient", _Venue("2026-11-30"))))["amounts"] == []


@pytest.mark.anyio
async def test_every_doubt_about_the_figure_is_told_in_a_line_of_its_own() -> None:
    """What the sums of days say first, then each open alert about the proofs; none where there is none."""
    told = {
        "discrepancies": (Discrepancy(code="day_sums_differ", sentence="Days <differ>.", sentence_zh="日合计不符"),),
        "proof_alerts": tuple(
            ProofAlert(sentence=f"Proof {one}.", sentence_zh=f"证明{one}") for one in ("failed", "late")
        ),
    }
    client, _ = mounted(report=report().model_copy(update=told).to_json())
    sure, _ = mounted(report=report().to_json())
    async with client, sure:
        assert doubts_in((await client.get("/ui/?lang=en")).text) == [
            "Days &lt;differ&gt;.",
            "Proof failed.",
            "Proof late.",
        ]
        assert doubts_in((await client.get("/ui/?lang=zh")).text) == ["日合计不符", "证明failed", "证明late"]
        assert doubts_in((await sure.get("/ui/?lang=en")).text) == []


def doubts_in(page: str) -> list[str]:
    """The texts of the lines in the place for doubts, of which a page has one."""
    (place,) = re.findall(r'<p id="doubts" role="status">(.*?)</p>', page)
    return re.findall(r'<b class="doubt danger" data-testid="doubt">(.*?)</b>', place)
