"""Instruments in the state of the venue: symbol ↔ number, decimal strings ↔ ticks, and the day's band."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from matching_engine.records import MAX_PRICE_TICKS, Phase, SettlementSource, band
from services.commands.attachments import InstrumentText
from services.values.decimals import fixed_text, scaled
from services.venue_state.errors import BadField

PHASE_NAMES: dict[int, str] = {phase: phase.name.lower() for phase in Phase}
SOURCE_NAMES: dict[int, str] = {source: source.name.lower() for source in SettlementSource}

_cached_text = lru_cache(maxsize=8192)(fixed_text)
"""Prices repeat: a cached text costs a third of making it."""

AVERAGE_EXTRA_DECIMALS = 4
"""An average price has so many decimals more than the tick."""


class VenueInstrument:
    """One listed instrument. The day roll sets its reference, the schedule its phase, operators its collar, its volatility band
    and other terms. Symbol, unit, lot size and tick size never change."""

    __slots__ = (
        "auction_s",
        "band_ppm",
        "collar_ppm",
        "decimals",
        "facts",
        "high_ticks",
        "low_ticks",
        "max_quantity_lots",
        "number",
        "phase",
        "reference_ticks",
        "settlement_source",
        "symbol",
        "tick_size",
        "tick_units",
        "tick_value_fen",
        "volatility_ppm",
    )

    def __init__(
        self,
        number: int,
        *,
        tick_value_fen: int,
        band_ppm: int,
        max_quantity_lots: int,
        reference_ticks: int,
        phase: int,
        facts: dict[str, Any],
    ) -> None:
        self.number = number
        self.tick_value_fen = tick_value_fen
        self.band_ppm = band_ppm
        self.max_quantity_lots = max_quantity_lots
        self.phase = phase
        self.collar_ppm = self.volatility_ppm = self.auction_s = 0  # 0: not set
        self.facts = facts  # the fields of attachments.InstrumentText
        self.symbol: str = facts["symbol"]
        self.tick_size: str = facts["tick_size"]
        exponent = Decimal(self.tick_size).as_tuple().exponent
        self.decimals = max(0, -int(exponent))
        self.tick_units = int(Decimal(self.tick_size).scaleb(self.decimals))  # one tick, in units of the last decimal
        self.set_reference(reference_ticks, None)

    @classmethod
    def from_columns(cls, columns: Mapping[Any, Any]) -> VenueInstrument:
        """An instrument from a row of the read database's `instruments`."""
        instrument = cls(
            columns["instrument"],
            tick_value_fen=columns["tick_value_fen"],
            band_ppm=columns["band_ppm"],
            max_quantity_lots=columns["max_quantity_lots"],
            reference_ticks=columns["reference_ticks"],
            phase=columns["phase"],
            facts={name: columns[name] for name in InstrumentText.model_fields},
        )
        instrument.set_reference(columns["reference_ticks"], columns["settlement_source"])
        instrument.collar_ppm = columns["collar_ppm"]
        instrument.volatility_ppm, instrument.auction_s = columns["volatility_ppm"], columns["auction_s"]
        return instrument

    def set_reference(self, reference_ticks: int, settlement_source: int | None) -> None:
        """Sets the reference price, where it comes from (a SettlementSource; None: from the listing), and the day's band around
        it."""
        self.reference_ticks = reference_ticks
        self.settlement_source = None if settlement_source is None else SettlementSource(settlement_source)
        self.low_ticks, high_ticks = band(reference_ticks, self.band_ppm)
        self.high_ticks = min(high_ticks, MAX_PRICE_TICKS)

    def change(self, terms: Mapping[str, int], texts: Mapping[str, str]) -> None:
        """Other terms (attributes of this object) and texts from now on; the day's band stays around the same reference
        price."""
        for name, value in terms.items():
            setattr(self, name, value)
        self.facts = {**self.facts, **texts}
        self.set_reference(self.reference_ticks, self.settlement_source)

    def price_text(self, price_ticks: int) -> str:
        """A price in yuan per unit, with the decimals of the tick."""
        return _cached_text(price_ticks * self.tick_units, self.decimals)

    def average_text(self, filled_fen: int, filled_lots: int) -> str:
        """The average price of fills in yuan per unit, rounded half up to the decimals of the tick plus four."""
        numerator = filled_fen * self.tick_units * 10**AVERAGE_EXTRA_DECIMALS
        denominator = filled_lots * self.tick_value_fen
        return fixed_text((2 * numerator + denominator) // (2 * denominator), self.decimals + AVERAGE_EXTRA_DECIMALS)

    def price_ticks(self, text: str, field: str = "price") -> int:
        """A decimal string in yuan per unit as ticks, exact; raises BadField, which names the field and the tick."""
        units = scaled(text, self.decimals)
        ticks, off_tick = divmod(units, self.tick_units) if units is not None else (0, 1)
        if off_tick:
            message = f"{text} is not a multiple of the tick {self.tick_size}"
            raise BadField("price_off_tick", field, message)
        if not 0 < ticks <= MAX_PRICE_TICKS:
            message = f"must be above 0 and at most {self.price_text(MAX_PRICE_TICKS)}"
            raise BadField("invalid_price", field, message)
        return ticks

    def quantity_lots(self, quantity: int) -> int:
        """The quantity, from 1 to max_quantity_lots; raises BadField."""
        if not 0 < quantity <= self.max_quantity_lots:
            raise BadField("invalid_quantity", "quantity", f"must be from 1 to {self.max_quantity_lots} lots")
        return quantity
