"""The assumed calendar, held against every year that was published."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from services.data.assumed_days import assumed_days, load_festivals, tomb_sweeping_day
from services.data.calendar import TradingCalendar
from services.data.instruments import DataFileError
from services.data.lunar_new_year import load_lunar_new_years

CALENDAR = TradingCalendar.load()
PUBLISHED = range(2014, 2027)


def test_no_published_year_is_off_by_more_than_three_days() -> None:
    off = [abs(len(assumed_days(year)) - len(CALENDAR.days(year))) for year in PUBLISHED]
    assert max(off) <= 3
    assert sum(off) == 17


def test_2023_is_assumed_to_the_day() -> None:
    assert assumed_days(2023) == CALENDAR.days(2023)


@pytest.mark.parametrize("year", PUBLISHED)
def test_no_festival_of_the_tables_was_ever_traded(year: int) -> None:
    lunar_new_year = load_lunar_new_years()[year]
    for festival in (
        lunar_new_year,
        lunar_new_year + timedelta(days=1),
        tomb_sweeping_day(year),
        *load_festivals()[year],
    ):
        assert not CALENDAR.is_trading_day(festival), festival


def test_2027_has_as_many_days_as_a_real_year() -> None:
    days = assumed_days(2027)
    assert len(days) == 245
    closed = {
        date(2027, 1, 1),
        date(2027, 2, 5),
        date(2027, 2, 12),
        date(2027, 4, 5),
        date(2027, 5, 3),
        date(2027, 6, 9),
    }
    assert closed.isdisjoint(days)
    assert {date(2027, 1, 4), date(2027, 2, 4), date(2027, 2, 15), date(2027, 10, 8)} <= set(days)


def test_beyond_the_tables_the_fixed_holidays_remain() -> None:
    assert 2050 not in load_festivals()
    assert date(2050, 10, 3) not in assumed_days(2050)
    assert len(assumed_days(2050)) > 245


def test_a_bad_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "festivals.csv"
    path.write_text("date,festival\n2027-06-09,dragon boat\nJune,mid-autumn\n")
    with pytest.raises(DataFileError, match=r"festivals.csv.*3.*'June,mid-autumn' does not begin with a date"):
        load_festivals(path)
