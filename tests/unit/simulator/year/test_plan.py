"""The plan of a simulated year: shares of the target, seasons, and how many commands a day has."""

from __future__ import annotations

from datetime import date
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.data.calendar import TradingCalendar
from services.simulator.year import day_shape
from services.simulator.year.day_shape import SLICES
from services.simulator.year.pace import FEWEST_COMMANDS, MOST_COMMANDS, make_pace
from services.simulator.year.plan import YearPlan, make_plan
from tests.long import examples

CALENDAR = TradingCalendar.load()
TARGET_FEN = 2_346_000_000_000


def plan_of(seed: int = 7, year: int = 2023) -> YearPlan:
    return make_plan(year, seed, CALENDAR, TARGET_FEN)


@given(seed=st.integers(0, 50), misses=st.lists(st.floats(0.5, 1.5), min_size=242, max_size=242))
@settings(deadline=None, max_examples=examples(20))
def test_whatever_days_miss_of_their_budgets_the_last_day_makes_up(seed: int, misses: list[float]) -> None:
    plan, done_fen = plan_of(seed), 0
    for day, miss in enumerate(misses[:-1]):
        done_fen += round(plan.budget_fen(day, done_fen) * miss)
    left_fen = TARGET_FEN - done_fen
    assert plan.budget_fen(241, done_fen) == max(left_fen, 0)


def test_the_plan_of_all_days_is_the_target_and_budgets_follow_it() -> None:
    plan = plan_of()
    assert plan.due_fen(len(plan.days)) == TARGET_FEN
    done_fen = 0
    for day in range(len(plan.days)):
        done_fen += plan.budget_fen(day, done_fen)
        assert abs(done_fen - plan.due_fen(day + 1)) <= day + 1  # fen, of rounding


def test_seasons_show_in_the_budgets() -> None:
    plan = plan_of()
    by_day = dict(zip(plan.days, plan.weights, strict=True))
    usual = median(plan.weights)
    around_new_year = [by_day[day] for day in plan.days if date(2023, 1, 12) <= day <= date(2023, 2, 6)]
    assert median(around_new_year) < 0.75 * usual
    assert median(plan.weights[day] for day in plan.story.crash) > 1.3 * usual
    assert median(plan.weights[-8:]) > 1.2 * usual
    assert [plan.days[day].month for day in (plan.story.crash[0], plan.story.bust, plan.story.outage)] == [4, 5, 6]
    assert len(plan.story.ring) == 15


def test_a_year_beyond_the_lunar_tables_has_no_lunar_new_year() -> None:
    plan = plan_of(year=2050)
    assert len(plan.days) == 251
    assert plan.due_fen(251) == TARGET_FEN


def test_another_seed_makes_another_year() -> None:
    assert plan_of(7) == plan_of(7)
    assert plan_of(7).weights != plan_of(8).weights


def test_the_slices_of_a_day_trade_all_that_it_lacks() -> None:
    left = 1 - day_shape.OPENING_SHARE
    for number in range(SLICES):
        left -= left * day_shape.share_of_rest(number)
    assert left == pytest.approx(day_shape.CLOSING_SHARE)


@given(commands=st.integers(FEWEST_COMMANDS, MOST_COMMANDS), days=st.integers(240, 262))
def test_a_pace_adds_up_to_its_commands(commands: int, days: int) -> None:
    pace = make_pace(commands, days, 32)
    quoting = 2 * 32 * pace.pairs if pace.every_maker else 3 * pace.renewed
    opening = 2 * 32 * pace.pairs
    total = days * (opening + SLICES * (quoting + 6 * pace.every_maker) + (SLICES + 2) * pace.trading)
    assert pace.pairs >= 1
    # Below, the opening quotes alone are as many as the commands of the year; beside them is room for little.
    assert total == pytest.approx(commands, rel=0.02) or not pace.every_maker
    assert total <= commands * 1.02


@pytest.mark.parametrize("commands", [FEWEST_COMMANDS - 1, MOST_COMMANDS + 1])
def test_a_number_of_commands_out_of_bounds_is_refused(commands: int) -> None:
    with pytest.raises(ValueError, match="commands, not"):
        make_pace(commands, 242, 32)
