from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.contracts import NOTHING, Quantity
from services.reporting.breakdown.ladder import Counted, Ladder, Release, TakenOut, make_ladders, value_releases
from tests.unit.reporting.breakdown.products import INSTRUMENTS, MAGNET, OXIDE, line

quantities = st.builds(Quantity, *[st.integers(0, 10**15)] * 3)


def test_an_example_by_hand() -> None:
    """Four trades of oxide at 473,000 yuan/t: 2 t count, 1 t is busted, 1 t is excluded. One of 5 lots (500 kg) of magnets at
    160.00 yuan/kg counts.

    3 bought all that counts from 2. Then 3 took out 1 t of oxide on a day that settled at 4,700 ticks (470,000 yuan/t), and
    2 lots of magnets today, before it has settled: at the price in force, 1,600 ticks = 160.00 yuan/kg.
    """
    tonne = 47_300_000  # fen: 4,730 ticks × 10,000
    magnets = Quantity(1, 500, 5 * 1_600 * 1_000)  # 80,000.00 yuan
    oxide = Quantity(2, 2_000, 2 * tonne)
    found = make_ladders(
        INSTRUMENTS,
        {OXIDE: Counted(oxide, Quantity(1, 1_000, tonne), Quantity(1, 1_000, tonne)), MAGNET: Counted(magnets)},
        {OXIDE: 2 * tonne, MAGNET: 8_000_000},
        [line(3, OXIDE, bought=oxide), line(2, OXIDE, sold=oxide), line(3, MAGNET, bought=magnets)],
        [Release(20230105, OXIDE, 1, 4_700), Release(20230106, MAGNET, 2, None)],
    )
    one = found.products[OXIDE]
    assert one.gross == Quantity(4, 4_000, 189_200_000)
    assert one.counted.net == one.delivered == Quantity(2, 2_000, 94_600_000)
    assert one.taken_out == TakenOut(1_000, 47_000_000)
    assert one.churn == 2  # 2 t traded, 1 t left
    assert found.products[MAGNET].taken_out == TakenOut(200, 3_200_000, 3_200_000)
    assert found.products[MAGNET].churn == Fraction(5, 2)
    whole = found.whole
    assert whole.gross == Quantity(5, 4_500, 197_200_000)
    assert (whole.counted.busted, whole.counted.excluded) == (Quantity(1, 1_000, tonne),) * 2
    assert whole.counted.net == whole.delivered == Quantity(3, 2_500, 102_600_000)
    assert whole.changed_hands_fen == 102_600_000
    assert whole.taken_out == TakenOut(1_200, 50_200_000, 3_200_000)
    assert whole.churn == Fraction(2_500, 1_200)


def test_an_empty_venue_has_an_empty_ladder() -> None:
    found = make_ladders(INSTRUMENTS, {}, {}, [], [])
    assert found.products == {}
    assert found.whole == Ladder(Counted(), 0, NOTHING, TakenOut())
    assert (found.whole.gross, found.whole.churn) == (NOTHING, None)


def test_goods_that_never_traded_may_leave() -> None:
    found = make_ladders(INSTRUMENTS, {}, {}, [], [Release(20230105, OXIDE, 3, 4_700)])
    assert found.products[OXIDE].taken_out == TakenOut(3_000, 141_000_000)
    assert found.whole.churn == 0


def test_each_release_has_the_price_of_its_own_day() -> None:
    releases = [Release(20230105, OXIDE, 1, 4_700), Release(20230106, OXIDE, 2, 5_000)]
    assert value_releases(releases, INSTRUMENTS) == {OXIDE: TakenOut(3_000, 147_000_000)}


@given(st.lists(st.tuples(st.sampled_from([OXIDE, MAGNET]), quantities, quantities, quantities), max_size=8))
def test_the_rungs_subtract(parts: list[tuple[int, Quantity, Quantity, Quantity]]) -> None:
    counted = {instrument: Counted(*of) for instrument, *of in parts}
    found = make_ladders(INSTRUMENTS, counted, {}, [], [])
    for one in (*found.products.values(), found.whole):
        assert one.gross - one.counted.busted - one.counted.excluded == one.counted.net
    assert found.whole.gross.amount_fen == sum(one.gross.amount_fen for one in found.products.values())
