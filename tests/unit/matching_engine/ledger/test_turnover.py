"""The years' turnover."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matching_engine.ledger.turnover import Turnover


def test_turnover_beyond_64_bits_is_kept_in_two_words() -> None:
    turnover = Turnover()
    turnover.reserve(2)
    for _ in range(5):
        turnover.add(2023, 9 * 10**18)
    turnover.add(2024, 1)
    assert [turnover.of(year) for year in (2022, 2023, 2024)] == [0, 45 * 10**18, 1]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9 * 10**18)), max_size=60))
def test_it_is_a_sum_by_year(steps: list[tuple[int, int]]) -> None:
    turnover = Turnover()
    year = 2020
    sums: dict[int, int] = {}
    for years, amount in steps:
        year += years
        turnover.reserve(1)
        turnover.add(year, amount)
        sums[year] = sums.get(year, 0) + amount
    assert {each: turnover.of(each) for each in sums} == sums
    assert turnover.count == len([amount for amount in sums.values() if amount])
