"""Strongly connected components against their definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.surveillance.components import components

graphs = st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4), max_size=10)


def reachable(graph: dict[int, list[int]], start: int) -> set[int]:
    """The nodes that a path from start leads to, itself included."""
    found, left = {start}, [start]
    while left:
        for node in graph.get(left.pop(), ()):
            if node not in found:
                found.add(node)
                left.append(node)
    return found


@given(graphs)
def test_two_nodes_are_together_if_each_reaches_the_other(graph: dict[int, list[int]]) -> None:
    nodes = set(graph) | {node for ends in graph.values() for node in ends}
    reach = {node: reachable(graph, node) for node in nodes}
    classes = {tuple(sorted(b for b in reach[a] if a in reach[b])) for a in nodes}
    assert components(graph) == sorted(list(one) for one in classes if len(one) > 1)


def test_a_long_circle_needs_no_recursion() -> None:
    size = 20_000
    assert components({node: [(node + 1) % size] for node in range(size)}) == [list(range(size))]
