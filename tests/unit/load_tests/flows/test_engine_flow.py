from __future__ import annotations

import numpy as np
import pytest

from load_tests.flows import book_flows
from load_tests.flows.book_flows import FAR, NARROW, WIDE, PriceRange
from load_tests.flows.engine_flow import engine_records
from matching_engine import Engine
from matching_engine.records import CommandKind, EventKind, Reason


def test_sequence_numbers_run_through_opening_and_flow() -> None:
    opening, records = engine_records(book_flows.standard(1_000, 2, accounts=3))
    whole = np.concatenate([opening, records])
    assert whole["seq"].tolist() == list(range(1, len(whole) + 1))
    cancels = records[records["kind"] == CommandKind.CANCEL]
    targets = whole[cancels["order_id"].astype(int) - 1]
    assert (targets["kind"] == CommandKind.NEW_ORDER).all()
    assert (targets["account"] == cancels["account"]).all()


@pytest.mark.parametrize(("name", "prices"), [("standard", NARROW), ("surveyed", WIDE), ("deep", NARROW), ("far", FAR)])
def test_a_whole_engine_refuses_nothing_but_what_comes_too_late(name: str, prices: PriceRange) -> None:
    flow = getattr(book_flows, name)(5_000, 2)
    opening, records = engine_records(flow, prices)
    engine = Engine()
    events = np.concatenate([engine.process(opening), engine.process(records)])
    reasons = set(events["reason"][events["kind"] == EventKind.REJECTED].tolist())
    assert reasons == ({Reason.UNKNOWN_ORDER} if name == "surveyed" else set())
    assert (events["kind"] == EventKind.TRADE).sum() > 50
