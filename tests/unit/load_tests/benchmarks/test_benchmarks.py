from __future__ import annotations

import gc
import json
import sys
from itertools import repeat
from pathlib import Path

import pytest

from load_tests.benchmarks import __main__ as program
from load_tests.benchmarks import book_rates, durable_rates, engine_rates, http_load, plain_rates, websocket_load
from load_tests.benchmarks.batches import batches_of
from load_tests.benchmarks.measurement import Effort, Measurement, Work, call_nanoseconds, median_seconds, ratio_range
from load_tests.child_process import ChildFailed, child
from load_tests.flows.book_flows import book_records, standard

ORDER = json.dumps({"symbol": "PRND-OX", "side": "buy", "price": "473000.00", "quantity": 1, "client_order_id": "a"})


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


def test_the_book_is_measured_on_every_flow_called_singly_and_weighed() -> None:
    measurements = book_rates.book_measurements(Tiny())
    assert [measurement.flow.partition(":")[0] for measurement in measurements] == [
        "1 instrument", "1 instrument, prices stretched to ±40 %", "64 instruments", "wide price walk",
        "the same mix, narrow walk", "one deep level", "far prices", "ids that collide", "", "",
    ]  # fmt: skip
    assert all(measurement.limit for measurement in measurements[:-1])
    assert measurements[-1].name == "OrderBook, memory, 1 instrument"


def test_the_engine_is_measured_in_batches_and_called_singly() -> None:
    measurements = engine_rates.engine_measurements(Tiny())
    assert [measurement.unit for measurement in measurements] == ["commands/s"] * 4 + ["ns"]
    assert all(measurement.value > 0 and measurement.limit for measurement in measurements)


def test_plain_python_is_measured_from_a_copy_without_native_code() -> None:
    measurements = plain_rates.plain_measurements(Tiny())
    assert [measurement.name for measurement in measurements] == [
        "OrderBook, plain Python, 1 instrument",
        "Engine, plain Python, 1 instrument",
    ]


class Tiny(Effort):
    """The least effort with which every part runs."""

    def messages(self, full: int) -> int:
        return 600

    @property
    def runs(self) -> int:
        return 1

    @property
    def short_runs(self) -> int:
        return 1


def test_the_write_path_and_recovery_run_on_a_real_journal() -> None:
    measurements = [*durable_rates.durable_measurements(Tiny()), *durable_rates.recovery_measurements(Tiny())]
    assert [measurement.name for measurement in measurements] == [
        "durable commands, handed over by 1",
        "durable commands, handed over by 16",
        "durable commands, handed over by 256",
        "recovery",
    ]
    assert all(measurement.value > 0 for measurement in measurements)
    assert all(measurement.limit for measurement in measurements[:3])


def test_results_are_written_under_their_date_and_never_over_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "RESULTS", tmp_path / "results")
    first, second = program.write_result({"run": 1}), program.write_result({"run": 2})
    assert (json.loads(first.read_text()), json.loads(second.read_text())) == ({"run": 1}, {"run": 2})
    assert second.name == first.name.replace(".json", "-2.json")


@pytest.mark.anyio
async def test_load_clients_count_every_answer(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "load_tests.benchmarks.bare_server", str(tmp_path / "bare.sqlite")]
    with child(command) as bare:
        host = f"127.0.0.1:{bare['port']}"
        for path in ("/orders", "/committed-orders"):
            request = http_load.post(path, host, ORDER.encode(), key="k")
            result = await http_load.load(bare["port"], [repeat(request, 20), repeat(request, 5)])
            assert result.answers == {"201": 25}
        wrong = http_load.post("/orders", host, b"{}")
        refused = await http_load.load(bare["port"], [repeat(wrong, 2)])
        with pytest.raises(RuntimeError, match=r"expected only '201' as answers, got \{'422': 2\}"):
            refused.rate("201")
        frames = [websocket_load.text_frame(ORDER.encode()), websocket_load.text_frame(b"x" * 300)]
        for frame, size in zip(frames, (str(len(ORDER)), "300"), strict=True):
            echoed = await websocket_load.load(
                bare["port"], "/echo", ["", ""], [repeat(frame, 30), repeat(frame, 1)], 8, lambda reply: str(len(reply))
            )
            assert echoed.answers == {size: 31}


def test_a_server_that_does_not_start_says_why() -> None:
    broken = child([sys.executable, "-c", "import sys; sys.stderr.write('no room'); sys.exit(3)"])
    with pytest.raises(ChildFailed, match=r"(?s)did not start \(exit status 3\).*no room"):
        broken.__enter__()
