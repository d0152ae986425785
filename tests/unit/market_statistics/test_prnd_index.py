"""The PrNd index, by hand and by law. A day is its date, the settlements of oxide and metal, and what traded of each."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.market_statistics.prnd_index import Index, IndexInput, prnd_index


def day(
    date: int, oxide: int, metal: int, amounts: Sequence[int] = (1, 1), counts: tuple[int, int, int] = (5, 3, 3)
) -> IndexInput:
    """`counts` are trades, buyers and sellers."""
    return IndexInput(date, (oxide, metal), tuple(amounts), *counts)


def values(*days: IndexInput) -> list[Fraction]:
    return [found.value for found in prnd_index(days).days]


def test_it_begins_at_100_and_both_weigh_one_half_in_the_first_year() -> None:
    """Oxide rises by 10 %, metal falls by 4 %: 100 · (1.10 + 0.96) / 2 = 103. Then both are as they began."""
    assert values(day(20230103, 5000, 6000), day(20230104, 5500, 5760), day(20230105, 5000, 6000)) == [100, 103, 100]
    assert prnd_index([day(20230103, 1, 1)]).weights[2023] == ((Fraction(1, 2), Fraction(1, 2)), True)


def test_the_next_year_is_chained_with_the_weights_of_the_one_before() -> None:
    """2023 ends at 103 with settlements 5500 and 5760; oxide made 3 of 4 of its turnover. On 2 January oxide rises by 2 %,
    metal falls by 10 %: 103 · (¾ · 1.02 + ¼ · 0.90) = 103 · 0.99 = 101.97. The chain's link moves nothing by itself."""
    first = (day(20230103, 5000, 6000, (2, 1)), day(20231229, 5500, 5760, (1, 0)))
    assert values(*first, day(20240102, 5610, 5184)) == [100, 103, Fraction(10197, 100)]
    assert values(*first, day(20240102, 5500, 5760))[-1] == 103
    assert prnd_index([*first, day(20240102, 1, 1)]).weights[2024] == ((Fraction(3, 4), Fraction(1, 4)), False)


def test_this_year_s_turnover_changes_nothing_this_year() -> None:
    before = (day(20230103, 5000, 6000, (3, 1)), day(20240102, 5100, 6100, (1, 9)), day(20240103, 5200, 6000, (1, 9)))
    other = (before[0], day(20240102, 5100, 6100, (9, 1)), day(20240103, 5200, 6000, (9, 1)))
    assert values(*before) == values(*other)


def test_after_a_year_without_turnover_both_weigh_one_half_again() -> None:
    found = prnd_index([day(20230103, 10, 10, (1, 0)), day(20240102, 10, 10, (0, 0)), day(20250102, 20, 10)])
    assert [found.weights[year].assumed for year in (2023, 2024, 2025)] == [True, False, True]
    assert found.days[-1].value == 150


def test_a_year_that_was_left_out_is_no_year_before() -> None:
    """The venue was away in 2024: 2025 has no weights of a year before."""
    assert prnd_index([day(20230103, 10, 10, (1, 0)), day(20250102, 20, 10)]).weights[2025].assumed


@pytest.mark.parametrize(
    ("counts", "assessed"),
    [((5, 3, 3), True), ((4, 3, 3), False), ((5, 2, 3), False), ((50, 3, 2), False), ((0, 0, 0), False)],
)
def test_a_day_of_few_trades_or_members_is_not_assessed(counts: tuple[int, int, int], assessed: bool) -> None:
    assert [found.assessed for found in prnd_index([day(20230103, 1, 1, (1, 1), counts)]).days] == [assessed]


def test_no_days_make_no_index() -> None:
    assert prnd_index([]) == Index((), {})


prices = st.integers(1, 2**31 - 1)
years = st.lists(
    st.lists(st.tuples(prices, prices, st.integers(0, 10**16), st.integers(0, 10**16)), min_size=1, max_size=4),
    min_size=1,
    max_size=4,
)


def days_of(found: list[list[tuple[int, int, int, int]]]) -> list[IndexInput]:
    return [
        day((2020 + year) * 10_000 + 101 + number, oxide, metal, (first, second))
        for year, rows in enumerate(found)
        for number, (oxide, metal, first, second) in enumerate(rows)
    ]


@given(years)
def test_it_is_what_a_portfolio_is_worth(found: list[list[tuple[int, int, int, int]]]) -> None:
    """The naive way: a holder of 100 puts his money into both at the last day of each year, by that year's turnover."""
    days = days_of(found)
    units = [Fraction(50, days[0].settlement_ticks[0]), Fraction(50, days[0].settlement_ticks[1])]
    expected = []
    for number, one in enumerate(days):
        last = days[number - 1] if number else one
        if number and last.trading_date // 10_000 < one.trading_date // 10_000:
            worth = sum(unit * price for unit, price in zip(units, last.settlement_ticks, strict=True))
            of_year = [early for early in days if early.trading_date // 10_000 == last.trading_date // 10_000]
            traded = [sum(early.amount_fen[product] for early in of_year) for product in (0, 1)]
            shares = [Fraction(part, sum(traded)) for part in traded] if sum(traded) else [Fraction(1, 2)] * 2
            units = [worth * share / price for share, price in zip(shares, last.settlement_ticks, strict=True)]
        expected.append(sum(unit * price for unit, price in zip(units, one.settlement_ticks, strict=True)))
    assert values(*days) == expected


@given(years, st.integers(2, 100))
def test_another_tick_size_changes_nothing(found: list[list[tuple[int, int, int, int]]], times: int) -> None:
    days = days_of(found)
    finer = [
        day(one.trading_date, one.settlement_ticks[0] * times, one.settlement_ticks[1], one.amount_fen) for one in days
    ]
    assert values(*finer) == values(*days)
