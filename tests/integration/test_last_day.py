"""What the last trading day added: the numbers of the reports of its beginning and its end, in the present and in the past."""

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

OXIDE = Decimal("473000.00")


async def last_day(venue: RunningVenue, year: int = 2023, **query: Any) -> dict[str, Any]:
    await venue.projector.reached(venue.sequencer.last_seq)
    answer = await venue.client("bob").get(f"/v1/reports/turnover/{year}/last_day", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def compare(venue: RunningVenue, found: dict[str, Any]) -> None:
    """The numbers are those of the reports, to the fen."""
    for name in ("before", "close"):
        side = found["day"][name]
        report = await report_of(venue, seq=side["seq"])
        forecast = report["forecast"]
        reach = None if forecast is None or forecast["too_early"] else forecast["reach"]
        told = {key: report[key] for key in ("seq", "net", "target", "ahead")} | {"reach": reach}
        assert side == told, name
        assert report["today"] == "0.00", "the day has ended"
    (day,) = (day for day in report["days"] if day["date"] == found["day"]["date"])
    assert found["day"]["net"] == day["net"]


async def test_it_is_the_difference_of_two_reports_and_never_changes_afterwards(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        await trade(venue)
        none = await last_day(venue)
        assert (none["day"], none["sentence"]) == (None, "No trading day of this year has ended yet.")
        magnet, oxide, _ = [fill["trade_id"] for fill in await fills(venue)]
        venue.clock.now_ns += 8 * HOUR_NS  # 2023-12-04 begins
        first_seq = await trade(venue)
        friday = await last_day(venue)
        await compare(venue, friday)
        assert (friday["day"]["date"], friday["day"]["net"], friday["day"]["moved"]) == ("2023-12-01", str(NET), "0.00")
        assert friday["day"]["before"]["net"] == "0.00"
        assert friday["sentence"].startswith(
            "On 2023-12-01 ¥ 1.06 m net was added, and the year stood at ¥ 1.06 m at the close; "
        )
        assert "decisions" not in friday["sentence"]
        await decide(venue, "exclude", oxide, magnet)
        answer = await set_target(venue, replaces=(await report_of(venue))["target_seq"])
        assert answer.status_code == 201, answer.text
        assert await last_day(venue) == friday | {"seq": venue.sequencer.last_seq}
        assert await last_day(venue, seq=first_seq) == friday | {"seq": first_seq}
        venue.clock.now_ns += 72 * HOUR_NS  # 2023-12-05 begins
        await trade(venue)
        monday = await last_day(venue)
        await compare(venue, monday)
        moved = -(NET - OXIDE)
        assert (monday["day"]["date"], monday["day"]["net"]) == ("2023-12-04", str(NET))
        assert (monday["day"]["moved"], monday["day"]["close"]["net"]) == (str(moved), str(NET + OXIDE))
        assert (
            "decisions about earlier days took ¥ 585 k away; the target went from ¥ 23.0 bn to ¥ 24.0 bn; "
            in monday["sentence"]
        )
        assert monday["day"]["before"]["seq"] == friday["day"]["close"]["seq"]
        assert await last_day(venue, seq=first_seq) == friday | {"seq": first_seq}


async def test_a_year_that_is_closed_ends_with_its_own_last_day(tmp_path: Path) -> None:
    async with running_venue(tmp_path, clock=Clock(START_NS + 28 * 24 * HOUR_NS)) as venue:
        await trade(venue)
        venue.clock.now_ns += 4 * 24 * HOUR_NS
        seq = await trade(venue)
        closed = await last_day(venue)
        assert closed["day"]["date"] == "2023-12-29"
        await compare(venue, closed)
        assert closed["day"]["close"]["reach"] is None
        assert "chance" not in closed["sentence"]
        for year in (2022, 2025):
            assert (await last_day(venue, year))["day"] is None
        refused = await venue.client("bob").get(
            "/v1/reports/turnover/2023/last_day", params={"seq": 5, "at_least_seq": seq}
        )
        assert refused.status_code == 422
