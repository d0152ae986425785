from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.bridge import (
    NOTHING_OUT,
    TakenOut,
    TurnoverBridge,
    changed_hands_in,
    make_bridges,
    value_releases,
)
from services.reporting.breakdown.documents import NOTHING, Quantity
from services.reporting.breakdown.reading import Counted, Release
from tests.unit.reporting.breakdown.products import INSTRUMENTS, MAGNET, OXIDE, line, quantity

quantities = st.builds(quantity, *[st.integers(0, 10**15)] * 3)


def taken_out(kilograms: int, amount_fen: int, unsettled_fen: int = 0) -> TakenOut:
    return TakenOut(amount_fen=amount_fen, kilograms=kilograms, unsettled_fen=unsettled_fen)


def test_an_example_by_hand() -> None:
    """Four trades of oxide at 473,000 yuan/t: 2 t count, 1 t is busted, 1 t is excluded. One of 5 lots (500 kg) of magnets at
    160.00 yuan/kg counts.

    3 bought all that counts from 2. Then 3 took out 1 t of oxide on a day that settled at 4,700 ticks (470,000 yuan/t), and
    2 lots of magnets today, before it has settled: at the price in force, 1,600 ticks = 160.00 yuan/kg.
    """
    tonne = 47_300_000  # fen: 4,730 ticks × 10,000
    magnets = quantity(1, 500, 5 * 1_600 * 1_000)  # 80,000.00 yuan
    oxide = quantity(2, 2_000, 2 * tonne)
    found = make_bridges(
        INSTRUMENTS,
        {OXIDE: Counted(oxide, quantity(1, 1_000, tonne), quantity(1, 1_000, tonne)), MAGNET: Counted(magnets)},
        {OXIDE: 2 * tonne, MAGNET: 8_000_000},
        [line(3, OXIDE, bought=oxide), line(2, OXIDE, sold=oxide), line(3, MAGNET, bought=magnets)],
        [Release(20230105, OXIDE, 1, 4_700), Release(20230106, MAGNET, 2, None)],
    )
    one = found.products[OXIDE]
    assert one.gross == quantity(4, 4_000, 189_200_000)
    assert one.net == one.delivered == quantity(2, 2_000, 94_600_000)
    assert one.taken_out == taken_out(1_000, 47_000_000)
    assert one.churn == 2  # 2 t traded, 1 t left
    assert found.products[MAGNET].taken_out == taken_out(200, 3_200_000, 3_200_000)
    assert found.products[MAGNET].churn == Fraction(5, 2)
    whole = found.whole
    assert whole.gross == quantity(5, 4_500, 197_200_000)
    assert (whole.busted, whole.excluded) == (quantity(1, 1_000, tonne),) * 2
    assert whole.net == whole.delivered == quantity(3, 2_500, 102_600_000)
    assert whole.changed_hands_fen == 102_600_000
    assert whole.taken_out == taken_out(1_200, 50_200_000, 3_200_000)
    assert whole.churn == Fraction(2_500, 1_200)


def test_an_empty_venue_has_an_empty_bridge() -> None:
    found = make_bridges(INSTRUMENTS, {}, {}, [], [])
    assert found.products == {}
    assert found.whole == TurnoverBridge(
        gross=NOTHING, busted=NOTHING, excluded=NOTHING, net=NOTHING, changed_hands_fen=0, delivered=NOTHING,
        taken_out=NOTHING_OUT, churn=None,
    )  # fmt: skip


def test_goods_that_never_traded_may_leave() -> None:
    found = make_bridges(INSTRUMENTS, {}, {}, [], [Release(20230105, OXIDE, 3, 4_700)])
    assert found.products[OXIDE].taken_out == taken_out(3_000, 141_000_000)
    assert found.whole.churn == 0


def test_each_release_has_the_price_of_its_own_day() -> None:
    releases = [Release(20230105, OXIDE, 1, 4_700), Release(20230106, OXIDE, 2, 5_000)]
    assert value_releases(releases, INSTRUMENTS) == {OXIDE: taken_out(3_000, 147_000_000)}


@given(st.lists(st.tuples(st.sampled_from([OXIDE, MAGNET]), quantities, quantities, quantities), max_size=8))
def test_the_rungs_subtract(parts: list[tuple[int, Quantity, Quantity, Quantity]]) -> None:
    counted = {instrument: Counted(*of) for instrument, *of in parts}
    found = make_bridges(INSTRUMENTS, counted, {}, [], [])
    for one in (*found.products.values(), found.whole):
        assert Quantity.total((one.net, one.busted, one.excluded)) == one.gross
    assert found.whole.gross.amount_fen == sum(one.gross.amount_fen for one in found.products.values())


def test_a_bridge_in_words_and_numbers() -> None:
    oxide = quantity(2, 2_000, 94_600_000)
    releases = [Release(20230105, OXIDE, 3, None)]
    shown = make_bridges(INSTRUMENTS, {OXIDE: Counted(oxide)}, {OXIDE: 94_600_000}, [], releases).whole.model_dump()
    assert shown["net"] == {"amount": "946000.00", "tonnes": "2.000", "trades": 2}
    assert (shown["changed_hands"], shown["delivered"]["amount"], shown["churn"]) == ("946000.00", "0.00", "0.67")
    assert shown["taken_out"] == {"amount": "1419000.00", "tonnes": "3.000", "unsettled": "1419000.00"}


def test_a_period_of_what_changed_hands() -> None:
    found = changed_hands_in([20230103, 20230104], {20230103: 100, 20230104: 200}, 100)
    assert found is not None
    assert found.model_dump() == {
        "first_date": "2023-01-03", "last_date": "2023-01-04", "net": "3.00", "changed_hands": "1.00", "share": "0.333333",
    }  # fmt: skip
    nothing = changed_hands_in([20230103], {20230103: 0}, 0)
    assert nothing is not None
    assert nothing.share == 0
    assert changed_hands_in([], {}, 0) is None
