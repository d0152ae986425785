"""Two products for the examples: one of tonnes, one of kilograms."""

from __future__ import annotations

from services.reporting.breakdown.documents import NOTHING, Quantity
from services.reporting.breakdown.reading import AccountYear, Listed, YearAccount

OXIDE, MAGNET = 0, 1

INSTRUMENTS = {
    # 1 t a lot; a tick of 100 yuan/t is worth 10,000 fen on one lot.
    OXIDE: Listed("PRND-OX", "oxide", "氧化镨钕", "magnetic_material", "oxide", "t", 1, 10_000, 4_730),
    # 100 kg a lot; a tick of 0.10 yuan/kg is worth 1,000 fen on one lot.
    MAGNET: Listed("NDFEB-N35", "magnet", "毛坯", "magnetic_material", "magnet", "kg", 100, 1_000, 1_600),
}

ACCOUNTS = {
    2: YearAccount(2, "alice", 0),
    3: YearAccount(3, "bob", 0),
    4: YearAccount(3, "bob's second", 1),  # of bob's owner group
}


def quantity(trades: int, kilograms: int, amount_fen: int) -> Quantity:
    return Quantity(amount_fen=amount_fen, kilograms=kilograms, trades=trades)


def line(
    account: int, instrument: int, bought: Quantity = NOTHING, sold: Quantity = NOTHING, fees_fen: int = 0
) -> AccountYear:
    return AccountYear(account, instrument, bought, sold, fees_fen)
