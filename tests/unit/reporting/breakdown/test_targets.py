from __future__ import annotations

from services.read_database.targets import TargetKey
from services.reporting.breakdown.contracts import Quantity
from services.reporting.breakdown.reading import Period
from services.reporting.breakdown.target_progress import Done
from services.reporting.breakdown.targets import done_by_day, in_scope, month_period
from services.reporting.breakdown.year_answers import compared_periods
from tests.unit.reporting.breakdown.products import INSTRUMENTS, MAGNET, OXIDE

TRADED = {
    (20230131, OXIDE): Quantity(1, 1_000, 100),
    (20230201, OXIDE): Quantity(1, 2_000, 200),
    (20230201, MAGNET): Quantity(1, 300, 30),
    (20230202, OXIDE): Quantity(1, 4_000, 400),
}


def test_the_instruments_of_a_scope() -> None:
    assert in_scope("venue", INSTRUMENTS) == in_scope("category:magnetic_material", INSTRUMENTS) == {OXIDE, MAGNET}
    assert in_scope("product:NDFEB-N35", INSTRUMENTS) == {MAGNET}
    assert in_scope("category:deep_processed", INSTRUMENTS) == in_scope("product:X", INSTRUMENTS) == frozenset()


def test_what_the_days_of_a_period_did() -> None:
    """Today is 2 February: its 400 are done, but not on a completed day."""

    def done(metric: str, month: int, *instruments: int) -> Done:
        return done_by_day(TargetKey("venue", metric, 2023, month), TRADED, instruments, 20230202)

    assert done("net_traded", 0, OXIDE, MAGNET) == done("delivered", 0, OXIDE, MAGNET) == Done(730, 330)
    assert done("net_traded", 2, OXIDE) == Done(600, 200)
    assert done("tonnes", 2, MAGNET) == Done(300, 300)
    assert done("tonnes", 3, OXIDE, MAGNET) == Done(0, 0)


def test_the_days_of_a_month() -> None:
    assert month_period(2023, 2) == Period(20230200, 20230299)
    assert month_period(2023, 0) == Period(20230000, 20239999)


def test_a_year_is_compared_with_the_same_part_of_the_year_before() -> None:
    assert compared_periods(2024, 20240630) == (Period(20240101, 20240630), Period(20230101, 20230630))
    assert compared_periods(2024, 20240229) == (Period(20240101, 20240229), Period(20230101, 20230228))
    assert compared_periods(2023, 20240630) == (Period(20230101, 20231231), Period(20220101, 20221231))
    assert compared_periods(2025, 20240630) is None
    assert compared_periods(2023, 0) is None
