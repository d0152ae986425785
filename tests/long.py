"""How far a test goes: `make test` is short, `make test-long` sets LONG=1 and goes all the way."""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest

IS_LONG = os.environ.get("LONG") == "1"
SHARE, FEWEST = 4, 5


def examples(count: int) -> int:
    """So many examples of a law in a long run; in a short one a fourth, at least five."""
    return count if IS_LONG else min(count, max(FEWEST, count // SHARE))


def some(cases: Iterable[object], short: int = 1) -> list[object]:
    """Cases for `parametrize`: the first `short` of them always, the others marked `long`."""
    return [case if number < short else _long(case) for number, case in enumerate(cases)]


def _long(case: object) -> object:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.long)
