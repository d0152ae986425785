from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.records import MAX_PRICE_TICKS, Phase
from services.venue_state.errors import BadField
from services.venue_state.instruments import VenueInstrument


def instrument(tick_size: str = "0.50", lot_size: int = 100) -> VenueInstrument:
    return VenueInstrument(
        0,
        tick_value_fen=int(Decimal(tick_size) * lot_size * 100),
        band_ppm=50_000,
        max_quantity_lots=1_000,
        reference_ticks=1_000,
        phase=Phase.CONTINUOUS,
        facts={"symbol": "X", "tick_size": tick_size},
    )


@pytest.mark.parametrize(
    ("tick_size", "text", "ticks"),
    [
        ("0.50", "160", 320),
        ("0.50", "160.5", 321),
        ("0.50", "160.50", 321),
        ("0.50", "160.500000", 321),
        ("100.00", "473000.00", 4730),
        ("100", "473000", 4730),
        ("0.001", "0.001", 1),
        ("0.50", "1073741823.5", MAX_PRICE_TICKS),
        ("0.50", "0000000000000160", 320),
    ],
)
def test_prices_that_stand_on_the_grid(tick_size: str, text: str, ticks: int) -> None:
    assert instrument(tick_size).price_ticks(text) == ticks


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("160.25", "price_off_tick"),
        ("160.501", "price_off_tick"),
        ("0", "invalid_price"),
        ("0.00", "invalid_price"),
        ("-160", "invalid_price"),
        ("-160.25", "price_off_tick"),
        ("1073741824", "invalid_price"),
        ("9999999999999999", "invalid_price"),
    ],
)
def test_prices_that_are_refused_name_the_field_and_the_rule(text: str, code: str) -> None:
    with pytest.raises(BadField) as caught:
        instrument().price_ticks(text)
    assert (caught.value.code, caught.value.field) == (code, "price")
    assert "0.50" in caught.value.message or "1073741823.50" in caught.value.message


@given(st.integers(1, MAX_PRICE_TICKS), st.sampled_from(["0.10", "0.50", "0.0333", "100.00", "5", "0.01"]))
def test_ticks_and_text_go_there_and_back(ticks: int, tick_size: str) -> None:
    one = instrument(tick_size)
    assert one.price_ticks(one.price_text(ticks)) == ticks
    assert Decimal(one.price_text(ticks)) == ticks * Decimal(tick_size)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 1_000)), min_size=1, max_size=5))
def test_an_average_is_the_notional_by_the_quantity_half_up(fills: list[tuple[int, int]]) -> None:
    one = instrument("0.50")
    lots = sum(quantity for _, quantity in fills)
    fen = sum(ticks * quantity * one.tick_value_fen for ticks, quantity in fills)
    exact = sum((ticks * Decimal("0.50") * quantity for ticks, quantity in fills), Decimal(0)) / lots
    assert one.average_text(fen, lots) == str(exact.quantize(Decimal("0.000001"), ROUND_HALF_UP))


@pytest.mark.parametrize(("quantity", "fine"), [(1, True), (1_000, True), (0, False), (-1, False), (1_001, False)])
def test_quantities(quantity: int, fine: bool) -> None:
    if fine:
        assert instrument().quantity_lots(quantity) == quantity
        return
    with pytest.raises(BadField, match="quantity: must be from 1 to 1000 lots"):
        instrument().quantity_lots(quantity)
