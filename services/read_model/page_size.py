"""How many rows a page has, where a row may be large: a text of the journal may have hundreds of kilobytes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, takewhile

MOST_CHARACTERS = 2**20
"""Of the large texts in a page; one text may have more, and is a page of its own."""


def fitting(sizes: Iterable[int]) -> int:
    """How many of the rows with texts of these sizes, from the first on, are a page: one at least, where there is one."""
    sizes = list(sizes)
    fit = sum(1 for _ in takewhile(lambda total: total <= MOST_CHARACTERS, accumulate(sizes)))
    return max(fit, min(1, len(sizes)))
