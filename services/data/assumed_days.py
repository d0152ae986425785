"""The trading days of a year whose calendar is not published: weekdays less the holidays that such years have had.

An assumption, and every figure that rests on it says so. The government publishes a year's holidays the November before, with
working weekends and longer holidays that no rule foresees. Held against the published years 2014 to 2026 the rules below are
off by 3 trading days at most, and by 1.3 in the mean; plain weekdays are off by 16 to 19.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path

from services.data.instruments import DataFileError
from services.data.lunar_new_year import load_lunar_new_years

_FESTIVALS = Path(__file__).with_name("lunar_festivals.csv")
_EVE, _AFTER = 1, 6
"""The holiday of Lunar New Year begins so many days before it, and ends so many after."""
_LABOUR, _NATIONAL = range(1, 4), range(1, 8)
"""Days of May, and of October."""
_SATURDAY, _TUESDAY, _THURSDAY = 5, 1, 3


@lru_cache(maxsize=16)
def assumed_days(year: int) -> tuple[date, ...]:
    """The year's assumed trading days, ascending. Beyond the tables, 2014 to 2035, no lunar holiday is known."""
    closed = set(_closed(year))
    first = date(year, 1, 1)
    every_day = (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))
    return tuple(day for day in every_day if day.weekday() < _SATURDAY and day not in closed)


def _closed(year: int) -> Iterator[date]:
    yield from _with_monday(date(year, 1, 1))
    yield from (date(year, 5, day) for day in _LABOUR)
    yield from (date(year, 10, day) for day in _NATIONAL)
    lunar_new_year = _lunar_new_years().get(year)
    if lunar_new_year is not None:
        yield from (lunar_new_year + timedelta(days=n) for n in range(-_EVE, _AFTER + 1))
    for festival in (tomb_sweeping_day(year), *load_festivals().get(year, ())):
        yield from _with_bridge(festival)


def tomb_sweeping_day(year: int) -> date:
    """The solar term Qingming, 4 or 5 April: the usual formula for the years 2000 to 2099."""
    of_century = year % 100
    return date(year, 4, (of_century * 2422 + 48100) // 10_000 - of_century // 4)


def _with_monday(holiday: date) -> Iterator[date]:
    """A holiday at a weekend is made up for on the Monday after it."""
    yield holiday
    if holiday.weekday() >= _SATURDAY:
        yield holiday + timedelta(days=7 - holiday.weekday())


def _with_bridge(festival: date) -> Iterator[date]:
    """The day between a festival and a weekend is closed too; a working weekend makes up for it, without trading."""
    yield from _with_monday(festival)
    if festival.weekday() == _TUESDAY:
        yield festival - timedelta(days=1)
    if festival.weekday() == _THURSDAY:
        yield festival + timedelta(days=1)


@cache
def _lunar_new_years() -> dict[int, date]:
    return load_lunar_new_years()


@cache
def load_festivals(path: Path = _FESTIVALS) -> dict[int, tuple[date, ...]]:
    """Dragon Boat (5th day of the 5th lunar month) and Mid-Autumn (15th of the 8th), by year. Raises DataFileError."""
    found: dict[int, tuple[date, ...]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:], start=2):
        try:
            day = date.fromisoformat(line.partition(",")[0])
        except ValueError as error:
            raise DataFileError(path, number, f"{line!r} does not begin with a date") from error
        found[day.year] = (*found.get(day.year, ()), day)
    return found
