from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.read_model.targets import TargetKey
from services.reporting.breakdown.reading import DaySums, Period
from services.reporting.breakdown.targets import Done, TargetLine, done_by_day, in_scope, measure_target, month_period
from tests.unit.reporting.breakdown.products import INSTRUMENTS, MAGNET, OXIDE

TRADED = [
    DaySums(20230131, OXIDE, 1_000, 100),
    DaySums(20230201, OXIDE, 2_000, 200),
    DaySums(20230201, MAGNET, 300, 30),
    DaySums(20230202, OXIDE, 4_000, 400),
]


def test_the_instruments_of_a_scope() -> None:
    assert in_scope("venue", INSTRUMENTS) == in_scope("category:magnetic_material", INSTRUMENTS) == {OXIDE, MAGNET}
    assert in_scope("product:NDFEB-N35", INSTRUMENTS) == {MAGNET}
    assert in_scope("category:deep_processed", INSTRUMENTS) == in_scope("product:X", INSTRUMENTS) == frozenset()


def test_what_the_days_of_a_period_did() -> None:
    """Today is 2 February: its 400 are done, but not on a completed day."""

    def done(metric: str, month: int, *instruments: int) -> Done:
        return done_by_day(TargetKey("venue", metric, 2023, month), TRADED, frozenset(instruments), 20230202)

    assert done("net_traded", 0, OXIDE, MAGNET) == done("delivered", 0, OXIDE, MAGNET) == Done(730, 330)
    assert done("net_traded", 2, OXIDE) == Done(600, 200)
    assert done("tonnes", 2, MAGNET) == Done(300, 300)
    assert done("tonnes", 3, OXIDE, MAGNET) == Done(0, 0)


def test_the_days_of_a_month() -> None:
    assert month_period(2023, 2) == Period(20230200, 20230299)
    assert month_period(2023, 0) == Period(20230000, 20239999)


DAYS = (20230301, 20230302, 20230303, 20230306)


def measured(
    amount: int, done: Done, *, today: int, first_trading_date: int, pro_rata: bool = False, metric: str = "net_traded"
) -> TargetLine:
    row: dict[str, Any] = {"scope": "venue", "metric": metric, "month": 3, "name": "Li Na", "seq": 7}
    return measure_target(
        row | {"amount": amount, "pro_rata": pro_rata}, DAYS, done, today=today, first_trading_date=first_trading_date
    )


def test_a_month_of_tonnes_by_hand() -> None:
    """1,000 t over four days, on the third of them: two are completed with 400 t, today has 50 t.

    Pace 500 t, so 100 t behind; 550 t are missing, and 600 / 2 days are required a day.
    """
    found = measured(1_000_000, Done(450_000, 400_000), today=20230303, first_trading_date=20230101, metric="tonnes")
    assert (found.stage, found.target, found.days_total, found.days_completed, found.days_left) == (
        "running", 1_000_000, 4, 2, 2,
    )  # fmt: skip
    assert (found.pace, found.ahead, found.missing, found.required_per_day) == (500_000, -100_000, 550_000, 300_000)
    assert found.model_dump() == {
        "scope": "venue", "metric": "tonnes", "month": 3, "name": "Li Na", "seq": 7, "stage": "running", "target": "1000.000",
        "done": "450.000", "share": "0.450000", "missing": "550.000", "days_total": 4, "days_completed": 2, "days_left": 2,
        "pace": "500.000", "ahead": "-100.000", "required_per_day": "300.000",
    }  # fmt: skip


def test_a_part_year_that_owes_a_part() -> None:
    """The venue opened on the second of four days: it owes three quarters, 75 of 100."""
    found = measured(100, Done(0, 0), today=20230302, first_trading_date=20230302, pro_rata=True)
    assert (found.target, found.days_total, found.required_per_day) == (75, 3, 25)
    assert measured(100, Done(0, 0), today=20230302, first_trading_date=20230302).target == 100


def test_stages() -> None:
    def stage(today: int, done: int, first_trading_date: int = 20230101) -> str:
        return measured(10, Done(done, done), today=today, first_trading_date=first_trading_date).stage

    assert stage(20230228, 0) == "not_begun"
    assert stage(20230301, 9) == "running"
    assert stage(20230302, 10) == "reached"
    assert stage(20230306, 9) == "running"
    assert stage(20230307, 9) == "missed"
    assert stage(20230307, 10) == "reached"
    assert stage(20240102, 0, first_trading_date=20240102) == "not_open"
    assert stage(0, 0, first_trading_date=0) == "not_open"


def test_what_changed_hands_requires_nothing_a_day() -> None:
    """Its days do not add up. With today's trades it may be less: goods came back."""
    found = measured(100, Done(30, 40), today=20230302, first_trading_date=20230301, metric="changed_hands")
    assert (found.required_per_day, found.missing, found.ahead) == (None, 70, 15)
    shown = found.model_dump()
    assert (shown["required_per_day"], shown["missing"], shown["ahead"]) == (None, "0.70", "0.15")


@given(st.integers(1, 10**15), st.integers(0, 10**15), st.sampled_from([0, *DAYS, 20230307]), st.sampled_from(DAYS))
def test_what_is_required_reaches_the_target_just(amount: int, done: int, today: int, first_trading_date: int) -> None:
    found = measured(amount, Done(done, done), today=today, first_trading_date=first_trading_date)
    required, left = found.required_per_day, found.days_left
    assert found.days_completed + left == found.days_total
    if required is None:
        assert left == 0
    else:
        assert done + required * left >= amount
        assert required == 0 or done + (required - 1) * left < amount
