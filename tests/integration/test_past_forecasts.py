"""The scorecard of the forecast has the numbers of the reports of the months' ends."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_gateway_decisions import decide, fills, set_target
from tests.integration.test_past_reports import HOUR_NS
from tests.integration.test_reporting import NET, report_of, trade
from tests.integration.venue import START_NS, Clock, RunningVenue, running_venue

pytestmark = pytest.mark.anyio

DAY_NS = 24 * HOUR_NS
OF_FORECAST = ("p10", "p50", "p90", "reach", "too_early")


async def scorecard(venue: RunningVenue, year: int = 2023) -> dict[str, Any]:
    await venue.projector.reached(venue.sequencer.last_seq)
    answer = await venue.client("bob").get(f"/v1/reports/turnover/{year}/forecasts")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def trade_each_day(venue: RunningVenue, days: int, times: int = 1) -> None:
    for _ in range(days):
        venue.clock.now_ns += DAY_NS
        for _ in range(times):
            await trade(venue)


async def test_each_is_the_forecast_of_the_report_of_that_moment(tmp_path: Path) -> None:
    """From 2023-10-31, a Tuesday, to 2024-01-02, the first trading day of the next year."""
    async with running_venue(tmp_path, clock=Clock(START_NS - 31 * DAY_NS)) as venue:
        await trade(venue)
        none = await scorecard(venue)
        assert (none["forecasts"], none["has_ended"], none["net"]) == ([], False, str(NET))
        excluded, *_ = [fill["trade_id"] for fill in await fills(venue)]
        await trade_each_day(venue, 31)
        await decide(venue, "exclude", excluded)
        answer = await set_target(venue, replaces=(await report_of(venue))["target_seq"])
        assert answer.status_code == 201, answer.text
        running = await scorecard(venue)
        assert [line["month"] for line in running["forecasts"]] == ["2023-10", "2023-11"]
        for line in running["forecasts"]:
            report = await report_of(venue, seq=line["seq"])
            of_report = {name: report[name] for name in ("days_left", "net", "target")}
            of_forecast = {name: report["forecast"][name] for name in OF_FORECAST}
            seq_and_month = {name: line[name] for name in ("seq", "month")}
            assert line == {**seq_and_month, **of_report, **of_forecast, "held": None}
        assert running["forecasts"][0]["net"] == str(NET), "what a decision took later was in it"
        await trade_each_day(venue, 32, times=2)  # more than November let expect
        ended = await scorecard(venue)
        within = [Decimal(one["p10"]) <= Decimal(ended["net"]) <= Decimal(one["p90"]) for one in ended["forecasts"]]
        assert ended["has_ended"]
        assert within == [True, False]
        assert ended["forecasts"] == [
            line | {"held": held} for line, held in zip(running["forecasts"], within, strict=True)
        ]
        for year, has_ended in ((2022, True), (2024, False)):
            other = await scorecard(venue, year)
            assert (other["forecasts"], other["has_ended"]) == ([], has_ended)
