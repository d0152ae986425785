"""Amounts and rates in requests: converts decimal strings to fen and to millionths."""

from __future__ import annotations

from matching_engine.records import MAX_RATE_PPM
from services.gateway.problems import field_problem
from services.values.decimals import rate_text, scaled, yuan_text


def amount_fen(text: str, field: str, limit_fen: int) -> int:
    """A decimal string in yuan as signed fen, not 0, at most `limit_fen` in size; raises a 422 problem that names the field."""
    fen = scaled(text, 2)
    if fen is None:
        raise field_problem("invalid_amount", field, f"{text} is not a whole number of fen (0.01 yuan)")
    if not 0 < abs(fen) <= limit_fen:
        raise field_problem("invalid_amount", field, f"must not be 0, nor beyond {yuan_text(limit_fen)}")
    return fen


def rate_ppm(text: str, field: str) -> int:
    """A decimal fraction in millionths, 0 to MAX_RATE_PPM; raises a 422 problem that names the field."""
    ppm = scaled(text, 6)
    if ppm is None or not 0 <= ppm <= MAX_RATE_PPM:
        message = f"must be from 0 to {rate_text(MAX_RATE_PPM)}, with at most six decimals"
        raise field_problem("invalid_rate", field, message)
    return ppm
