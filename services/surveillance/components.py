"""Strongly connected components of a directed graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def components(successors: Mapping[int, Iterable[int]]) -> list[list[int]]:
    """The strongly connected components with at least two nodes, each ascending, in ascending order of their first node.

    Two nodes are in one component if each can be reached from the other. Tarjan's algorithm (SIAM J. Comput. 1, 1972) with a
    stack of its own, so that a long chain of members cannot exceed Python's recursion limit.
    """
    found: list[list[int]] = []
    order: dict[int, int] = {}
    lowest: dict[int, int] = {}
    path: list[int] = []
    on_path: set[int] = set()
    for root in successors:
        work = [] if root in order else [(root, iter(successors[root]))]
        while work:
            node, left = work[-1]
            if node not in order:
                order[node] = lowest[node] = len(order)
                path.append(node)
                on_path.add(node)
            for successor in left:
                if successor not in order:
                    work.append((successor, iter(successors.get(successor, ()))))
                    break
                if successor in on_path:
                    lowest[node] = min(lowest[node], order[successor])
            else:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[node])
                if lowest[node] == order[node]:
                    at = path.index(node)
                    component, path[at:] = path[at:], []
                    on_path.difference_update(component)
                    found.append(sorted(component))
    return sorted(component for component in found if len(component) > 1)
