from __future__ import annotations

import json
import sys
from itertools import repeat
from pathlib import Path

import pytest

from load_tests.benchmarks import __main__ as program
from load_tests.benchmarks import durable_rates, engine_rates, http_load, websocket_load
from load_tests.benchmarks.figure import Effort, Figure, best_rates, spread
from load_tests.child_process import ChildFailed, child
from load_tests.engine_flow import book_flow

ORDER = json.dumps({"symbol": "PRND-OX", "side": "buy", "price": "473000.00", "quantity": 1, "client_order_id": "a"})


def test_a_ratio_says_how_much_of_the_limit_is_reached() -> None:
    assert Figure("x", 30.0, "orders/s", "bare", 40.0).to_json()["ratio"] == 0.75
    assert Figure("x", 30.0, "orders/s").to_json()["ratio"] is None


def test_the_spread_sets_each_run_beside_the_limit_next_to_it() -> None:
    assert spread([50.0, 30.0, 90.0], [100.0, 30.0, 100.0]) == "50% to 100% in 3 runs"


def test_each_piece_of_work_runs_as_often_as_asked_in_turn() -> None:
    ran: list[str] = []
    rates = best_rates(10, 3, lambda: ran.append("a"), lambda: ran.append("b"))
    assert ran == ["a", "b"] * 3
    assert len(rates) == 2
    assert min(rates) > 0


def test_batches_hold_every_record_once() -> None:
    records = book_flow(10_000)
    batches = engine_rates.batches_of(records)
    assert [len(batch) for batch in batches] == [4096, 4096, 1808]
    assert b"".join(batch.tobytes() for batch in batches) == records.tobytes()


def test_plain_python_is_measured_from_a_copy_without_native_code() -> None:
    figures = engine_rates.plain_python_figures(Tiny())
    assert [figure.name for figure in figures] == [
        "OrderBook, plain Python, 1 instrument",
        "Engine, plain Python, 1 instrument",
    ]


class Tiny(Effort):
    """Just enough to see that every part runs."""

    def messages(self, full: int) -> int:
        return 600

    @property
    def runs(self) -> int:
        return 1


def test_the_write_path_and_recovery_run_on_a_real_journal() -> None:
    figures = [*durable_rates.durable_figures(Tiny()), *durable_rates.recovery_figures(Tiny())]
    assert [figure.name for figure in figures] == [
        "durable commands, handed over by 1",
        "durable commands, handed over by 16",
        "durable commands, handed over by 256",
        "recovery",
    ]
    assert all(figure.value > 0 for figure in figures)
    assert all(figure.limit for figure in figures[:3])


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
