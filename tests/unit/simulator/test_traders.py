from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market import MarketView, Quote
from services.simulator.traders import (
    MAKER_ACTIONS,
    PATIENT_ORDERS,
    Book,
    Cancel,
    NewOrder,
    OpenOrder,
    Side,
    maker,
    patient,
    taker,
)
from tests.unit.simulator.test_market import instrument

SYMBOL = "PRND-OX"


def quote(**changed: int | None) -> Quote:
    market = MarketView()
    market.list_instrument(instrument())
    found = market.quotes[SYMBOL]
    for name, value in changed.items():
        setattr(found, name, value)
    return found


def book(*orders: OpenOrder, lots: int = 100, fen: int = 10**13) -> Book:
    return Book({SYMBOL: 100}, {order.order_id: order for order in orders}, {SYMBOL: lots}, fen)


def resting(order_id: str, side: Side, price_ticks: int) -> OpenOrder:
    return OpenOrder(order_id, SYMBOL, side, price_ticks, 1)


def test_a_maker_builds_its_ladder_from_the_inside_out() -> None:
    actions = maker(random.Random(1), quote(), book())
    assert [(a.side, a.price_ticks) for a in actions if isinstance(a, NewOrder)] == [
        ("buy", 4729),
        ("sell", 4731),
        ("buy", 4727),
        ("sell", 4733),
    ]
    assert {a.time_in_force for a in actions if isinstance(a, NewOrder)} == {"day"}


def test_a_maker_takes_back_what_the_fair_price_has_left_behind_before_it_quotes_anew() -> None:
    stale = [resting("1", "buy", 4760), resting("2", "sell", 4700)]
    actions = maker(random.Random(1), quote(), book(*stale))
    assert actions[:2] == [Cancel("1"), Cancel("2")]
    assert len(actions) == MAKER_ACTIONS


def test_a_maker_with_a_full_ladder_has_nothing_to_do() -> None:
    ladder = [resting(f"b{n}", "buy", 4729 - 2 * n) for n in range(4)]
    ladder += [resting(f"s{n}", "sell", 4731 + 2 * n) for n in range(4)]
    assert maker(random.Random(1), quote(), book(*ladder)) == []


def test_a_taker_takes_the_best_price_of_the_other_side() -> None:
    actions = taker(random.Random(3), quote(bid_ticks=4728, ask_ticks=4732), book(lots=0))
    assert len(actions) == 1
    order = actions[0]
    assert isinstance(order, NewOrder)
    assert order.side == "buy"  # it has none of the lots it would like to have
    assert order.price_ticks is None or 4732 <= order.price_ticks <= 4734


def test_a_taker_finds_nothing_in_an_empty_book() -> None:
    assert taker(random.Random(3), quote(), book()) == []


def test_a_taker_does_not_meet_its_own_remainder() -> None:
    actions = taker(random.Random(3), quote(bid_ticks=4728, ask_ticks=4732), book(resting("9", "sell", 4732), lots=0))
    assert actions == [Cancel("9")]


def test_a_patient_trader_with_many_orders_takes_one_back_first() -> None:
    many = [resting(str(n), "buy", 4700) for n in range(PATIENT_ORDERS)]
    actions = patient(random.Random(5), quote(), book(*many))
    assert isinstance(actions[0], Cancel)
    assert [a.time_in_force for a in actions if isinstance(a, NewOrder)] == ["gtc"]


def test_nobody_orders_what_the_account_does_not_cover() -> None:
    poor = book(lots=0, fen=0)
    for decide in (maker, taker, patient):
        for seed in range(50):
            actions = decide(random.Random(seed), quote(bid_ticks=4728, ask_ticks=4732), poor)
            assert not any(isinstance(action, NewOrder) for action in actions)


@given(seed=st.integers(0, 2**32), fair=st.integers(4448, 5012), lots=st.integers(0, 300))
def test_orders_stay_inside_the_band_and_own_quotes_never_cross(seed: int, fair: int, lots: int) -> None:
    here = quote(fair_ticks=fair, bid_ticks=fair - 1, ask_ticks=fair + 1)
    for decide in (maker, taker, patient):
        orders = [a for a in decide(random.Random(seed), here, book(lots=lots)) if isinstance(a, NewOrder)]
        assert all(order.price_ticks is None or here.inside(order.price_ticks) for order in orders)
        assert all(order.quantity >= 1 for order in orders)
    quotes = [a for a in maker(random.Random(seed), here, book(lots=lots)) if isinstance(a, NewOrder)]
    bids = [a.price_ticks or 0 for a in quotes if a.side == "buy"]
    asks = [a.price_ticks or 0 for a in quotes if a.side == "sell"]
    assert max(bids, default=0) < min(asks, default=10**9)


def test_the_same_seed_decides_the_same() -> None:
    here = quote(bid_ticks=4728, ask_ticks=4732)
    for decide in (maker, taker, patient):
        assert decide(random.Random(9), here, book()) == decide(random.Random(9), here, book())
