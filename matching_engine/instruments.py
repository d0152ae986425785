"""What is listed: each instrument's terms, its phase, the edges of its daily price band and its day so far.

An instrument follows the schedule's phase unless an operator has halted it; a halt outlives changes of phase. What the
schedule and the operator said last about *all* instruments is kept too: an instrument listed later begins with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cython

from matching_engine.pools import rows

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.limits import MAX_INSTRUMENTS
    from matching_engine.records import MAX_PRICE_TICKS, Phase


@dataclass(slots=True)
class Instrument:
    """One instrument. `day_lots` and `day_amount_fen` are the volume and turnover since the last day roll."""

    LAYOUT: ClassVar[str] = "i8 i8 i8 i8 i8 i8 i8 u4 u1 u1 u2"

    tick_value_fen: int = 0
    reference_ticks: int = 0
    low_ticks: int = 0
    high_ticks: int = 0
    max_quantity_lots: int = 0
    day_lots: int = 0
    day_amount_fen: int = 0
    band_ppm: int = 0
    phase: int = 0
    halted: int = 0
    unused: int = 0


class Instruments:
    """The instruments from 0 to `count` - 1; there is room for MAX_INSTRUMENTS."""

    def __init__(self) -> None:
        self.count = 0
        self.venue_phase = 0  # CLOSED
        self.venue_halted = 0
        self.rows = rows(Instrument, MAX_INSTRUMENTS)

    def add(self, tick_value_fen: int, reference_ticks: int, band_ppm: int, max_quantity_lots: int) -> int:
        """Lists an instrument and returns its number."""
        number = self.count
        self.count = number + 1
        self.rows[number].tick_value_fen = tick_value_fen
        self.rows[number].band_ppm = band_ppm
        self.rows[number].max_quantity_lots = max_quantity_lots
        self.rows[number].phase = self.venue_phase
        self.rows[number].halted = self.venue_halted
        self._set_reference(number, reference_ticks)
        return number

    # Phases

    def phase(self, instrument: int) -> int:
        """The phase an instrument is in: HALTED, or else the schedule's."""
        return Phase.HALTED if self.rows[instrument].halted else self.rows[instrument].phase

    def venue(self) -> int:
        """The phase an instrument would begin in if it were listed now."""
        return Phase.HALTED if self.venue_halted else self.venue_phase

    def set_phase(self, instrument: int, phase: int) -> None:
        """The schedule's phase of one instrument."""
        self.rows[instrument].phase = phase

    def set_all_phases(self, phase: int) -> None:
        """The schedule's phase of all, and of those listed later."""
        self.venue_phase = phase
        for i in range(self.count):
            self.rows[i].phase = phase

    def set_halted(self, instrument: int, halted: bool) -> None:
        """An operator halts or resumes one instrument."""
        self.rows[instrument].halted = halted

    def set_all_halted(self, halted: bool) -> None:
        """An operator halts or resumes all, and those listed later."""
        self.venue_halted = halted
        for i in range(self.count):
            self.rows[i].halted = halted

    # Days

    def settle(self, instrument: int) -> int:
        """Ends an instrument's day; returns its settlement price in ticks, the reference of the new day's band.

        It is the day's volume-weighted average price, half up to the tick, or the previous one where nothing traded.
        """
        row = self.rows[instrument]
        reference = row.reference_ticks
        if row.day_lots > 0:
            # Lots × tick value is at most the day's turnover, as no price is below one tick: 64 bits hold it.
            tick_fen = row.day_lots * row.tick_value_fen
            rest = row.day_amount_fen % tick_fen
            reference = row.day_amount_fen // tick_fen + (1 if rest >= tick_fen - rest else 0)
        self._set_reference(instrument, reference)
        self.rows[instrument].day_lots = 0
        self.rows[instrument].day_amount_fen = 0
        return reference

    def _set_reference(self, instrument: int, reference_ticks: int) -> None:
        # The edges of `records.band`; no price above MAX_PRICE_TICKS is taken. Reference × 2,000,000 is below 2^52.
        self.rows[instrument].reference_ticks = reference_ticks
        rate = self.rows[instrument].band_ppm
        low = (reference_ticks * (1_000_000 - rate) + 999_999) // 1_000_000
        high = reference_ticks * (1_000_000 + rate) // 1_000_000
        self.rows[instrument].low_ticks = low if low > 1 else 1
        self.rows[instrument].high_ticks = high if high < MAX_PRICE_TICKS else MAX_PRICE_TICKS
