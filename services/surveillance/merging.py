"""Suspicions of different windows that share trades: one finding where they are one group still, else apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from services.surveillance.closed_groups import is_closed_group, is_even
from services.surveillance.components import components
from services.surveillance.contracts import FindingKind
from services.surveillance.graph import Choice, Integers, TradeGraph
from services.surveillance.thresholds import GroupRule


@dataclass(frozen=True)
class Suspicion:
    """The trades of a finding, by their place in the graph, ascending, and the days of its windows, by place."""

    kind: FindingKind
    trades: Integers
    first_day: int
    last_day: int
    rules: tuple[GroupRule, ...] = ()
    """By which of them it was found; none for what is certain."""


def merged(graph: TradeGraph, suspicions: list[Suspicion], matched_trades: int) -> list[Suspicion]:
    """Suspicions without a trade in common: those that share trades are joined, or split where the whole keeps no rule."""
    by_members: dict[tuple[int, ...], list[Suspicion]] = {}
    for one in suspicions:
        by_members.setdefault(tuple(Choice(graph, one.trades).active), []).append(one)
    # A ring is in hundreds of windows: with the same members first, few are left to try one by one.
    parts = [
        one
        for same in by_members.values()
        for linked in _sharing(same, len(graph.trades))
        for one in _whole(graph, linked, matched_trades) or linked
    ]
    return [
        one
        for linked in _sharing(parts, len(graph.trades))
        for one in _whole(graph, linked, matched_trades) or _split(graph.all, linked, matched_trades)
    ]


def _whole(graph: TradeGraph, parts: list[Suspicion], matched_trades: int) -> list[Suspicion]:
    """All parts as one suspicion, if it keeps a rule; else none."""
    if len(parts) == 1:
        return parts
    whole = _joined(parts)
    return [whole] if _holds(graph.all, whole, matched_trades) else []


def _sharing(suspicions: list[Suspicion], trades: int) -> list[list[Suspicion]]:
    """The suspicions in lists: those in one list are linked by shared trades, of the graph's so many."""
    linked: dict[int, set[int]] = {number: set() for number in range(len(suspicions))}
    last_with = np.full(trades, -1)  # the last suspicion with a trade
    for number, suspicion in enumerate(suspicions):
        for earlier in set(last_with[suspicion.trades].tolist()) - {-1}:
            linked[number].add(earlier)
            linked[earlier].add(number)
        last_with[suspicion.trades] = number
    together = components(linked)
    alone = [[number] for number, others in linked.items() if not others]
    return [[suspicions[number] for number in numbers] for numbers in (*together, *alone)]


def _split(free: Choice, parts: list[Suspicion], matched_trades: int) -> list[Suspicion]:
    """The largest turnover first, each takes in those that share a trade with it, while the whole keeps a rule over all its
    days. One that is not taken in loses the trades in common, and remains only if it keeps a rule without them."""
    waiting = sorted(parts, key=lambda one: (-Choice(free.graph, one.trades).total_fen, one.first_day, one.trades[0]))
    found = []
    while waiting:
        whole, rest = _grown(free, waiting[0], waiting[1:], matched_trades)
        found.append(whole)
        free = free.without(whole.trades)
        waiting = [left for one in rest for left in _left(free, one, whole, matched_trades)]
    return found


def _grown(
    free: Choice, whole: Suspicion, others: list[Suspicion], matched_trades: int
) -> tuple[Suspicion, list[Suspicion]]:
    """A suspicion with all that it takes in, and what it does not. What does not fit once is not tried again."""
    refused: list[Suspicion] = []
    growing = True
    while growing:
        growing, apart = False, []
        for other in others:
            shared = _shared(whole, other)
            joint = _joined([whole, other])
            if shared == 0:
                apart.append(other)
            elif shared == len(other.trades) or _holds(free, joint, matched_trades):
                whole, growing = (whole if shared == len(other.trades) else joint), True
            else:
                refused.append(other)
        others = apart
    return whole, refused + others


def _left(free: Choice, one: Suspicion, taken: Suspicion, matched_trades: int) -> list[Suspicion]:
    """What is left of a suspicion without the trades that another has: itself, a smaller one or nothing."""
    if not _shared(one, taken):
        return [one]
    smaller = replace(one, trades=np.setdiff1d(one.trades, taken.trades, assume_unique=True))
    return [smaller] if len(smaller.trades) and _holds(free, smaller, matched_trades) else []


def _shared(one: Suspicion, other: Suspicion) -> int:
    """How many trades both have."""
    if one.last_day < other.first_day or other.last_day < one.first_day:
        return 0
    return int(np.isin(other.trades, one.trades, assume_unique=True).sum())


def _joined(parts: list[Suspicion]) -> Suspicion:
    """All trades and days; CLOSED_GROUP where one of them is."""
    kinds = {part.kind for part in parts}
    return Suspicion(
        FindingKind.CLOSED_GROUP if FindingKind.CLOSED_GROUP in kinds else parts[0].kind,
        np.unique(np.concatenate([part.trades for part in parts])),
        min(part.first_day for part in parts),
        max(part.last_day for part in parts),
        tuple(dict.fromkeys(rule for part in parts for rule in part.rules)),
    )


def _holds(free: Choice, suspicion: Suspicion, matched_trades: int) -> bool:
    """Whether a suspicion keeps one of its rules over all its days, among the trades that no other finding has: its trades, or
    for matched orders all of its members, are a closed group's."""
    graph = free.graph
    days = graph.between(suspicion.first_day, suspicion.last_day)
    start, end = np.searchsorted(free.at, (days.at[0], days.at[-1] + 1))
    window, these = Choice(graph, free.at[start:end]), Choice(graph, suspicion.trades)
    nodes = these.active
    if suspicion.kind == FindingKind.MATCHED_ORDERS:
        inside = window.inside(nodes)
        return len(these.at) >= matched_trades and any(
            is_closed_group(window, inside, nodes, rule) for rule in suspicion.rules
        )
    return any(is_even(these, rule) and is_closed_group(window, these, nodes, rule) for rule in suspicion.rules)
