"""Instruments: settlement and the edges of the band against plain arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from matching_engine import Engine
from matching_engine.ledger.instruments import Instruments
from matching_engine.records import MAX_PRICE_TICKS, Command, CommandKind, Phase, band
from tests.property.engine_flow import array, numbered
from tests.unit.matching_engine.engine_talk import BUY, SELL, Talk


@given(st.integers(1, MAX_PRICE_TICKS), st.integers(0, 999_999))
def test_the_edges_are_those_of_the_records(reference: int, rate: int) -> None:
    """Seen from outside: the state says the reference, and prices at the edges are taken."""
    low, high = band(reference, rate)
    engine = Engine()
    order = Command(kind=CommandKind.NEW_ORDER, account=1, side=SELL, order_type=1, time_in_force=2, quantity_lots=1)
    prices = (low - 1, low, min(high, MAX_PRICE_TICKS), high + 1)
    commands = [
        Command(kind=CommandKind.SET_PHASE, instrument=0xFFFF, phase=Phase.CONTINUOUS),
        Command(kind=CommandKind.LIST_INSTRUMENT, amount_fen=1, price_ticks=reference, rate_ppm=rate, quantity_lots=1),
        *[order._replace(price_ticks=price) for price in prices],
    ]
    reasons = engine.process(array(numbered(commands)))["reason"].tolist()[-4:]
    below = 40 if low == 1 else 84
    above = 40 if high >= MAX_PRICE_TICKS else 80
    assert reasons == [below, 96, 96, above]


@given(st.lists(st.tuples(st.integers(950, 1050), st.integers(5, 13)), min_size=1, max_size=8))
def test_settlement_is_the_average_price_by_volume(trades: list[tuple[int, int]]) -> None:
    talk = Talk(Engine())
    for price, lots in trades:
        talk.order(4, SELL, lots, price)
        talk.order(2, BUY, lots, price)
    average = Fraction(sum(price * lots for price, lots in trades), sum(lots for _, lots in trades))
    assert talk.day_roll(20230103)[1].price_ticks == floor(average + Fraction(1, 2))


def test_a_halt_hides_the_phase_and_does_not_change_it() -> None:
    instruments = Instruments()
    instruments.set_all_phases(Phase.CONTINUOUS)
    assert instruments.add(1, 100, 0, 1) == 0
    instruments.set_halted(0, True)
    assert instruments.phase(0) == Phase.HALTED
    instruments.set_phase(0, Phase.CLOSED)
    assert instruments.phase(0) == Phase.HALTED
    instruments.set_all_halted(False)
    assert (instruments.phase(0), instruments.initial_phase()) == (Phase.CLOSED, Phase.CONTINUOUS)
