"""Suspicions that share trades, joined or kept apart."""

from __future__ import annotations

import numpy as np
import pytest

from services.surveillance.contracts import FindingKind
from services.surveillance.graph import TradeGraph
from services.surveillance.merging import Suspicion, merged
from services.surveillance.thresholds import rule
from tests.unit.surveillance.trades_by_hand import Deal, background, trades_of

A, B, C = 1, 2, 3
RULE = rule(1, 1, 60, 25)
"""Each member does at least 60 % of all it does within the group."""


def both_ways(one: int, other: int, days: range) -> list[Deal]:
    """A trade there and one back on each day."""
    return [Deal(*pair, 100_000, day) for day in days for pair in ((one, other), (other, one))]


def venue(outside_fen: int) -> TradeGraph:
    """A trades with B in the first 14 days and with C in the next 14, in which B trades so much a day with others."""
    ring = [*both_ways(A, B, range(14)), *both_ways(A, C, range(14, 28))]
    outside = [Deal(B, 101 + day % 10, outside_fen, day) for day in range(14, 28)]
    return TradeGraph(trades_of([*ring, *outside, *background(range(28))]), {})


def suspected(graph: TradeGraph, first_day: int, last_day: int, kind: FindingKind) -> Suspicion:
    """All trades among A, B and C on these days."""
    at = graph.between(first_day, last_day).at
    ring = np.isin(graph.trades["buyer"][at], (A, B, C)) & np.isin(graph.trades["seller"][at], (A, B, C))
    return Suspicion(kind, at[ring], first_day, last_day, (RULE,))


@pytest.mark.parametrize(("outside_fen", "trades"), [(1, [56]), (500_000, [36, 20])])
def test_they_are_joined_only_where_the_whole_keeps_its_rule(outside_fen: int, trades: list[int]) -> None:
    """B does 2.8 M within the group; with 7 M besides that is 29 %. The larger one keeps the trades in common."""
    graph = venue(outside_fen)
    parts = [suspected(graph, first, last, FindingKind.CLOSED_GROUP) for first, last in ((0, 13), (10, 27))]
    found = merged(graph, parts, 4)
    assert [len(one.trades) for one in found] == trades
    places = np.concatenate([one.trades for one in found])
    assert len(np.unique(places)) == len(places) == 56


def test_a_remainder_that_keeps_no_rule_is_nothing() -> None:
    """Without the trades of the larger one, one day with two trades is left: chance enough."""
    graph = venue(500_000)
    parts = [suspected(graph, first, last, FindingKind.CLOSED_GROUP) for first, last in ((9, 13), (10, 27))]
    assert [len(one.trades) for one in merged(graph, parts, 4)] == [36]


def test_those_that_share_nothing_stay_as_they_are() -> None:
    graph = venue(1)
    parts = [suspected(graph, first, last, FindingKind.MATCHED_ORDERS) for first, last in ((0, 5), (6, 13))]
    found = merged(graph, parts, 4)
    assert [(one.first_day, one.last_day, one.kind) for one in found] == [
        (0, 5, FindingKind.MATCHED_ORDERS),
        (6, 13, FindingKind.MATCHED_ORDERS),
    ]
