"""Cash and holdings as JSON."""

from __future__ import annotations

from typing import Any

from services.values.decimals import yuan_text
from services.venue_state.instruments import VenueInstrument


def cash_json(cash_fen: int, reserved_fen: int) -> dict[str, str]:
    """Cash, what open orders reserve of it, and the rest."""
    return {
        "cash": yuan_text(cash_fen),
        "reserved": yuan_text(reserved_fen),
        "available": yuan_text(cash_fen - reserved_fen),
    }


def holding_json(instrument: VenueInstrument, lots: int, reserved_lots: int) -> dict[str, Any]:
    """`schemas.Holding`: lots of one instrument."""
    return {
        "symbol": instrument.symbol,
        "quantity": lots,
        "reserved": reserved_lots,
        "available": lots - reserved_lots,
    }
