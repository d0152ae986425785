"""The day that simulated members trade: two auctions and twenty slices of fifteen minutes, and the share of turnover in each.

The times are those of the schedule `exchange` (services/sequencer/schedule.py); the shares are assumptions of this project.
"""

from __future__ import annotations

from datetime import date

SLICES = 20
SLICE_NS = 15 * 60 * 10**9

SECOND_NS = 10**9
_MINUTE_NS = 60 * SECOND_NS
_SHANGHAI_NS = 8 * 60 * _MINUTE_NS
_DAY_NS = 24 * 60 * _MINUTE_NS
_FIRST_DAY = date(1970, 1, 1).toordinal()
_MORNING_SLICES = 10

FIRST_START = (7, 30)
"""When the venue is made, on the first day: hour and minute."""
BEFORE_TRADING = (8, 0)
"""When operators book receipts and money."""
OPENING_AUCTION, CLOSING_AUCTION = (8, 56), (16, 1)
"""When members enter the orders of the two auctions."""
END_OF_DAY = (17, 0)

OPENING_SHARE, CLOSING_SHARE = 0.03, 0.04
"""The auctions' shares of a day's turnover."""

_SLICE_WEIGHTS = (
    2.1, 1.5, 1.2, 1.0, 0.9, 0.8, 0.75, 0.7, 0.7, 0.8,
    1.0, 0.8, 0.7, 0.7, 0.75, 0.8, 0.9, 1.1, 1.4, 2.1,
)  # fmt: skip
_MEAN = sum(_SLICE_WEIGHTS) / SLICES
INTENSITY = tuple(weight / _MEAN for weight in _SLICE_WEIGHTS)
"""The turnover of each slice, compared with the mean slice: most after the opening and before the close."""


def at(day: date, clock: tuple[int, int]) -> int:
    """A time of this day in Shanghai (hour, minute), in nanoseconds since 1970."""
    hour, minute = clock
    return (day.toordinal() - _FIRST_DAY) * _DAY_NS + (hour * 60 + minute) * _MINUTE_NS - _SHANGHAI_NS


def slice_start(day: date, number: int) -> int:
    """When a slice begins, in nanoseconds since 1970: ten from 09:00 on, ten from 13:30 on."""
    if number < _MORNING_SLICES:
        return at(day, (9, 0)) + number * SLICE_NS
    return at(day, (13, 30)) + (number - _MORNING_SLICES) * SLICE_NS


def share_of_rest(number: int) -> float:
    """The share of the turnover that the day still lacks which this slice is to trade; the closing auction keeps its own."""
    rest = sum(INTENSITY[number:]) / SLICES * (1 - OPENING_SHARE - CLOSING_SHARE) + CLOSING_SHARE
    return INTENSITY[number] / SLICES * (1 - OPENING_SHARE - CLOSING_SHARE) / rest
