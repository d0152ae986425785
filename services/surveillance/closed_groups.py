"""Closed pairs, and the closed groups they join into. All comparisons with thresholds are exact."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from services.surveillance.components import components
from services.surveillance.graph import Choice, Integers
from services.surveillance.thresholds import GroupRule


def closed_groups(window: Choice, rule: GroupRule) -> list[list[int]]:
    """The closed groups among the nodes of a window's trades: goods can come back to each member within the group, and each
    member does a good part of all it does there. Members who do not are left out, and what remains is joined anew."""
    pairs = closed_pairs(window, rule)
    successors = window.successors(pairs) if len(pairs) else {}
    members = int(np.count_nonzero(window.node_fen))
    waiting, found = components(successors), []
    while waiting:
        group = waiting.pop()
        inside = window.inside(group)
        committed = [
            node
            for node in group
            if at_least(int(inside.node_fen[node]), int(window.node_fen[node]), rule.member_share)
        ]
        if committed == group:
            found += [group] if at_most(len(group), members, rule.most_members) else []
        else:
            waiting += components(_among(committed, successors))
    return found


def closed_pairs(window: Choice, rule: GroupRule) -> Integers:
    """The pairs of nodes that are closed, by their place in the graph, ascending."""
    enough = np.flatnonzero((window.pair_trades >= rule.trades) & (window.pair_fen > 0))
    one, other = (window.node_fen[ends[enough]].astype(float) for ends in window.graph.ends)
    # A coarse comparison of floats leaves few pairs for the exact one.
    between = window.pair_fen[enough] * 1.01
    close = (between >= float(rule.share) * np.minimum(one, other)) & (
        between * float(window.total_fen) >= float(rule.lift) * one * other
    )
    return np.array([pair for pair in enough[close].tolist() if _is_closed(window, pair, rule)], np.int64)


def _is_closed(window: Choice, pair: int, rule: GroupRule) -> bool:
    between, (one, other) = int(window.pair_fen[pair]), (int(ends[pair]) for ends in window.graph.ends)
    if not at_least(between, min(int(window.node_fen[one]), int(window.node_fen[other])), rule.share):
        return False
    if rule.by_product:
        return at_least(between, window.chance_fen(one, other), rule.lift)
    return at_least(between, window.chance_everywhere_fen(one, other), rule.lift)


def _among(nodes: list[int], successors: Mapping[int, list[int]]) -> dict[int, list[int]]:
    """The part of a directed graph between these nodes."""
    chosen = set(nodes)
    return {node: [other for other in successors.get(node, ()) if other in chosen] for node in nodes}


def at_least(part: int, whole: int, least: Fraction) -> bool:
    """Whether part / whole ≥ least, without division."""
    return part * least.denominator >= least.numerator * whole


def at_most(part: int, whole: int, most: Fraction) -> bool:
    """Whether part / whole ≤ most, without division."""
    return part * most.denominator <= most.numerator * whole
