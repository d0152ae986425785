"""The dates of Lunar New Year that REX ships with, 2014 to 2035: a CSV file, checked when it is read.

Source: Hong Kong Observatory, Gregorian-Lunar Calendar Conversion Table 1901-2100
(https://www.hko.gov.hk/en/gts/time/conversion.htm). The table of the calendar is astronomy: it does not say on which days a
venue is closed, which a government publishes a year ahead.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from services.data.instruments import DataFileError

_SHIPPED = Path(__file__).with_name("lunar_new_year.csv")
_EARLIEST, _LATEST = (1, 21), (2, 21)
"""Month and day between which Lunar New Year falls in this and the next century."""


def load_lunar_new_years(path: Path = _SHIPPED) -> dict[int, date]:
    """The first day of the lunar year, by the Gregorian year in which it falls.

    The format: the header `date,source`, then one ISO date and its source a line, one a year. Raises DataFileError.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].strip() != "date,source":
        raise DataFileError(path, 1, "the first line must be: date,source")
    found: dict[int, date] = {}
    for number, line in enumerate(lines[1:], start=2):
        text, _, source = line.partition(",")
        try:
            day = date.fromisoformat(text.strip())
        except ValueError as error:
            raise DataFileError(path, number, f"{text.strip()!r} is not a date of the form 2027-02-06") from error
        if not _EARLIEST <= (day.month, day.day) <= _LATEST:
            raise DataFileError(path, number, f"Lunar New Year falls between 21 January and 21 February, not on {day}")
        if not source.strip():
            raise DataFileError(path, number, "no value for source")
        if day.year in found:
            raise DataFileError(path, number, f"{day.year} is listed twice")
        found[day.year] = day
    return found
