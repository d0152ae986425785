"""Fee rates by account class, and the fees computed from them."""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.pools import rows
from matching_engine.records import U32

if not cython.compiled:  # when compiled, these stand in the .pxd
    MILLION = 1_000_000
    CLASSES = 256


@dataclass(slots=True)
class FeeRates:
    """The fee rates of an account class, in millionths of a trade's amount."""

    maker_rate_ppm: U32 = 0
    taker_rate_ppm: U32 = 0


def fee_fen(amount_fen: int, rate_ppm: int) -> int:
    """One side's fee for a trade, rounded half up to the fen, and at least 1. It is computed in parts, so that every product
    fits in 64 bits."""
    fee = amount_fen // MILLION * rate_ppm + (amount_fen % MILLION * rate_ppm + MILLION // 2) // MILLION
    return fee if fee > 1 else 1


def lot_reserve_fen(lot_value_fen: int, rate_ppm: int) -> int:
    """A buy's reserve for one lot, in fen: its value and a fee rounded up, so no split into trades can cost more."""
    fee = lot_value_fen // MILLION * rate_ppm + (lot_value_fen % MILLION * rate_ppm + MILLION - 1) // MILLION
    return lot_value_fen + (fee if fee > 1 else 1)


class Fees:
    """The rates of every class, 0 until they are set. New rates apply to later trades and orders."""

    def __init__(self) -> None:
        self.rows = rows(FeeRates, CLASSES)

    def set(self, account_class: int, maker_rate_ppm: int, taker_rate_ppm: int) -> None:
        """Sets the rates of a class."""
        self.rows[account_class].maker_rate_ppm = maker_rate_ppm
        self.rows[account_class].taker_rate_ppm = taker_rate_ppm

    def maker_fee(self, account_class: int, amount_fen: int) -> int:
        """The fee of the resting order, in fen; in an auction the fee of both orders."""
        return fee_fen(amount_fen, self.rows[account_class].maker_rate_ppm)

    def taker_fee(self, account_class: int, amount_fen: int) -> int:
        """The fee of the incoming order, in fen."""
        return fee_fen(amount_fen, self.rows[account_class].taker_rate_ppm)

    def lot_reserve(self, account_class: int, lot_value_fen: int) -> int:
        """A buy's reserve for one lot, in fen, at the higher rate of its class."""
        maker = self.rows[account_class].maker_rate_ppm
        taker = self.rows[account_class].taker_rate_ppm
        return lot_reserve_fen(lot_value_fen, maker if maker > taker else taker)
