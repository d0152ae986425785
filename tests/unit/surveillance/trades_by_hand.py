"""Trades written down by hand, and a background of honest members who all meet each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from services.surveillance.contracts import ScreenTrades, screen_trades

FIRST_DATE = 20230201
HONEST = range(101, 111)
APART_NS = 3_600_000_000_000


@dataclass(frozen=True)
class Deal:
    """A trade; matched: its orders were entered together and filled each other whole."""

    seller: int
    buyer: int
    amount_fen: int
    day: int = 0
    instrument: int = 0
    matched: bool = False
    lots: int = 1
    aggressor: int = 0
    seq: int = 0


def background(days: Iterable[int] = range(20), amount_fen: int = 50_000) -> list[Deal]:
    """Each of the 45 pairs of HONEST trades every day; who sells changes from day to day."""
    pairs = list(combinations(HONEST, 2))
    return [
        Deal(seller=one if day % 2 else other, buyer=other if day % 2 else one, amount_fen=amount_fen, day=day)
        for day in days
        for one, other in pairs
    ]


def trades_of(deals: Iterable[Deal]) -> ScreenTrades:
    """The deals with trade ids from 1 on, in the order in which they are written."""
    return screen_trades(_rows(deals))


def _rows(deals: Iterable[Deal]) -> Iterator[tuple[int, ...]]:
    for number, deal in enumerate(deals, start=1):
        time_ns = deal.day * 24 * APART_NS + number
        entered = (time_ns - 1, time_ns) if deal.matched else (time_ns - APART_NS, time_ns)
        order_lots = (deal.lots, deal.lots) if deal.matched else (deal.lots + 9, deal.lots)
        yield (
            number, deal.seq or number, FIRST_DATE + deal.day, time_ns, deal.instrument, deal.buyer, deal.seller,
            deal.aggressor, deal.amount_fen, deal.lots, *order_lots, *entered,
        )  # fmt: skip
