from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.contracts import NOTHING, Quantity
from services.reporting.breakdown.effects import Effect, explain, price_effect

quantities = st.builds(Quantity, st.just(1), st.integers(1, 10**12), st.integers(0, 10**15))
markets = st.dictionaries(st.integers(0, 6), st.one_of(st.just(NOTHING), quantities), max_size=6)


def tonnage_effect(before: Quantity, now: Quantity) -> Fraction:
    """(q₁ − q₀) · (p₁ + p₀) / 2, exactly."""
    prices = [Fraction(one.amount_fen, one.kilograms) for one in (before, now)]
    return (now.kilograms - before.kilograms) * sum(prices, Fraction(0)) / 2


def test_an_example_by_hand() -> None:
    """Last year 10 t at 600 yuan/kg = 6,000,000 yuan; this year 12 t at 400 yuan/kg = 4,800,000 yuan.

    price   (400 − 600) × (12,000 + 10,000) / 2 = −200 × 11,000 = −2,200,000
    tonnage (12,000 − 10,000) × (400 + 600) / 2 = 2,000 × 500 = 1,000,000
    both                                                       = −1,200,000 = 4,800,000 − 6,000,000
    """
    before, now = Quantity(20, 10_000, 600_000_000), Quantity(30, 12_000, 480_000_000)
    assert price_effect(before, now) == -220_000_000
    assert explain({7: before}, {7: now}).products == {
        7: Effect("both", before, now, price_fen=-220_000_000, tonnage_fen=100_000_000, new_fen=0, gone_fen=0)
    }


def test_new_products_and_gone_ones_are_told_apart() -> None:
    traded = Quantity(1, 1_000, 5_000)
    found = explain({1: traded, 2: traded, 3: NOTHING}, {2: traded, 4: traded, 3: NOTHING})
    assert {number: effect.kind for number, effect in found.products.items()} == {1: "gone", 2: "both", 4: "new"}
    assert (found.gone_fen, found.new_fen, found.price_fen, found.tonnage_fen) == (-5_000, 5_000, 0, 0)


def test_a_year_without_a_year_before_is_all_new() -> None:
    found = explain({}, {1: Quantity(1, 10, 300), 2: Quantity(1, 10, 400)})
    assert (found.new_fen, found.gone_fen, found.price_fen, found.tonnage_fen) == (700, 0, 0, 0)
    assert explain({}, {}).products == {}


def test_a_price_that_is_no_whole_fen() -> None:
    """1 kg for 100 fen, then 3 kg for 200: p₀ = 100, p₁ = 200/3.

    Price (200/3 − 100) × 4/2 = −66 2/3, tonnage 2 × 250/3 = 166 2/3. Shown are −67 and the rest of the difference of 100.
    """
    before, now = Quantity(1, 1, 100), Quantity(1, 3, 200)
    assert (price_effect(before, now), tonnage_effect(before, now)) == (Fraction(-200, 3), Fraction(500, 3))
    effect = explain({1: before}, {1: now}).products[1]
    assert (effect.price_fen, effect.tonnage_fen) == (-67, 167)


@given(quantities, quantities)
def test_both_effects_add_up_exactly(before: Quantity, now: Quantity) -> None:
    price, tonnage = price_effect(before, now), tonnage_effect(before, now)
    assert price + tonnage == now.amount_fen - before.amount_fen
    effect = explain({1: before}, {1: now}).products[1]
    assert effect.price_fen + effect.tonnage_fen == now.amount_fen - before.amount_fen
    assert abs(effect.price_fen - price) <= Fraction(1, 2)
    assert abs(effect.tonnage_fen - tonnage) <= Fraction(1, 2)


@given(quantities, quantities)
def test_neither_year_is_preferred(before: Quantity, now: Quantity) -> None:
    assert price_effect(before, now) == -price_effect(now, before)


@given(markets, markets)
def test_all_parts_add_up_to_the_difference(before: dict[int, Quantity], now: dict[int, Quantity]) -> None:
    found = explain(before, now)
    parts = found.price_fen + found.tonnage_fen + found.new_fen + found.gone_fen
    difference = sum(one.amount_fen for one in now.values()) - sum(one.amount_fen for one in before.values())
    assert parts == difference
