"""Closed pairs, and the closed groups they join into. All comparisons with thresholds are exact."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import inf, lgamma, log, log1p

import numpy as np
from numpy.typing import NDArray

from services.surveillance.components import components
from services.surveillance.graph import Choice, Integers
from services.surveillance.thresholds import BY_CHANCE, ONE_WAY, PAIR_TRADES, RESHAPED, GroupRule


def closed_groups(window: Choice, rule: GroupRule) -> list[list[int]]:
    """The closed groups among the nodes of a window's trades: goods can come back to each member within the group, and each
    member does a good part of all it does there. Members who do not are left out, and what remains is joined anew."""
    pairs = closed_pairs(window, rule)
    successors = window.successors(pairs) if len(pairs) else {}
    waiting, found = components(successors), []
    while waiting:
        group = waiting.pop()
        inside = window.inside(group)
        committed = _committed(window, inside, group, rule)
        if committed != group:
            waiting += components(_among(committed, successors))
        elif is_closed_group(window, inside, group, rule):
            found.append(group)
    return found


def is_closed_group(window: Choice, inside: Choice, group: list[int], rule: GroupRule) -> bool:
    """Whether trades among a group, `inside`, are enough of all that each member does in the window and beyond chance, and the
    group is small enough."""
    members = int(np.count_nonzero(window.node_fen))
    return (
        at_most(len(group), members, rule.most_members)
        and _committed(window, inside, group, rule) == group
        and _is_beyond_chance(window, inside, group, members)
    )


def is_even(trades: Choice, rule: GroupRule) -> bool:
    """Whether the members end where they began with these trades."""
    return at_most(trades.net_fen, trades.total_fen, rule.net_share)


def came_back(inside: Choice) -> NDArray[np.bool_]:
    """By product, whether some of it came back to who sold it, or went on in a circle."""
    net = np.abs(inside.net_by_product_fen).sum(axis=0).tolist()
    cells = zip(net, inside.product_fen.tolist(), strict=True)
    return np.array([at_most(part, whole, ONE_WAY) for part, whole in cells], np.bool_)


def _committed(window: Choice, inside: Choice, group: list[int], rule: GroupRule) -> list[int]:
    """Who of a group does enough of all that he does within it, and not by goods that changed form."""
    inside_fen = dict(zip(group, inside.node_fen[group].tolist(), strict=True))
    enough = [node for node in group if at_least(inside_fen[node], int(window.node_fen[node]), rule.member_share)]
    return [node for node in enough if at_most(int(inside.reshaped_fen[node]), inside_fen[node], RESHAPED)]


def _is_beyond_chance(window: Choice, inside: Choice, group: list[int], members: int) -> bool:
    """Whether no group of this size, of all that the members could form, would have so many trades by chance."""
    groups = lgamma(members + 1) - lgamma(len(group) + 1) - lgamma(members - len(group) + 1)
    return log_chance_of(len(inside.at), window.chance_trades(group)) + groups <= log(BY_CHANCE)


def log_chance_of(trades: int, expected: float) -> float:
    """Natural logarithm of an upper bound of the probability of so many trades or more, if their number is Poisson distributed;
    0 where they are not more than expected.

    The terms from P(X = trades) on fall at least as fast as the powers of expected / (trades + 1).
    """
    if trades <= expected:
        return 0.0
    if expected <= 0:
        return -inf
    first = trades * log(expected) - expected - lgamma(trades + 1)
    return min(0.0, first - log1p(-expected / (trades + 1)))


def closed_pairs(window: Choice, rule: GroupRule) -> Integers:
    """The pairs of nodes that are closed, by their place in the graph, ascending."""
    enough = np.flatnonzero((window.pair_trades >= PAIR_TRADES) & (window.pair_fen > 0))
    one, other = (ends[enough] for ends in window.graph.ends)
    taken, made = (side.sum(axis=1).astype(float) for side in window.fen_by_role)
    # A coarse comparison of floats leaves few pairs for the exact one.
    between = window.pair_fen[enough] * 1.01
    close = (between >= float(rule.share) * np.minimum(window.node_fen[one], window.node_fen[other])) & (
        between * float(2 * window.total_fen)
        >= float(rule.lift) * (taken[one] * made[other] + made[one] * taken[other])
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
