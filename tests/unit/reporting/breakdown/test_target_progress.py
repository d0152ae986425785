from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.target_progress import Done, measure_target

DAYS = (20230301, 20230302, 20230303, 20230306)


def test_a_month_of_tonnes_by_hand() -> None:
    """1,000 t over four days, on the third of them: two are completed with 400 t, today has 50 t.

    Pace 500 t, so 100 t behind; 550 t are missing, and 600 / 2 days are required a day.
    """
    found = measure_target(1_000_000, False, DAYS, Done(450_000, 400_000), today=20230303, born=20230101, adds_up=True)
    assert (found.stage, found.owed, found.days_total, found.days_completed, found.days_left) == (
        "running", 1_000_000, 4, 2, 2,
    )  # fmt: skip
    assert (found.pace, found.ahead, found.missing, found.required_per_day) == (500_000, -100_000, 550_000, 300_000)


def test_a_part_year_that_owes_a_part() -> None:
    """The venue opened on the second of four days: it owes three quarters, 75 of 100."""
    found = measure_target(100, True, DAYS, Done(0, 0), today=20230302, born=20230302, adds_up=True)
    assert (found.owed, found.days_total, found.required_per_day) == (75, 3, 25)
    assert measure_target(100, False, DAYS, Done(0, 0), today=20230302, born=20230302, adds_up=True).owed == 100


def test_stages() -> None:
    def stage(today: int, done: int, born: int = 20230101) -> str:
        return measure_target(10, False, DAYS, Done(done, done), today=today, born=born, adds_up=True).stage

    assert stage(20230228, 0) == "not_begun"
    assert stage(20230301, 9) == "running"
    assert stage(20230302, 10) == "reached"
    assert stage(20230306, 9) == "running"
    assert stage(20230307, 9) == "missed"
    assert stage(20230307, 10) == "reached"
    assert stage(20240102, 0, born=20240102) == "not_open"
    assert stage(0, 0, born=0) == "not_open"


def test_what_changed_hands_requires_nothing_a_day() -> None:
    """Its days do not add up. With today's trades it may be less: goods came back."""
    found = measure_target(100, False, DAYS, Done(30, 40), today=20230302, born=20230301, adds_up=False)
    assert (found.required_per_day, found.missing, found.ahead) == (None, 70, 15)


@given(st.integers(1, 10**15), st.integers(0, 10**15), st.sampled_from([0, *DAYS, 20230307]), st.sampled_from(DAYS))
def test_what_is_required_reaches_the_target_just(amount: int, done: int, today: int, born: int) -> None:
    found = measure_target(amount, False, DAYS, Done(done, done), today=today, born=born, adds_up=True)
    required, left = found.required_per_day, found.days_left
    assert found.days_completed + left == found.days_total
    if required is None:
        assert left == 0
    else:
        assert done + required * left >= amount
        assert required == 0 or done + (required - 1) * left < amount
