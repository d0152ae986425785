"""The small tables of the engine against a list or a dictionary: touched levels, the day's trades."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.ledger.day_trades import DayTrades
from matching_engine.rules.touched_levels import TouchedLevels

touches = st.lists(st.tuples(st.integers(0, 3), st.one_of(st.integers(1, 9), st.integers(1, 2**31 - 1))), max_size=60)


@given(st.lists(touches, max_size=6))
def test_touched_levels_are_those_of_the_present_command(commands: list[list[tuple[int, int]]]) -> None:
    levels = TouchedLevels()
    for command in commands:
        levels.clear()
        for side_number, price in command:
            levels.touch(side_number, price)
        assert levels.count == len(set(command))


def test_touched_levels_grow_between_commands() -> None:
    levels = TouchedLevels()
    levels.touch(0, 5)
    levels.reserve(1000)
    assert levels.count == 0
    for price in range(1, 1001):
        levels.touch(1, price)
        levels.touch(1, price)
    assert levels.count == 1000


@pytest.mark.parametrize("levels_touched", [1, 64, 128, 1024])
def test_as_many_levels_as_reserved_may_be_touched_and_then_touched_again(levels_touched: int) -> None:
    levels = TouchedLevels()
    levels.reserve(levels_touched)
    for price in [*range(levels_touched), *range(levels_touched)]:
        levels.touch(1, price)
    assert levels.count == levels_touched


@given(st.sets(st.integers(1, 500), max_size=200), st.integers(1, 500))
def test_trades_are_found_by_their_ids(numbers: set[int], sought: int) -> None:
    trades = DayTrades()
    trades.reserve(len(numbers))
    rows = {number: trades.add(number << 20 | 1) for number in sorted(numbers)}
    assert trades.count == len(numbers)
    assert trades.find(sought << 20 | 1) == rows.get(sought, 0)
    assert trades.find(sought << 20) == 0
    trades.clear()
    assert trades.find(sought << 20 | 1) == 0
