"""The benchmarks on a small effort: processes, journals and servers of their own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import pytest

from load_tests.benchmarks import (
    book_rates,
    decoder_rates,
    durable_rates,
    engine_rates,
    figure_rates,
    http_load,
    order_cost,
    plain_rates,
    projector_lag,
    projector_rates,
    scaled_rates,
    snapshot_rates,
    websocket_load,
)
from load_tests.benchmarks.gateway_peer import PeerGateway
from load_tests.benchmarks.measurement import Effort
from load_tests.benchmarks.peer_environment import NotRun
from load_tests.benchmarks.year_of_trades import Sums
from load_tests.child_process import child
from services.scaled.launch import DidNotStart

pytestmark = pytest.mark.rig

ORDER = json.dumps({"symbol": "PRND-OX", "side": "buy", "price": "473000.00", "quantity": 1, "client_order_id": "a"})


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


@pytest.mark.long
def test_plain_python_is_measured_from_a_copy_without_native_code() -> None:
    measurements = plain_rates.plain_measurements(Tiny())
    assert [measurement.name for measurement in measurements] == [
        "OrderBook, plain Python, 1 instrument",
        "Engine, plain Python, 1 instrument",
    ]


def test_the_decoder_is_measured_beside_the_hashes_of_its_rows() -> None:
    [measurement] = decoder_rates.decoder_measurements(Tiny())
    assert measurement.value > 0
    assert measurement.limit
    assert "s of processor time for 400,000" in measurement.note


@pytest.mark.long
def test_an_order_is_weighed_in_each_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_cost, "peer_gateway", _not_run)  # It would be installed.
    cores = os.sched_getaffinity(0)
    measurements = order_cost.order_cost_measurements(Tiny())
    assert os.sched_getaffinity(0) == cores
    assert [measurement.name.rpartition(": ")[2] for measurement in measurements[:5]] == [
        "REST, 64 connections", "REST batch of 100", "WebSocket batch of 50", "REST, 1 connection",
        "WebSocket, single frames",
    ]  # fmt: skip
    assert "gateway is not run: there is no network" in measurements[0].note
    assert [measurement.unit for measurement in measurements] == ["µs"] * 5 + ["ms"] * 2
    assert all(measurement.value > 0 for measurement in measurements)


@contextmanager
def _not_run() -> Iterator[PeerGateway]:
    raise NotRun("there is no network")
    yield


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


def test_snapshots_are_made_loaded_and_started_from() -> None:
    measurements = snapshot_rates.snapshot_measurements(Tiny())
    assert [measurement.name for measurement in measurements] == [
        "snapshot of 600 open orders: made",
        "snapshot of 600 open orders: loaded",
        "start from a snapshot, 600 commands after it",
    ]


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


@pytest.mark.long
@pytest.mark.usefixtures("shared_postgres")
def test_the_projector_is_measured_on_both_kinds() -> None:
    measurements = projector_rates.projector_measurements(Tiny())
    assert [measurement.unit for measurement in measurements] == ["commands/s", "orders/s", "trades/s"] * 2
    # So short a journal is one run, and its orders are all new in it.
    assert [measurement.value > 0 for measurement in measurements] == [True, False, True] * 2
    assert [measurement.limit is not None for measurement in measurements] == [False] * 4 + [True] * 2
    assert all("CPU µs an order: projector" in measurements[place].note for place in (1, 4))


@pytest.mark.usefixtures("shared_postgres")
def test_reports_over_filled_databases_are_exact_on_both_kinds() -> None:
    measurements = figure_rates.report_measurements(Tiny())
    assert [measurement.name for measurement in measurements] == [
        f"yearly {report} on {kind}"
        for kind in ("SQLite", "PostgreSQL")
        for report in ("report", "report at a past seq", "ladder")
    ]
    assert [measurement.limit for measurement in measurements] == [50, 2000, None] * 2
    assert all(" 600 trades of 242 days" in measurement.note for measurement in measurements)


def test_a_wrong_answer_is_no_figure() -> None:
    answer = {"net": "12.35", "trades": 2, "busted_trades": 0, "excluded_trades": 1}
    figure_rates.check_answer("report", answer, Sums(net_fen=1235, trades=2, excluded=1))
    with pytest.raises(RuntimeError, match=r"the report says \['12.35', 2, 0, 1\], and what was filled is \['12.36'"):
        figure_rates.check_answer("report", answer, Sums(net_fen=1236, trades=2, excluded=1))


@pytest.mark.long
@pytest.mark.usefixtures("shared_postgres")
def test_the_write_path_on_postgres_and_the_projectors_lag_are_measured() -> None:
    measurements = [
        *durable_rates.durable_postgres_measurements(Tiny()),
        *projector_lag.projector_lag_measurements(Tiny()),
    ]
    assert [measurement.unit for measurement in measurements] == ["commands/s", "s", "s"]
    assert all(measurement.value > 0 and measurement.limit for measurement in measurements)


@pytest.mark.long
@pytest.mark.usefixtures("shared_postgres")
def test_the_scaled_venue_is_measured_beside_the_embedded_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaled_rates, "GATEWAYS", (1,))
    measurements = scaled_rates.scaled_measurements(Tiny())
    assert [measurement.name.partition(", ")[2] for measurement in measurements] == [
        "1 gateway, WebSocket orders",
        "1 gateway, REST orders",
        "1 gateway, WebSocket orders at half the maximum rate, p99",
    ]
    assert all(measurement.value > 0 and measurement.limit for measurement in measurements)


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
    with pytest.raises(DidNotStart, match=r"(?s)did not start \(exit status 3\).*no room"):
        broken.__enter__()
