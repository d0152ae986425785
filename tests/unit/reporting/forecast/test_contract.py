"""What a forecast refuses to be given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.reporting.forecast import ForecastInput, PastYear

PAST = PastYear((20220104, 20220105), (1, 2))
INPUT = ForecastInput((20230103, 20230104), (5,), 100, past_years=(PAST,))


@pytest.mark.parametrize(
    ("days", "net_fen", "reason"),
    [
        ((), (), "each of its trading days"),
        ((20220104, 20220105), (1,), "each of its trading days"),
        ((20220105, 20220104), (1, 2), "ascending"),
        ((20220104, 20220104), (1, 2), "ascending"),
        ((20211231, 20220104), (1, 2), "one calendar year"),
        ((20221301, 20221302), (1, 2), "yyyymmdd"),
        ((20220100, 20220101), (1, 2), "yyyymmdd"),
        ((20220104, 20220105), (1, -2), "below zero"),
    ],
)
def test_a_past_year_that_is_none(days: tuple[int, ...], net_fen: tuple[int, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        PastYear(days, net_fen)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"days": (), "net_fen": ()}, "more completed days"),
        ({"net_fen": (1, 2, 3)}, "more completed days"),
        ({"net_fen": (1, 2), "today_net_fen": 1}, "today has no place"),
        ({"target_fen": -1}, "below zero"),
        ({"today_net_fen": -1}, "below zero"),
        ({"net_fen": (-1,)}, "below zero"),
        ({"past_years": (PAST, PAST)}, "before the year"),
        ({"past_years": (PastYear((20230103,), (1,)),)}, "before the year"),
    ],
)
def test_an_input_that_is_none(changes: dict[str, tuple[int, ...]], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(INPUT, **changes)  # type: ignore[arg-type]
