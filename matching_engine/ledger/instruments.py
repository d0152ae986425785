"""The listed instruments: the terms of each, its phase, the limits of its daily price band and its volume of the day.

An instrument is in the schedule's phase unless an operator has halted it or a volatility auction is running; a halt outlives
changes of phase. The last phase and halt set for *all* instruments are kept: an instrument listed later begins with them. A
delisted instrument stays in the phase DELISTED.
"""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.ledger.phases import phase_rules
from matching_engine.pools import rows
from matching_engine.records import I64, U8, U32, U64

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.limits import MAX_INSTRUMENTS
    from matching_engine.records import (
        MAX_PRICE_TICKS,
        STANDING_QUOTES_NS,
        VWAP_LOTS,
        Phase,
        Reason,
        SettlementSource,
    )

    MILLION = 1_000_000
    SECOND_NS = 1_000_000_000
    LAST_NS = 2**63 - 1
    FIRST_NS = -(2**63)

    def instrument_at(row: Instrument) -> Instrument:
        """A row of a pool for reading and writing: its address in C, the row itself here."""
        return row


@dataclass(slots=True)
class Instrument:
    """An instrument. `day_lots` and `day_amount_fen` are its volume and turnover since the last day roll; `phase_before` is the
    phase in force before the present command; `touched_seq` is the last command with an INDICATIVE event of the instrument.
    For the settlement price (rulebook 4.10): `best_buy_ticks` and `best_sell_ticks` are the best prices (0: none) after the
    last command of continuous trading, and `quotes_since_ns` the time since which both stand; `quotes_until_ns` is when
    continuous trading last ended. `closing_seq` is the command of the last uncrossing, 0 if continuous trading followed it.
    `closing_ticks` and `source` are set during a day roll.
    `enforce` derives three fields: `in_force` is the phase in force, `refusal` the reason why it refuses orders (NONE: it
    accepts them), `trades` whether orders trade in it. The first 64 bytes are what most commands read."""

    phase: U8 = 0
    halted: U8 = 0
    in_auction: U8 = 0
    phase_before: U8 = 0
    in_force: U8 = 0
    refusal: U8 = 0
    trades: U8 = 0
    source: U8 = 0
    tick_value_fen: I64 = 0
    low_ticks: I64 = 0
    high_ticks: I64 = 0
    max_quantity_lots: I64 = 0
    best_buy_ticks: I64 = 0
    best_sell_ticks: I64 = 0
    collar_ppm: U32 = 0
    volatility_ppm: U32 = 0
    day_lots: I64 = 0
    day_amount_fen: I64 = 0
    reference_ticks: I64 = 0
    quotes_since_ns: I64 = 0
    quotes_until_ns: I64 = 0
    closing_seq: U64 = 0
    closing_ticks: I64 = 0
    auction_ends_ns: I64 = 0
    touched_seq: U64 = 0
    band_ppm: U32 = 0
    auction_s: U32 = 0


def highest_ticks(anchor_ticks: int, rate_ppm: int) -> int:
    """The highest price within a rate (ppm) of an anchor price. No overflow: a price × 2,000,000 is below 2^52."""
    high = anchor_ticks * (MILLION + rate_ppm) // MILLION
    return high if high < MAX_PRICE_TICKS else MAX_PRICE_TICKS


def lowest_ticks(anchor_ticks: int, rate_ppm: int) -> int:
    """The lowest price within a rate (ppm) of an anchor price."""
    low = (anchor_ticks * (MILLION - rate_ppm) + MILLION - 1) // MILLION
    return low if low > 1 else 1


class Instruments:
    """The instruments 0 to `count` - 1; there is room for MAX_INSTRUMENTS."""

    def __init__(self) -> None:
        self.count = 0
        self.venue_phase = 0  # CLOSED
        self.venue_halted = 0
        self.rules = phase_rules()
        self.rows = rows(Instrument, MAX_INSTRUMENTS)

    def add(self, tick_value_fen: int, reference_ticks: int, band_ppm: int, max_quantity_lots: int) -> int:
        """Lists an instrument and returns its number."""
        number = self.count
        self.count = number + 1
        self.rows[number].tick_value_fen = tick_value_fen
        self.rows[number].band_ppm = band_ppm
        self.rows[number].max_quantity_lots = max_quantity_lots
        self.rows[number].phase = self.venue_phase
        self.set_halted(number, self.venue_halted != 0)
        self.set_reference(number, reference_ticks)
        return number

    def set_band(self, instrument: int, band_ppm: int) -> None:
        """Sets the daily band. The limits of the present day follow from it."""
        self.rows[instrument].band_ppm = band_ppm
        self.set_reference(instrument, self.rows[instrument].reference_ticks)

    def refusal(self, instrument: int) -> int:
        """Why a command about this one instrument is refused: it is not listed, or not any more; NONE if it is."""
        if instrument >= self.count:
            return Reason.UNKNOWN_INSTRUMENT
        return Reason.NO_LONGER_LISTED if self.is_delisted(instrument) else Reason.NONE

    # Phases

    def is_delisted(self, instrument: int) -> bool:
        """Whether the instrument was delisted."""
        return self.rows[instrument].phase == Phase.DELISTED

    def delist(self, instrument: int) -> None:
        """Delists an instrument: its halt and its volatility auction end, and no phase follows."""
        self.rows[instrument].halted = 0
        self.set_phase(instrument, Phase.DELISTED)

    def phase(self, instrument: int) -> int:
        """The phase in force: HALTED, otherwise CALL_AUCTION during a volatility auction, otherwise the schedule's phase."""
        return self.rows[instrument].in_force

    def initial_phase(self) -> int:
        """The phase in which an instrument would begin if it were listed now."""
        return Phase.HALTED if self.venue_halted else self.venue_phase

    def note_phases(self) -> None:
        """Stores the phases in force in `phase_before`, before a command changes them."""
        for i in range(self.count):
            self.rows[i].phase_before = self.phase(i)

    def set_phase(self, instrument: int, phase: int) -> None:
        """Sets the schedule's phase of one instrument, and ends its volatility auction."""
        self.rows[instrument].phase = phase
        self.end_auction(instrument)

    def set_all_phases(self, phase: int) -> None:
        """Sets the schedule's phase of all instruments but delisted ones, and of those listed later."""
        self.venue_phase = phase
        for i in range(self.count):
            if not self.is_delisted(i):
                self.set_phase(i, phase)

    def set_halted(self, instrument: int, halted: bool) -> None:
        """Halts or resumes one instrument."""
        self.rows[instrument].halted = halted
        self.enforce(instrument)

    def set_all_halted(self, halted: bool) -> None:
        """Halts or resumes all instruments but delisted ones, and those listed later."""
        self.venue_halted = halted
        for i in range(self.count):
            if not self.is_delisted(i):
                self.set_halted(i, halted)

    def begin_auction(self, instrument: int, time_ns: int) -> None:
        """Begins a volatility auction that lasts the instrument's `auction_s`."""
        length_ns: int = self.rows[instrument].auction_s
        length_ns *= SECOND_NS
        self.rows[instrument].in_auction = 1
        self.rows[instrument].auction_ends_ns = LAST_NS if time_ns > LAST_NS - length_ns else time_ns + length_ns
        self.enforce(instrument)

    def end_auction(self, instrument: int) -> None:
        """Ends the volatility auction, if one is running."""
        self.rows[instrument].in_auction = 0
        self.rows[instrument].auction_ends_ns = 0
        self.enforce(instrument)

    def enforce(self, instrument: int) -> None:
        """Derives `in_force`, `trades` and `refusal`. A halt also refuses what the schedule's phase refuses, but with the
        schedule's reason."""
        row = instrument_at(self.rows[instrument])
        row.in_force = row.phase
        if row.halted:
            row.in_force = Phase.HALTED
        elif row.in_auction:
            row.in_force = Phase.CALL_AUCTION
        row.trades = self.rules[row.in_force].trades
        row.refusal = self.rules[row.phase].refusal
        if row.refusal == Reason.NONE:
            row.refusal = self.rules[row.in_force].refusal

    # Days, and the settlement price (rulebook 4.10)

    def begin_quotes(self, instrument: int, time_ns: int) -> None:
        """Continuous trading begins at `time_ns`: its quotes have not stood before, and no auction price is the closing one."""
        self.rows[instrument].quotes_since_ns = time_ns
        self.rows[instrument].closing_seq = 0

    def end_quotes(self, instrument: int, time_ns: int) -> None:
        """Continuous trading ends at `time_ns`. The best prices stay as the command before left them."""
        self.rows[instrument].quotes_until_ns = time_ns

    def end_day(self, instrument: int, time_ns: int) -> int:
        """Ends an instrument's day and returns its settlement price in ticks, the reference price of the new day's band.

        The row's `source` says where the price comes from (a SettlementSource).
        """
        row = instrument_at(self.rows[instrument])
        if row.trades:
            row.quotes_until_ns = time_ns
        reference = row.reference_ticks
        if row.day_lots >= VWAP_LOTS:
            row.source = SettlementSource.DAY_VWAP
            reference = self._day_vwap(instrument)
        elif row.closing_ticks > 0:
            row.source = SettlementSource.CLOSING_AUCTION
            reference = row.closing_ticks
        elif self._quotes_stood(instrument):
            row.source = SettlementSource.STANDING_QUOTES
            reference = (row.best_buy_ticks + row.best_sell_ticks + 1) // 2
        else:
            row.source = SettlementSource.PREVIOUS
        self.set_reference(instrument, reference)
        self._begin_day(instrument, time_ns)
        return reference

    def _begin_day(self, instrument: int, time_ns: int) -> None:
        """Begins the next day: nothing traded, and quotes stand from now on."""
        row = instrument_at(self.rows[instrument])
        row.day_lots = 0
        row.day_amount_fen = 0
        row.closing_seq = 0
        row.closing_ticks = 0
        row.quotes_since_ns = time_ns
        row.quotes_until_ns = time_ns
        if not row.trades:
            row.best_buy_ticks = 0
            row.best_sell_ticks = 0

    def _day_vwap(self, instrument: int) -> int:
        """The day's average price by volume, rounded half up to the tick."""
        row = instrument_at(self.rows[instrument])
        # No price is below one tick, so lots × tick value is at most the day's turnover: it fits in 64 bits.
        tick_fen = row.day_lots * row.tick_value_fen
        rest = row.day_amount_fen % tick_fen
        return row.day_amount_fen // tick_fen + (1 if rest >= tick_fen - rest else 0)

    def _quotes_stood(self, instrument: int) -> bool:
        """Whether both best prices stood for STANDING_QUOTES_NS when continuous trading ended. No difference of times: any two
        64-bit times may be in a journal."""
        row = instrument_at(self.rows[instrument])
        if row.best_buy_ticks == 0 or row.best_sell_ticks == 0 or row.quotes_until_ns < FIRST_NS + STANDING_QUOTES_NS:
            return False
        return row.quotes_since_ns <= row.quotes_until_ns - STANDING_QUOTES_NS

    def set_reference(self, instrument: int, reference_ticks: int) -> None:
        """Sets the reference price and the limits of the day's band (`records.band`, within 1 and MAX_PRICE_TICKS)."""
        rate = self.rows[instrument].band_ppm
        self.rows[instrument].reference_ticks = reference_ticks
        self.rows[instrument].low_ticks = lowest_ticks(reference_ticks, rate)
        self.rows[instrument].high_ticks = highest_ticks(reference_ticks, rate)
