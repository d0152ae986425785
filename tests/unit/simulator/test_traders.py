from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.accounts import DemoAccount
from services.simulator.book import Amend, Cancel, NewOrder, Side, TraderBook, TraderOrder
from services.simulator.market import MarketView, Quote
from services.simulator.traders import MAKER_ACTIONS, PATIENT_ORDERS, Decide, maker, patient, taker
from tests.unit.simulator.test_market import instrument

SYMBOL = "PRND-OX"


def quote(**changed: int | None) -> Quote:
    market = MarketView()
    market.list_instrument(instrument())
    found = market.quotes[SYMBOL]
    for name, value in changed.items():
        setattr(found, name, value)
    return found


def book(*orders: TraderOrder, lots: int = 100, fen: int = 10**13) -> TraderBook:
    return TraderBook({SYMBOL: 100}, {order.order_id: order for order in orders}, {SYMBOL: lots}, fen)


def resting(order_id: str, side: Side, price_ticks: int) -> TraderOrder:
    return TraderOrder(order_id, SYMBOL, side, price_ticks, 1)


def test_a_maker_builds_its_ladder_from_the_inside_out() -> None:
    actions = maker(random.Random(1), quote(), book())
    assert [(a.side, a.price_ticks) for a in actions if isinstance(a, NewOrder)] == [
        ("buy", 4729),
        ("sell", 4731),
        ("buy", 4727),
        ("sell", 4733),
    ]
    assert {a.time_in_force for a in actions if isinstance(a, NewOrder)} == {"day"}


def test_a_maker_moves_what_the_fair_price_has_left_behind_before_it_quotes_anew() -> None:
    stale = [resting("1", "buy", 4700), resting("2", "sell", 4760)]
    seen = set()
    for seed in range(20):
        first, second, *others = maker(random.Random(seed), quote(), book(*stale))
        seen |= {type(first), type(second)}
        for action, order_id, prices in ((first, "1", {4729, 4728}), (second, "2", {4731, 4732})):
            assert action == Cancel(order_id) or (isinstance(action, Amend) and action.order_id == order_id)
            assert not isinstance(action, Amend) or action.price_ticks in prices
        assert len(others) == MAKER_ACTIONS - 2
    assert seen == {Amend, Cancel}


def test_a_maker_does_not_move_a_quote_through_its_own_on_the_other_side() -> None:
    stale = [resting("1", "buy", 4760), resting("2", "sell", 4700)]
    for seed in range(20):
        assert maker(random.Random(seed), quote(), book(*stale))[:2] == [Cancel("1"), Cancel("2")]


def test_a_maker_with_a_full_ladder_enters_one_quote_anew() -> None:
    ladder = [resting(f"b{n}", "buy", 4729 - 2 * n) for n in range(4)]
    ladder += [resting(f"s{n}", "sell", 4731 + 2 * n) for n in range(4)]
    cancel, order = maker(random.Random(1), quote(), book(*ladder))
    assert isinstance(cancel, Cancel)
    assert isinstance(order, NewOrder)
    replaced = next(one for one in ladder if one.order_id == cancel.order_id)
    assert (order.side, order.price_ticks) == (replaced.side, replaced.price_ticks)


@given(
    seed=st.integers(0, 2**32),
    bid=st.integers(4700, 4750),
    spread=st.integers(1, 5),
    last=st.integers(4690, 4770),
    fair=st.integers(4690, 4770),
)
def test_only_takers_meet_the_other_side(seed: int, bid: int, spread: int, last: int, fair: int) -> None:
    here = quote(bid_ticks=bid, ask_ticks=bid + spread, last_ticks=last, fair_ticks=fair)
    for decide in (maker, patient):
        for order in decide(random.Random(seed), here, book()):
            if isinstance(order, NewOrder) and order.stop_ticks is not None:
                assert not here.would_trigger(order.side, order.stop_ticks)
            elif isinstance(order, NewOrder) and order.price_ticks is not None:
                assert order.price_ticks < bid + spread if order.side == "buy" else order.price_ticks > bid


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


def test_a_trader_is_content_with_what_a_history_has_left_it_and_hungry_for_what_it_lacks() -> None:
    account = DemoAccount("Steppe Wind Drives", "taker", 0, {SYMBOL: 100})
    hunger = {}
    for held in (250, 40):
        one = book(lots=held)
        one.home_lots = account.home_lots({SYMBOL: held, "PRND-MET": 7})
        assert set(one.home_lots) == {SYMBOL}
        hunger[held] = one.hunger(SYMBOL)
    assert hunger == {250: 0, 40: 0.6}
    assert account.home_lots({}) == {SYMBOL: 100}


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


def placed(decide: Decide, here: Quote, seeds: int = 3_000) -> list[NewOrder]:
    found = [decide(random.Random(seed), here, book(), 1.0) for seed in range(seeds)]
    return [action for actions in found for action in actions if isinstance(action, NewOrder)]


def test_the_kinds_of_orders_a_visitor_sees() -> None:
    # The cheapest instrument: its everyday orders have lots enough for icebergs.
    here = quote(bid_ticks=4728, ask_ticks=4732, reference_ticks=40, low_ticks=1, high_ticks=10_000)
    quotes, taken, waiting = placed(maker, here), placed(taker, here), placed(patient, here)
    assert any(order.post_only for order in quotes)
    assert all(order.price_ticks < 4732 for order in quotes if order.post_only and order.side == "buy")  # type: ignore[operator]
    assert all(order.price_ticks > 4728 for order in quotes if order.post_only and order.side == "sell")  # type: ignore[operator]
    for orders in (quotes, waiting):
        icebergs = [order for order in orders if order.display is not None]
        assert icebergs
        assert all(order.display and order.quantity / 100 <= order.display < order.quantity for order in icebergs)
    assert {order.time_in_force for order in taken} == {"ioc", "fok", "day"}
    assert {order.price_ticks is None for order in waiting if order.stop_ticks} == {True, False}
    assert all(order.stop_ticks is None or (order.stop_ticks > 4730) == (order.side == "buy") for order in waiting)
    assert {order.time_in_force for order in waiting} == {"gtc", "gtd"}
    assert all((order.time_in_force == "gtd") == (order.lifetime_s is not None) for order in waiting)


def test_in_a_call_auction_all_orders_rest() -> None:
    here = quote(open=False, collecting=True, bid_ticks=4728, ask_ticks=4732)
    for decide in (maker, taker, patient):
        orders = placed(decide, here, seeds=300)
        assert orders
        assert {order.time_in_force for order in orders} <= {"day", "gtc", "gtd"}
        assert all(order.price_ticks and not order.stop_ticks and not order.post_only for order in orders)


def test_the_same_seed_decides_the_same() -> None:
    here = quote(bid_ticks=4728, ask_ticks=4732)
    for decide in (maker, taker, patient):
        assert decide(random.Random(9), here, book()) == decide(random.Random(9), here, book())
