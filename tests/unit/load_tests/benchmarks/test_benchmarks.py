from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest

from load_tests.benchmarks import __main__ as program
from load_tests.benchmarks.batches import batches_of
from load_tests.benchmarks.measurement import Measurement, Work, call_nanoseconds, median_seconds, ratio_range
from load_tests.flows.book_flows import book_records, standard


def test_a_ratio_says_how_much_of_the_limit_is_reached() -> None:
    assert Measurement("x", 30.0, "orders/s", "bare", 40.0).to_json()["ratio"] == 0.75
    assert Measurement("x", 30.0, "orders/s").to_json()["ratio"] is None


def test_the_spread_sets_each_run_beside_the_limit_next_to_it() -> None:
    assert ratio_range([50.0, 30.0, 90.0], [100.0, 30.0, 100.0]) == "50% to 100% in 3 runs"


def test_each_work_is_prepared_and_timed_in_turn_after_a_round_that_warms_up() -> None:
    happened: list[str] = []

    def work(name: str) -> Work:
        happened.append(f"prepare {name}")
        return lambda: happened.append(f"run {name}" + (" with gc" if gc.isenabled() else ""))

    seconds = median_seconds(2, lambda: work("a"), lambda: work("b"))
    assert happened == ["prepare a", "run a", "prepare b", "run b"] * 3
    assert len(seconds) == 2
    assert min(seconds) > 0
    assert gc.isenabled()


def test_single_calls_are_timed_one_by_one() -> None:
    called: list[int] = []
    assert call_nanoseconds(called.append, [(1,), (2,), (3,)]) > 0
    assert called == [1, 2, 3]


def test_batches_hold_every_record_once() -> None:
    records = book_records(standard(10_000))
    batches = batches_of(records)
    assert [len(batch) for batch in batches] == [4096, 4096, 1808]
    assert b"".join(batch.tobytes() for batch in batches) == records.tobytes()


def test_results_are_written_under_their_date_and_never_over_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "RESULTS", tmp_path / "results")
    first, second = program.write_result({"run": 1}), program.write_result({"run": 2})
    assert (json.loads(first.read_text()), json.loads(second.read_text())) == ({"run": 1}, {"run": 2})
    assert second.name == first.name.replace(".json", "-2.json")
