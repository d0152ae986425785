"""The small tables of the engine against a list or a dictionary: touched levels, the day's trades, the years."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.ledger.day_trades import DayTrades
from matching_engine.ledger.turnover import Turnover
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


@pytest.mark.parametrize("held", [0, 1, 62])
def test_there_is_room_for_the_trades_that_were_reserved_and_no_trade_is_lost(held: int) -> None:
    """A table of 64 rows, of which the first is not used, has room for 63."""
    trades = DayTrades()
    for number in range(1, held + 1):
        trades.add(number)
    assert trades.reserve(63 - held) == 64
    assert trades.reserve(64 - held) == 128
    assert trades.reserve(128 - held) == 256
    for number in range(held + 1, 129):
        assert trades.add(number) == number
    assert [trades.find(number) for number in range(1, 129)] == list(range(1, 129))


@pytest.mark.parametrize("held", [0, 1, 6])
def test_there_is_room_for_the_years_that_were_reserved_and_no_year_is_lost(held: int) -> None:
    turnover = Turnover()
    for year in range(1, held + 1):
        turnover.add(year, year)
    assert turnover.reserve(7 - held) == 8
    assert turnover.reserve(8 - held) == 16
    for year in range(held + 1, 16):
        turnover.add(year, year)
    assert [turnover.of(year) for year in range(1, 16)] == list(range(1, 16))
