"""What changed hands: Σ over member and product of max(0, bought − sold) within a period.

Goods that went round in a circle within the period did not change hands, whoever sent them. The figure has no threshold and
suspects nobody; it stands beside the net turnover, always. Of a longer period it is at most the sum over its parts: a dealer's
stock comes and goes. `reading` has the same sum in SQL.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from services.surveillance.contracts import ScreenTrades, by_day


def changed_hands_fen(trades: ScreenTrades) -> int:
    """What changed hands in fen, with these trades as the period."""
    member = np.concatenate((trades["buyer"], trades["seller"]))
    product = np.concatenate((trades["instrument"], trades["instrument"]))
    signed = np.concatenate((trades["amount_fen"], -trades["amount_fen"]))
    _, cell = np.unique(np.stack((member, product)), axis=1, return_inverse=True)
    bought = np.zeros(len(signed), np.int64)
    np.add.at(bought, cell.ravel(), signed)
    return int(bought[bought > 0].sum())


def changed_hands_by_product(net_fen: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """What changed hands in fen by product, from bought − sold in fen by member and product in the period."""
    found: dict[int, int] = {}
    for (_, product), fen in net_fen.items():
        found[product] = found.get(product, 0) + max(0, fen)
    return found


def changed_hands_by_day(trades: ScreenTrades) -> dict[int, int]:
    """What changed hands in fen by trading date, with each day as a period of its own."""
    return {date: changed_hands_fen(of_day) for date, of_day in by_day(trades)}
