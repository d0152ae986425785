from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from load_tests.benchmarks.book_rates import STRETCH
from load_tests.flows import book_flows
from load_tests.flows.book_flows import (
    FAR,
    GOLDEN,
    NARROW,
    SWING_MESSAGES,
    WIDE,
    PriceRange,
    Records,
    book_records,
    colliding_ids,
)
from load_tests.flows.flow_mix import Mix, mix_of
from matching_engine import OrderBook
from matching_engine.records import CommandKind, TimeInForce, band

ORDER_IDS = Path(__file__).parents[4] / "matching_engine" / "book" / "order_ids.py"


def mix(commands: Records) -> Mix:
    """What a real book makes of a flow."""
    return mix_of(commands, OrderBook(int(commands["instrument"].max()) + 1).process(commands))


@pytest.mark.parametrize("instruments", [1, 64])
def test_the_standard_flow_adds_cancels_and_trades(instruments: int) -> None:
    flow = book_flows.standard(60_000, instruments)
    found = mix(book_records(flow))
    assert (found.adds, found.cancels, found.immediate) == pytest.approx((0.56, 0.40, 0.04), abs=0.01)
    assert found.marketable == pytest.approx(0.11, abs=0.015)
    assert found.amends == found.late == 0
    assert found.resting > 700 * instruments**0.3
    assert len(np.unique(flow["instrument"])) == instruments


def test_a_stretched_flow_makes_the_same_trades_on_levels_far_apart() -> None:
    flow = book_flows.standard(60_000)
    near, far = (OrderBook().process(book_records(each)) for each in (flow, book_flows.stretched(flow, STRETCH)))
    same = [name for name in near.dtype.names if name != "price_ticks"]
    assert far[same].tolist() == near[same].tolist()
    reference = NARROW.reference_ticks
    assert (far["price_ticks"] - reference == STRETCH * (near["price_ticks"] - reference)).all()
    assert abs(STRETCH * book_flows.NARROW_WALK / reference - 0.4) < 0.02


def test_the_surveyed_flow_amends_cancels_again_and_hardly_trades() -> None:
    commands = book_records(book_flows.surveyed(60_000))
    found = mix(commands)
    assert (found.amends, found.immediate) == pytest.approx((0.20, 0.15), abs=0.01)
    assert found.late == pytest.approx(0.02, abs=0.003)
    assert found.canceled == pytest.approx(0.95, abs=0.015)


def test_the_surveyed_flow_walks_over_forty_percent_either_way_with_power_law_depth() -> None:
    flow = book_flows.surveyed(380_000)
    new = flow[(flow["kind"] == CommandKind.NEW_ORDER) & (flow["time_in_force"] == TimeInForce.GTC)]
    middles = [np.median(part["price_ticks"]) for part in np.array_split(new, 200)]
    assert min(middles) / WIDE.reference_ticks == pytest.approx(0.6, abs=0.02)
    assert max(middles) / WIDE.reference_ticks == pytest.approx(1.4, abs=0.02)
    # Of a power law, each ten times as far leaves about the same part.
    made_at = np.flatnonzero((flow["kind"] == CommandKind.NEW_ORDER) & (flow["time_in_force"] == TimeInForce.GTC))[
        :20_000
    ]
    middle = WIDE.reference_ticks * (1 + 0.4 * np.sin(2 * np.pi * made_at / SWING_MESSAGES))
    distances = np.abs(new["price_ticks"][:20_000] - middle)
    beyond = [(distances > ticks).mean() for ticks in (10, 100, 1_000, 10_000)]
    assert [later / earlier for earlier, later in pairwise(beyond)] == pytest.approx([0.17] * 3, abs=0.06)


def test_the_deep_flow_has_one_level_a_side_and_eats_it_from_the_front() -> None:
    flow = book_flows.deep(60_000)
    found = mix(book_records(flow))
    assert set(flow["price_ticks"][flow["kind"] == CommandKind.NEW_ORDER]) == {5_000, 5_001}
    assert found.peak > 4_000
    assert found.trades > 6_000 * 0.95
    assert found.late == 0


def test_the_far_flow_hardly_ever_meets_a_price_again() -> None:
    flow = book_flows.far(20_000)
    found = mix(book_records(flow))
    adds = flow["price_ticks"][(flow["kind"] == CommandKind.NEW_ORDER) & (flow["time_in_force"] == TimeInForce.GTC)]
    assert len(np.unique(adds)) > 0.98 * len(adds)
    assert found.late == 0
    assert found.trades > 200


@pytest.mark.parametrize(("name", "prices"), [("standard", NARROW), ("surveyed", WIDE), ("deep", NARROW), ("far", FAR)])
def test_the_same_seed_gives_the_same_flow_inside_its_price_range(name: str, prices: PriceRange) -> None:
    make = getattr(book_flows, name)
    flow = make(3_000, 2, seed=5)
    assert flow.tobytes() == make(3_000, 2, seed=5).tobytes()
    assert flow.tobytes() != make(3_000, 2, seed=6).tobytes()
    priced = flow["price_ticks"][flow["price_ticks"] != 0]
    low, high = band(*prices)
    assert low <= priced.min() < priced.max() <= high


def test_without_accounts_nobody_trades_with_itself() -> None:
    commands = book_records(book_flows.standard(5_000, accounts=0))
    assert not commands["account"].any()
    assert not commands["owner"].any()
    assert mix(commands).late == 0


def test_colliding_ids_differ_and_stand_at_one_place_of_the_id_table() -> None:
    formula = "((order_id ^ (order_id >> 32)) * 0x9E37_79B9_7F4A_7C15) & WORD"
    assert formula in ORDER_IDS.read_text(), "the id table hashes otherwise: make other ids"
    ids = colliding_ids(50_000)
    assert len(np.unique(ids)) == len(ids)
    folded = [int(number) ^ int(number) >> 32 for number in ids]
    assert {number * GOLDEN % 2**64 >> (64 - 20) for number in folded} == {0}
    flow = book_flows.standard(2_000)
    assert mix(book_records(flow, ids)) == mix(book_records(flow))
