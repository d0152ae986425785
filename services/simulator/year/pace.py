"""How many commands a simulated day has: quotes make most of them, so they follow `--commands`; trades nearly do not.

From about 450,000 commands a year on, every maker renews its quotes in every instrument each slice. With fewer, instruments
take turns, one maker in each.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.simulator.year.day_shape import SLICES
from services.simulator.year.members import MAKERS

FEWEST_COMMANDS, MOST_COMMANDS = 50_000, 20_000_000
"""Bounds of the commands of a year."""

_TRADING = 19.0
"""Orders of a mean slice that trade at once or wait for a better price, if there are commands enough."""
_TRADING_PART = 0.35
_AUCTIONS = 2
_RENEWAL = 3
"""Commands that renew one pair of quotes: a mass cancel and two orders."""


@dataclass(frozen=True)
class YearPace:
    """Commands of a mean slice."""

    trading: float
    """Orders that are not quotes."""
    pairs: float
    """Pairs of quotes in each instrument that a slice renews; at least 1."""
    renewed: float
    """Instruments whose quotes a slice renews."""
    every_maker: bool
    """Whether all makers renew all quotes each slice."""

    slices_between: float
    """How many slices a quote must serve."""

    def order_fen(self, day_fen: float) -> float:
        """What a mean order is worth on a day of this turnover."""
        return day_fen / (SLICES * self.trading)


def make_pace(commands: int, days: int, instruments: int) -> YearPace:
    """The pace of a year of so many commands and trading days. Raises ValueError outside the bounds."""
    if not FEWEST_COMMANDS <= commands <= MOST_COMMANDS:
        raise ValueError(f"a simulated year has {FEWEST_COMMANDS:,} to {MOST_COMMANDS:,} commands, not {commands:,}")
    a_day = commands / days
    pairs = (a_day - (SLICES + _AUCTIONS) * _TRADING - SLICES * MAKERS) / (2 * instruments * (SLICES + 1))
    if pairs >= 1:
        return YearPace(_TRADING, pairs, instruments, True, 1.0)
    beside_opening = max(a_day - 2 * instruments, 0)
    trading = min(_TRADING, _TRADING_PART * beside_opening / (SLICES + _AUCTIONS))
    renewed = min(max(beside_opening - (SLICES + _AUCTIONS) * trading, 0) / (SLICES * _RENEWAL), instruments)
    return YearPace(trading, 1.0, renewed, False, min(instruments / max(renewed, 1e-9), SLICES))
