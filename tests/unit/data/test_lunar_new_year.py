"""The table of Lunar New Year: checked against the moon and against the shipped trading calendar, which know nothing of it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from services.data.calendar import TradingCalendar
from services.data.instruments import DataFileError
from services.data.lunar_new_year import load_lunar_new_years

DATES = load_lunar_new_years()


def test_the_table_has_each_year_from_2014_to_2035() -> None:
    assert list(DATES) == list(range(2014, 2036))


def test_each_date_is_near_a_new_moon() -> None:
    """A mean lunation is 29.530589 days. One began on 7 January 2000 at 02:14 in China, 0.09 of a day. The true moon is within
    0.6 days of the mean one, and noon of a date within half a day of any hour of it."""
    for day in DATES.values():
        age = ((day - date(2000, 1, 7)).days + 0.5 - 0.09) % 29.530589
        assert min(age, 29.530589 - age) < 1.1, day


@pytest.mark.parametrize("year", range(2014, 2027))
def test_the_venue_is_closed_for_a_week_around_it(year: int) -> None:
    days = TradingCalendar.load().days(year)
    holiday = DATES[year]
    before = max(day for day in days if day < holiday)
    after = min(day for day in days if day > holiday)
    assert holiday not in days
    assert timedelta(days=8) <= after - before <= timedelta(days=11)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "the first line must be"),
        ("date\n2027-02-06\n", 1, "the first line must be"),
        ("date,source\n6 February,almanac\n", 2, "is not a date"),
        ("date,source\n2027-03-06,almanac\n", 2, "between 21 January and 21 February"),
        ("date,source\n2027-02-06,\n", 2, "no value for source"),
        ("date,source\n2027-02-06,almanac\n2027-02-07,almanac\n", 3, "listed twice"),
    ],
)
def test_a_bad_line_is_refused_by_file_line_and_reason(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = tmp_path / "dates.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataFileError, match=rf"dates.csv, line {line}: .*{reason}"):
        load_lunar_new_years(path)
