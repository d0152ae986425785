"""The live traders of a demo trade at the mission's size, however many orders they place: days without a wall clock."""

from __future__ import annotations

import pytest

from matching_engine.records import EventKind
from services.simulator.accounts import VALUE_SHARE_BP
from services.simulator.pace import DAY_SECONDS, PLAN_DAY_FEN, Pace
from services.venue.settings import Settings
from tests.integration.simulated_day import SimulatedDay
from tests.long import some

pytestmark = pytest.mark.rig

DEFAULT = Settings.model_fields["demo_rate"].default, Settings.model_fields["demo_pace"].default


def of_the_plan(day: SimulatedDay, seconds: float) -> float:
    """What 24 hours of this turnover are worth, in days of the plan."""
    return day.turnover_fen * DAY_SECONDS / seconds / PLAN_DAY_FEN


@pytest.mark.long
def test_a_whole_day_of_24_hours_is_worth_about_a_day_of_the_plan() -> None:
    """With fewer orders than a demo has, so that the test is short: the turnover does not depend on their number."""
    day = SimulatedDay(Pace(0.15, DEFAULT[1]), seed=7)
    day.run(DAY_SECONDS)
    assert 0.5 < of_the_plan(day, DAY_SECONDS) < 2
    assert day.turnover_fen == pytest.approx(Pace(*DEFAULT).day_fen, rel=0.2)
    of_all = sum(day.traded.values())
    favoured = sum(fen for symbol, fen in day.traded.items() if symbol.startswith(("NDFEB", "PRND", "SMCO")))
    assert favoured / of_all == pytest.approx(0.91, abs=0.05)
    assert len(day.traded) > len(VALUE_SHARE_BP) * 3 // 4
    assert day.kinds[EventKind.REJECTED] * 100 < day.kinds[EventKind.ACCEPTED]


def test_the_default_rate_shows_several_orders_a_second_at_about_that_size() -> None:
    """Ten minutes have about 25 trades, and a single lot may be worth half of them: so the bounds are wide."""
    day, seconds = SimulatedDay(Pace(*DEFAULT), seed=7), 600
    day.run(seconds)
    assert 10 < day.kinds[EventKind.ACCEPTED] / seconds < 30
    assert 0.2 < of_the_plan(day, seconds) < 4
    assert day.kinds[EventKind.TRIGGERED] * 5 < day.kinds[EventKind.TRADE]  # stops add little to what takers take


def test_a_compressed_day_trades_as_much_as_it_says() -> None:
    pace, seconds = Pace(100, 1_000), 60
    day = SimulatedDay(pace, seed=7)
    day.run(seconds)
    assert of_the_plan(day, seconds) == pytest.approx(1_000, rel=0.3)


@pytest.mark.parametrize(
    ("rate", "plan_days", "seconds", "seed"),
    some([(20, 1_000, 200, 7), (20, 1_000, 200, 8), (1, 100, 5_000, 7), (1, 1_000, 5_000, 7)]),
)
def test_a_pace_for_which_orders_must_grow_trades_as_much_as_it_says(
    rate: float, plan_days: float, seconds: float, seed: int
) -> None:
    """Quotes grow with what takers take: otherwise these would find 0.39 to 0.76 of what they want."""
    pace = Pace(rate, plan_days)
    assert pace.carried
    day = SimulatedDay(pace, seed)
    assert pace.times(sum(pace.weights(day.view.trading()))) > 3
    day.run(seconds)
    assert of_the_plan(day, seconds) == pytest.approx(plan_days, rel=0.2)
    assert 0.8 < day.kinds[EventKind.ACCEPTED] / seconds / rate < 1.2
    assert day.kinds[EventKind.REJECTED] * 100 < day.kinds[EventKind.ACCEPTED]


def test_a_demo_says_what_it_trades_and_whether_time_is_compressed() -> None:
    assert Pace(20, 1.5).lines() == (
        "about 20 orders a second",
        "about ¥ 143 m in 24 hours, 1.5 × the plan's ¥ 95.0 m a day",
        "no time compression; `rex demo --pace 100` is a livelier market",
    )
    assert Pace(20, 10).lines()[2] == "time compressed: 10 days of the plan in 24 hours"


def test_the_same_seed_makes_the_same_day() -> None:
    one, two, other = (SimulatedDay(Pace(20, 300), seed) for seed in (3, 3, 4))
    for day in (one, two, other):
        day.run(20)
    assert one.engine.state_hash() == two.engine.state_hash() != other.engine.state_hash()
