"""A wrong clock, at a start and in a running venue: `rex` ends with a sentence and stamps nothing; `--accept-clock` goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.sequencer.clock import ClockRefused
from services.sequencer.sequencer import SequencerStopped
from services.venue.bootstrap import open_venue
from services.venue.settings import Settings
from tests.e2e.clock import HOUR_NS, TEN_O_CLOCK_NS, Clock
from tests.patience import AsyncHttpClient

pytestmark = [pytest.mark.anyio, pytest.mark.smoke]


def settings(folder: Path, *, accept_clock: bool = False) -> Settings:
    return Settings(data_dir=folder, port=0, schedule="always", accept_clock=accept_clock)


async def a_day_of_trading(folder: Path) -> None:
    async with open_venue(settings(folder), clock=Clock()):
        pass


async def readiness(url: str) -> dict[str, object]:
    async with AsyncHttpClient(base_url=url) as client:
        answer: dict[str, object] = (await client.get("/readyz")).json()
        return answer


async def test_a_start_behind_the_last_command_needs_an_operator_and_warns_while_stamped_time_is_ahead(
    tmp_path: Path,
) -> None:
    await a_day_of_trading(tmp_path)
    an_hour_ago = Clock(TEN_O_CLOCK_NS - HOUR_NS)
    with pytest.raises(ClockRefused, match=r"the last command was stamped 2023-12-01 10:00:00 .*--accept-clock"):
        async with open_venue(settings(tmp_path), clock=an_hour_ago):
            pass
    async with open_venue(settings(tmp_path, accept_clock=True), clock=an_hour_ago) as venue:
        found = await readiness(venue.url)
        assert found["status"] == "ready"
        assert "ahead of the clock" in str(found["warnings"])
    async with open_venue(settings(tmp_path), clock=Clock()) as venue:
        assert (await readiness(venue.url))["warnings"] == []


async def test_a_start_that_would_skip_a_trading_day_needs_an_operator(tmp_path: Path) -> None:
    await a_day_of_trading(tmp_path)  # on a Friday
    over_the_weekend = Clock(TEN_O_CLOCK_NS + 3 * 24 * HOUR_NS)
    async with open_venue(settings(tmp_path), clock=over_the_weekend) as venue:
        while venue.engine.trading_date != 20231204:
            await venue.projector.reached(venue.sequencer.last_seq + 1)
    a_week_later = Clock(TEN_O_CLOCK_NS + 7 * 24 * HOUR_NS)
    with pytest.raises(ClockRefused, match="from 20231204 to 20231208, skipping 20231205"):
        async with open_venue(settings(tmp_path), clock=a_week_later):
            pass
    async with open_venue(settings(tmp_path, accept_clock=True), clock=a_week_later) as venue:
        while venue.engine.trading_date != 20231208:
            await venue.projector.reached(venue.sequencer.last_seq + 1)


async def test_a_jump_stops_a_running_venue_and_the_next_start_carries_on(tmp_path: Path) -> None:
    clock, steady = Clock(), Clock(0)
    with pytest.RaisesGroup(
        pytest.RaisesExc(SequencerStopped, match="jumped forward by 400 days"), flatten_subgroups=True
    ):
        async with open_venue(settings(tmp_path), clock=clock, steady=steady) as venue:
            stood_at = venue.engine.trading_date, venue.sequencer.time_ns
            clock.now_ns += 400 * 24 * HOUR_NS
            async with AsyncHttpClient(base_url=venue.url) as client:
                key = venue.keys["operator"].key
                answer = await client.post(
                    "/v1/admin/accounts", json={"name": "late"}, headers={"authorization": f"Bearer {key}"}
                )
            assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
            await venue.sequencer.stop()
    assert stood_at[0] == 20231201
    async with open_venue(settings(tmp_path), clock=Clock()) as venue:
        assert (venue.engine.trading_date, venue.recovery.last_seq) == (stood_at[0], venue.engine.last_seq)
        assert venue.sequencer.time_ns in (0, stood_at[1])
