"""The guarded clock: the jumps it refuses, measured against a clock that cannot be set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sequencer.clock import (
    MAX_JUMP_NS,
    ClockRefused,
    GuardedClock,
    ahead_of_server_ns,
    clock_apart,
    refuse_clock_apart,
    refuse_clock_behind,
    steady_ns,
    time_ahead,
)
from tests.unit.sequencer.venue import Clock

SECOND_NS = 10**9
HOUR_NS = 3_600 * SECOND_NS
NOW_NS = 1_701_396_000 * SECOND_NS  # 2023-12-01 10:00 in Shanghai


def clocks() -> tuple[Clock, Clock, GuardedClock]:
    wall, steady = Clock(NOW_NS), Clock(77)
    return wall, steady, GuardedClock(wall, steady)


@pytest.mark.parametrize(
    ("step_ns", "sentence"),
    [
        (MAX_JUMP_NS + 1, "jumped forward by 0:05:00"),
        (-MAX_JUMP_NS - 1, "jumped back by 0:05:00"),
        (HOUR_NS, "jumped forward by 1:00:00, to 2023-12-01 11:00:00"),
        (400 * 24 * HOUR_NS, "jumped forward by 400 days"),
        (-9 * HOUR_NS, "jumped back by 9:00:00, to 2023-12-01 01:00:00"),
    ],
)
def test_a_jump_is_refused_as_long_as_it_lasts(step_ns: int, sentence: str) -> None:
    wall, _, guarded = clocks()
    assert guarded() == NOW_NS
    wall.now_ns += step_ns
    for _ in range(2):
        with pytest.raises(ClockRefused, match=sentence):
            guarded()


@pytest.mark.parametrize("step_ns", [0, MAX_JUMP_NS, -MAX_JUMP_NS, SECOND_NS])
def test_what_a_time_service_sets_right_is_no_jump(step_ns: int) -> None:
    wall, _, guarded = clocks()
    wall.now_ns += step_ns
    assert guarded() == NOW_NS + step_ns


def test_time_that_passes_on_both_clocks_is_no_jump() -> None:
    """A venue that slept for a weekend, or whose clock was read once a day."""
    wall, steady, guarded = clocks()
    wall.now_ns += 60 * HOUR_NS
    steady.now_ns += 60 * HOUR_NS
    assert guarded() == NOW_NS + 60 * HOUR_NS


@given(drift_ppm=st.integers(-500, 500), days=st.integers(1, 400))
def test_a_clock_that_drifts_for_years_is_not_refused(drift_ppm: int, days: int) -> None:
    wall, steady, guarded = clocks()
    for _ in range(days):
        steady.now_ns += 24 * HOUR_NS
        wall.now_ns += 24 * HOUR_NS + 24 * HOUR_NS * drift_ppm // 10**6
        assert guarded() == wall.now_ns


@given(hours=st.lists(st.integers(0, 3), max_size=20), step_ns=st.integers(MAX_JUMP_NS + SECOND_NS, 10**18))
def test_a_jump_is_refused_however_long_the_venue_has_run(hours: list[int], step_ns: int) -> None:
    wall, steady, guarded = clocks()
    for passed in hours:
        wall.now_ns += passed * HOUR_NS
        steady.now_ns += passed * HOUR_NS
        guarded()
    wall.now_ns += step_ns
    with pytest.raises(ClockRefused):
        guarded()


def test_a_start_with_a_clock_behind_the_last_command() -> None:
    refuse_clock_behind(NOW_NS, 0)
    refuse_clock_behind(NOW_NS, NOW_NS + MAX_JUMP_NS)
    with pytest.raises(ClockRefused, match=r"2023-12-01 10:00:00 .* wrong by 1:00:00\. .*--accept-clock"):
        refuse_clock_behind(NOW_NS, NOW_NS + HOUR_NS)


def test_stamped_time_that_runs_ahead_is_worth_a_warning() -> None:
    assert time_ahead(NOW_NS, NOW_NS) == time_ahead(NOW_NS + SECOND_NS, NOW_NS) == time_ahead(0, NOW_NS) == []
    [warning] = time_ahead(NOW_NS + HOUR_NS, NOW_NS)
    assert "1:00:00 ahead of the clock" in warning
    assert "2023-12-01 11:00:00" in warning


def test_the_steady_clock_goes_on() -> None:
    first = steady_ns()
    assert steady_ns() >= first > 0


@pytest.mark.parametrize(
    ("server_ns", "ahead_ns"), [(100, 0), (150, 0), (200, 0), (99, 1), (201, -1), (-MAX_JUMP_NS, MAX_JUMP_NS + 100)]
)
def test_a_clock_is_ahead_of_a_server_by_what_the_answers_time_cannot_explain(server_ns: int, ahead_ns: int) -> None:
    assert ahead_of_server_ns(100, server_ns, 200) == ahead_ns


@pytest.mark.parametrize("sign", [1, -1])
def test_a_claim_is_refused_beyond_five_minutes_and_a_second_is_told(sign: int) -> None:
    refuse_clock_apart(sign * MAX_JUMP_NS)
    with pytest.raises(ClockRefused, match="one of the two is wrong"):
        refuse_clock_apart(sign * (MAX_JUMP_NS + 1))
    assert clock_apart(sign * SECOND_NS) == []
    assert clock_apart(sign * (SECOND_NS + 1)) != []
