"""What goes into the screen and what comes out of it.

A *member* is an owner group, by which the venue knows accounts under one control: the account's owner, or the account itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCREEN_TRADE = np.dtype(
    [
        ("trade_id", "i8"),
        ("seq", "i8"),
        ("trading_date", "i8"),  # yyyymmdd
        ("time_ns", "i8"),
        ("instrument", "i8"),
        ("buyer", "i8"),
        ("seller", "i8"),
        ("aggressor", "i8"),  # the member of the taker; 0 in an auction
        ("amount_fen", "i8"),
        ("quantity_lots", "i8"),
        ("maker_order_lots", "i8"),  # the whole quantity of the maker's order
        ("taker_order_lots", "i8"),
        ("maker_entered_ns", "i8"),
        ("taker_entered_ns", "i8"),
    ]
)
"""One trade that was not busted."""

ScreenTrades = NDArray[np.void]
"""An array of SCREEN_TRADE, ordered by trading_date and trade_id."""

Control = Mapping[int, int]
"""Declared common control: the number of the control group by member. A member that is not a key stands alone."""

MOST_FEN = 2**62
"""The sum of the amounts of one array must stay below: sums of fen are 64-bit integers."""


class FindingKind(StrEnum):
    """What a finding rests on."""

    CLOSED_GROUP = "closed_group"
    """Members who traded with each other in a circle and ended where they began. Waits for a decision."""
    MATCHED_ORDERS = "matched_orders"
    """Orders within a closed group that filled each other whole, entered seconds apart, in a circle. Waits for a decision."""
    COMMON_CONTROL = "common_control"
    """Trades between members of one declared control group. Certain without a person."""


@dataclass(frozen=True)
class Edge:
    """What a seller sold to a buyer in a window. `lift` and `share` are the pair's, in both directions together."""

    seller: int
    buyer: int
    amount_fen: int
    trades: int
    lift: float
    share: float


@dataclass(frozen=True)
class Finding:
    """Trades that are suspected, or known, to be wash trades. The ratios are for people: thresholds were compared exactly."""

    kind: FindingKind
    first_date: int
    last_date: int
    """Of its trades, yyyymmdd."""
    window_first_date: int
    window_last_date: int
    """Of the windows in which it was found, yyyymmdd: the ratios are of all trades between them."""
    members: tuple[int, ...]
    """Ascending: who bought or sold in the trades."""
    trade_ids: tuple[int, ...]
    """Ascending."""
    amount_fen: int
    """The sum of the trades, each counted once."""
    inside_share: float
    """Of all that the members traded in the window, how much is in these trades; 0 to 1."""
    lift: float
    """These trades / what chance gives: the members' turnover with each other if every taker met every maker by size."""
    net_share: float
    """Sum of the members' |bought − sold| in these trades / all that they bought and sold in them; 0 to 1."""
    edges: tuple[Edge, ...]
    """Who sold how much to whom, in these trades."""
    sentence_en: str
    sentence_zh: str

    @property
    def finding_id(self) -> str:
        """16 hexadecimal digits of the content: kind, members and trades. Names, ratios and window do not change it."""
        content = f"{self.kind}|{','.join(map(str, self.members))}|{','.join(map(str, self.trade_ids))}"
        return sha256(content.encode()).hexdigest()[:16]


def screen_trades(rows: Any) -> ScreenTrades:
    """An array of SCREEN_TRADE from rows in the order of its fields, sorted as the screen needs it.

    Raises ValueError where an amount is negative or their sum is beyond 64 bits, or a trade has the same member on both sides
    with no declaration (the engine prevents self-trades of an owner group, so the input would be wrong).
    """
    trades = np.array([tuple(row) for row in rows], dtype=SCREEN_TRADE)
    return checked(trades[np.lexsort((trades["trade_id"], trades["trading_date"]))])


def checked(trades: ScreenTrades) -> ScreenTrades:
    """The same array. Raises ValueError as `screen_trades`."""
    if (trades["amount_fen"] < 0).any() or sum(map(int, trades["amount_fen"])) >= MOST_FEN:
        raise ValueError("An amount is negative, or the sum of the amounts does not fit into 64 bits.")
    if (trades["buyer"] == trades["seller"]).any():
        raise ValueError("A trade has the same member on both sides: the engine prevents self-trades.")
    return trades


def by_day(trades: ScreenTrades) -> list[tuple[int, ScreenTrades]]:
    """The trading dates with trades, ascending, and the trades of each."""
    dates, starts = np.unique(trades["trading_date"], return_index=True)
    ends = [*starts[1:].tolist(), len(trades)]
    return [(date, trades[start:end]) for date, start, end in zip(dates.tolist(), starts.tolist(), ends, strict=False)]
