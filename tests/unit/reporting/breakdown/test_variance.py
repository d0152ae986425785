from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.documents import NOTHING, Quantity
from services.reporting.breakdown.reading import Period
from services.reporting.breakdown.variance import (
    PriceVolumeVariance,
    ProductVariance,
    compared_periods,
    price_variance,
    product_variances,
    variance,
)
from tests.unit.reporting.breakdown.products import INSTRUMENTS, MAGNET, OXIDE, quantity

LISTED = {number: replace(INSTRUMENTS[OXIDE], symbol=f"P{number}") for number in range(7)}
quantities = st.builds(quantity, st.just(1), st.integers(1, 10**12), st.integers(0, 10**15))
markets = st.dictionaries(st.integers(0, 6), st.one_of(st.just(NOTHING), quantities), max_size=6)


def tonnage_variance(before: Quantity, now: Quantity) -> Fraction:
    """(q₁ − q₀) · (p₁ + p₀) / 2, exactly."""
    prices = [Fraction(one.amount_fen, one.kilograms) for one in (before, now)]
    return (now.kilograms - before.kilograms) * sum(prices, Fraction(0)) / 2


def explain(before: dict[int, Quantity], now: dict[int, Quantity]) -> tuple[ProductVariance, ...]:
    return tuple(product_variances(before, now, LISTED))


def test_an_example_by_hand() -> None:
    """Last year 10 t at 600 yuan/kg = 6,000,000 yuan; this year 12 t at 400 yuan/kg = 4,800,000 yuan.

    price   (400 − 600) × (12,000 + 10,000) / 2 = −200 × 11,000 = −2,200,000
    tonnage (12,000 − 10,000) × (400 + 600) / 2 = 2,000 × 500 = 1,000,000
    both                                                       = −1,200,000 = 4,800,000 − 6,000,000
    """
    before, now = quantity(20, 10_000, 600_000_000), quantity(30, 12_000, 480_000_000)
    assert price_variance(before, now) == -220_000_000
    found = variance(before, now)
    assert (found.price_fen, found.tonnage_fen, found.new_fen, found.gone_fen) == (-220_000_000, 100_000_000, 0, 0)
    assert (found.net_before_fen, found.net_fen, found.difference_fen) == (600_000_000, 480_000_000, -120_000_000)


def test_new_products_and_gone_ones_are_told_apart() -> None:
    traded = quantity(1, 1_000, 5_000)
    found = explain({1: traded, 2: traded, 3: NOTHING}, {2: traded, 4: traded, 3: NOTHING})
    assert {one.symbol: one.kind for one in found} == {"P1": "gone", "P2": "both", "P4": "new"}
    total = PriceVolumeVariance.total(found)
    assert (total.gone_fen, total.new_fen, total.price_fen, total.tonnage_fen) == (-5_000, 5_000, 0, 0)


def test_a_year_without_a_year_before_is_all_new() -> None:
    total = PriceVolumeVariance.total(explain({}, {1: quantity(1, 10, 300), 2: quantity(1, 10, 400)}))
    assert (total.new_fen, total.gone_fen, total.price_fen, total.tonnage_fen) == (700, 0, 0, 0)
    assert explain({}, {}) == explain({}, {1: NOTHING}) == ()
    assert PriceVolumeVariance.total(()).difference_fen == 0


def test_a_price_that_is_no_whole_fen() -> None:
    """1 kg for 100 fen, then 3 kg for 200: p₀ = 100, p₁ = 200/3.

    Price (200/3 − 100) × 4/2 = −66 2/3, tonnage 2 × 250/3 = 166 2/3. Shown are −67 and the rest of the difference of 100.
    """
    before, now = quantity(1, 1, 100), quantity(1, 3, 200)
    assert (price_variance(before, now), tonnage_variance(before, now)) == (Fraction(-200, 3), Fraction(500, 3))
    effect = variance(before, now)
    assert (effect.price_fen, effect.tonnage_fen) == (-67, 167)


@given(quantities, quantities)
def test_both_effects_add_up_exactly(before: Quantity, now: Quantity) -> None:
    price, tonnage = price_variance(before, now), tonnage_variance(before, now)
    assert price + tonnage == now.amount_fen - before.amount_fen
    effect = variance(before, now)
    assert effect.price_fen + effect.tonnage_fen == now.amount_fen - before.amount_fen
    assert abs(effect.price_fen - price) <= Fraction(1, 2)
    assert abs(effect.tonnage_fen - tonnage) <= Fraction(1, 2)


@given(quantities, quantities)
def test_neither_year_is_preferred(before: Quantity, now: Quantity) -> None:
    assert price_variance(before, now) == -price_variance(now, before)


@given(markets, markets)
def test_all_parts_add_up_to_the_difference(before: dict[int, Quantity], now: dict[int, Quantity]) -> None:
    found = PriceVolumeVariance.total(explain(before, now))
    assert found.price_fen + found.tonnage_fen + found.new_fen + found.gone_fen == found.difference_fen
    assert found.difference_fen == sum(one.amount_fen for one in now.values()) - sum(
        one.amount_fen for one in before.values()
    )


def test_two_products_in_words_and_numbers() -> None:
    """Oxide: 1 t at 500,000 yuan/t, then 2 t at 473,000. Price −27,000 × 1.5 = −40,500; tonnage 1 × 486,500. Magnets are new:
    500 kg at 160 yuan/kg."""
    now = {OXIDE: quantity(2, 2_000, 94_600_000), MAGNET: quantity(1, 500, 8_000_000)}
    oxide, magnet = product_variances({OXIDE: quantity(1, 1_000, 50_000_000)}, now, INSTRUMENTS)
    assert (oxide.unit, oxide.mean_price_before_fen, oxide.mean_price_fen) == ("t", 50_000_000, 47_300_000)
    assert (magnet.unit, magnet.mean_price_before_fen, magnet.mean_price_fen) == ("kg", None, 16_000)
    assert magnet.model_dump() == {
        "symbol": "NDFEB-N35", "name_en": "magnet", "name_zh": "毛坯", "net": "80000.00", "net_before": "0.00",
        "difference": "80000.00", "price": "0.00", "tonnage": "0.00", "new": "80000.00", "gone": "0.00", "kind": "new",
        "tonnes": "0.500", "tonnes_before": "0.000", "unit": "kg", "mean_price": "160.00", "mean_price_before": None,
    }  # fmt: skip
    assert PriceVolumeVariance.total((oxide, magnet)).model_dump() == {
        "net": "1026000.00", "net_before": "500000.00", "difference": "526000.00", "price": "-40500.00",
        "tonnage": "486500.00", "new": "80000.00", "gone": "0.00",
    }  # fmt: skip


def test_a_year_is_compared_with_the_same_part_of_the_year_before() -> None:
    assert compared_periods(2024, 20240630) == (Period(20240101, 20240630), Period(20230101, 20230630))
    assert compared_periods(2024, 20240229) == (Period(20240101, 20240229), Period(20230101, 20230228))
    assert compared_periods(2023, 20240630) == (Period(20230101, 20231231), Period(20220101, 20221231))
    assert compared_periods(2025, 20240630) == compared_periods(2023, 0) == (None, None)
