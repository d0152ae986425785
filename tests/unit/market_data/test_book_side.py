"""The price levels of one side, compared with a dict of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matching_engine.records import Side
from services.market_data.instrument_market import BookSide, Level

totals = st.tuples(st.integers(1, 6), st.integers(0, 2), st.integers(1, 2))
"""Price, lots (0: the level is gone) and orders."""


@given(side=st.sampled_from(Side), changes=st.lists(totals, max_size=30))
def test_a_side_is_its_last_totals_and_says_when_its_best_price_is_another_one(
    side: Side, changes: list[tuple[int, int, int]]
) -> None:
    book_side, known = BookSide(side), dict[int, Level]()
    best_of = max if side == Side.BUY else min
    for price_ticks, lots, orders in changes:
        before = best_of(known, default=None)
        if lots:
            known[price_ticks] = Level(price_ticks, lots, orders)
        else:
            known.pop(price_ticks, None)
        best = best_of(known, default=None)
        assert book_side.set(price_ticks, lots, orders) == (best != before)
        assert book_side.best() == best
        assert book_side.levels() == sorted(known.values(), reverse=side == Side.BUY)
        assert book_side.level(price_ticks) == known.get(price_ticks, Level(price_ticks, 0, 0))
