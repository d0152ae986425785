from __future__ import annotations

import numpy as np
import pytest

from load_tests.engine_flow import BAND_PPM, REFERENCE_TICKS, Records, book_flow, engine_flow
from matching_engine.records import CommandKind, TimeInForce, band


def shares(records: Records) -> tuple[float, float, float]:
    new = records["kind"] == CommandKind.NEW_ORDER
    immediate = new & (records["time_in_force"] == TimeInForce.IOC)
    return (new & ~immediate).mean(), (records["kind"] == CommandKind.CANCEL).mean(), immediate.mean()


@pytest.mark.parametrize("instruments", [1, 64])
def test_the_mix(instruments: int) -> None:
    records = book_flow(20_000, instruments)
    assert shares(records) == pytest.approx((0.56, 0.40, 0.04), abs=0.01)
    assert len(np.unique(records["instrument"][records["kind"] == CommandKind.NEW_ORDER])) == instruments


def test_same_seed_same_records() -> None:
    assert book_flow(2_000, 4, seed=5).tobytes() == book_flow(2_000, 4, seed=5).tobytes()
    assert book_flow(2_000, 4, seed=5).tobytes() != book_flow(2_000, 4, seed=6).tobytes()


def test_a_cancel_names_an_earlier_order_of_its_account_once() -> None:
    records = book_flow(20_000, 4)
    account_of: dict[int, int] = {}
    for record in records:
        if record["kind"] == CommandKind.NEW_ORDER:
            account_of[int(record["order_id"])] = int(record["account"])
        else:
            assert account_of.pop(int(record["order_id"])) == record["account"]


def test_prices_stay_inside_the_band() -> None:
    records = book_flow(20_000, 1)
    prices = records["price_ticks"][records["kind"] == CommandKind.NEW_ORDER]
    low, high = band(REFERENCE_TICKS, BAND_PPM)
    assert low <= prices.min() < prices.max() <= high


def test_sequence_numbers_run_through_opening_and_flow() -> None:
    opening, records = engine_flow(1_000, 2, accounts=3)
    whole = np.concatenate([opening, records])
    assert whole["seq"].tolist() == list(range(1, len(whole) + 1))
    cancels = records[records["kind"] == CommandKind.CANCEL]
    targets = whole[cancels["order_id"].astype(int) - 1]
    assert (targets["kind"] == CommandKind.NEW_ORDER).all()
    assert (targets["account"] == cancels["account"]).all()
