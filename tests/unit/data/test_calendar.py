"""Trading days: the shipped file, an operator's file, and years that nobody has published."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from services.data.assumed_days import assumed_days
from services.data.calendar import TradingCalendar
from services.data.instruments import DataFileError

MONTHS_OF_2023 = [16, 20, 23, 19, 20, 20, 21, 23, 20, 17, 22, 21]


def write_year(path: Path, year: int, count: int = 240) -> Path:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(count)]
    path.write_text("\n".join(["date", *(day.isoformat() for day in days)]) + "\n")
    return path


def test_shipped_years() -> None:
    calendar = TradingCalendar.load()
    assert not any(calendar.assumed(year) for year in range(2014, 2027))
    assert calendar.assumed(2013)
    assert calendar.assumed(2027)
    days = calendar.days(2023)
    assert [sum(day.month == month for day in days) for month in range(1, 13)] == MONTHS_OF_2023
    assert list(days) == sorted(set(days))


def test_next_after_skips_holidays_and_crosses_years() -> None:
    calendar = TradingCalendar.load()
    assert calendar.next_after(date(2023, 9, 28)) == date(2023, 10, 9)
    assert calendar.next_after(date(2023, 10, 7)) == date(2023, 10, 9)
    assert calendar.next_after(date(2023, 12, 29)) == date(2024, 1, 2)
    assert calendar.next_after(date(2022, 12, 31)) == date(2023, 1, 3)


def test_is_trading_day() -> None:
    calendar = TradingCalendar.load()
    assert calendar.is_trading_day(date(2023, 10, 9))
    assert not calendar.is_trading_day(date(2023, 10, 7)), "a make-up Saturday is no trading day"
    assert not calendar.is_trading_day(date(2023, 1, 1))


def test_a_missing_year_is_assumed_and_says_so() -> None:
    calendar = TradingCalendar.load()
    days = calendar.days(2027)
    assert len(days) == 245
    assert {day.weekday() for day in days} == {0, 1, 2, 3, 4}
    assert calendar.next_after(date(2026, 12, 31)) == date(2027, 1, 4)
    assert calendar.is_trading_day(date(2027, 1, 4))


def test_a_published_year_tells_what_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    days = [day for day in assumed_days(2027) if day != date(2027, 5, 4)] + [date(2027, 2, 12)]
    path.write_text("date\n" + "\n".join(map(str, sorted(days))) + "\n")
    assert TradingCalendar.load(path).corrections() == [
        "The calendar of 2027 is published, 245 trading days. "
        "Of the assumed ones: 1 added (2027-02-12), 1 removed (2027-05-04)."
    ]
    assert TradingCalendar.load().corrections() == []


def test_an_operators_file_adds_and_replaces_years(tmp_path: Path) -> None:
    calendar = TradingCalendar.load(write_year(tmp_path / "days.csv", 2027))
    assert not calendar.assumed(2027)
    assert len(calendar.days(2027)) == 240
    assert len(calendar.days(2023)) == 242, "shipped years stay"
    corrected = TradingCalendar.load(write_year(tmp_path / "days.csv", 2023, 200))
    assert len(corrected.days(2023)) == 200


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1: the first line must be: date"),
        ("2027-01-04\n", "line 1: the first line must be: date"),
        ("date\n2027-01-04\n04.01.2027\n", "line 3: '04.01.2027' is not a date"),
        ("date\n2027-01-05\n2027-01-04\n", "line 3: 2027-01-04 does not come after 2027-01-05"),
        ("date\n2027-01-04\n2027-01-05\n", "2027 has only 2 trading days: give the whole year"),
    ],
)
def test_names_line_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "days.csv"
    path.write_text(text)
    with pytest.raises(DataFileError, match=reason):
        TradingCalendar.load(path)
