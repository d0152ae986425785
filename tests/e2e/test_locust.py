"""The Locust file against a real venue: one master and two workers on this machine, and what turns the verdict red."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from load_tests.servers.server_process import free_port
from tests.e2e.amended_flow import SAMPLE, write_amended_flow
from tests.faults.venue_process import VenueProcess, serve
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LOCUST_FILE = ROOT / "load_tests" / "locust" / "locustfile.py"
MESSAGES = 1_000

OURS = "from load_tests.locust.locustfile import *\n"
PRINTS_ITS_OPTIONS = """
events.test_start.add_listener(lambda environment, **_: print(vars(environment.parsed_options)))
"""
FREQUENT_HEARTBEATS = """
from locust import runners

runners.HEARTBEAT_INTERVAL = 0.25  # In seconds. A worker is lost after some beats that did not come.
"""
DIES_BEFORE_ITS_REPORT = """
import os, signal
from load_tests.locust.shares import ShareReport

ShareReport.to_wire = lambda report: os.kill(os.getpid(), signal.SIGKILL)
"""
STOPS_AFTER_200_REPLIES = """
import os, signal
from itertools import count

replies = count(1)
events.request.add_listener(lambda **_: next(replies) == 200 and os.kill(os.getpid(), signal.SIGTERM))
"""


class Ended(NamedTuple):
    """How a master ended. `result` is what it wrote, None: nothing."""

    exit_status: int
    output: str
    result: Any
    statistics: list[dict[str, Any]]

    @property
    def failed(self) -> set[str]:
        """The names of the checks that do not hold."""
        return {check["name"] for check in self.result["verdict"]["checks"] if not check["holds"]}


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with serve(tmp_path_factory.mktemp("venue") / "data") as venue:
        yield venue


def locust(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "locust", "--headless", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def replay(
    venue: VenueProcess, folder: Path, *arguments: str | Path, flow: Path = SAMPLE, locust_file: Path = LOCUST_FILE
) -> Ended:
    """Replays the begin of a flow, and waits for the end, which comes by itself."""
    result, statistics = folder / "result.json", folder / "statistics.json"
    at_venue = ("--host", venue.url, "--key", venue.operator_key, "--flow", flow, "--limit", str(MESSAGES))
    files = ("--result", result, "--json-file", statistics.with_suffix(""))
    with locust("-f", locust_file, *at_venue, *files, *arguments) as master:
        output = master.communicate(timeout=PATIENCE_S)[0]
    read = json.loads(result.read_text()) if result.exists() else None
    return Ended(master.returncode, output, read, json.loads(statistics.read_text()))


def replay_with_two_workers(
    venue: VenueProcess, folder: Path, *, first_worker: Path, others: Path = LOCUST_FILE, flow: Path = SAMPLE
) -> tuple[Ended, list[int], str]:
    """Returns the exit statuses of the workers, too, and what the first one has printed."""
    outputs = []
    port = str(free_port())
    at_master = ("--worker", "--master-host", "127.0.0.1", "--master-port", port)
    with locust("-f", first_worker, *at_master) as first, locust("-f", others, *at_master) as second:
        try:
            as_master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
            ended = replay(venue, folder, *as_master, "--expect-workers", "2", flow=flow, locust_file=others)
        finally:
            for worker in (first, second):
                try:
                    outputs.append(worker.communicate(timeout=PATIENCE_S)[0])
                except subprocess.TimeoutExpired:
                    worker.kill()
        return ended, [first.returncode, second.returncode], outputs[0]


def changed_file(folder: Path, change: str, name: str = "changed") -> Path:
    """A Locust file that does as ours but for the change."""
    file = folder / f"{name}_locustfile.py"
    file.write_text(OURS + change)
    return file


def test_two_workers_replay_one_flow_and_the_verdict_is_on_all_of_it(venue: VenueProcess, tmp_path: Path) -> None:
    flow_file = tmp_path / "amends.csv"
    write_amended_flow(flow_file, messages=MESSAGES)
    first_worker = changed_file(tmp_path, PRINTS_ITS_OPTIONS)
    ended, exit_statuses, printed = replay_with_two_workers(venue, tmp_path, flow=flow_file, first_worker=first_worker)
    assert (ended.exit_status, exit_statuses) == (0, [0, 0]), ended.output
    assert ended.failed == set()
    flow, requests = ended.result["flow"], ended.statistics
    assert (
        flow["orders"] + flow["amends"] + flow["cancels"]
        == MESSAGES
        == sum(entry["num_requests"] for entry in requests)
    )
    assert sum(ended.result["order_states"].values()) == flow["orders"]
    assert len(ended.result["accounts"]) == 8
    assert ended.result["trades"] > 20
    by_name = {(entry["method"], entry["name"]): entry["num_requests"] for entry in requests}
    assert by_name.keys() == {(over, name) for over in ("REST", "WebSocket") for name in ("new", "amend", "cancel")}
    assert min(by_name.values()) > 20
    assert "'expect_workers': 2" in printed
    assert venue.operator_key not in printed + ended.output


def test_a_replay_that_is_stopped_is_judged_on_what_was_sent(venue: VenueProcess, tmp_path: Path) -> None:
    """One process, which is master and worker."""
    changed = changed_file(tmp_path, STOPS_AFTER_200_REPLIES)
    ended = replay(venue, tmp_path, "WebSocketAccount", "--rate", "200", locust_file=changed)
    assert {entry["method"] for entry in ended.statistics} == {"WebSocket"}
    assert (ended.exit_status, ended.failed) == (0, set()), ended.output
    flow = ended.result["flow"]
    assert (
        200 <= flow["orders"] + flow["cancels"] == sum(entry["num_requests"] for entry in ended.statistics) < MESSAGES
    )
    assert sum(ended.result["order_states"].values()) == flow["orders"]


def test_a_key_that_the_venue_refuses_ends_the_test_before_it_begins(venue: VenueProcess, tmp_path: Path) -> None:
    ended = replay(venue, tmp_path, "--key", "rex_no")
    assert (ended.exit_status, ended.result, ended.statistics) == (2, None, [])
    assert "401 unknown_key" in ended.output


def test_a_worker_that_dies_ends_the_replay_with_a_red_verdict(venue: VenueProcess, tmp_path: Path) -> None:
    frequent = changed_file(tmp_path, FREQUENT_HEARTBEATS)
    dying = changed_file(tmp_path, FREQUENT_HEARTBEATS + DIES_BEFORE_ITS_REPORT, "dying")
    ended, exit_statuses, _ = replay_with_two_workers(venue, tmp_path, first_worker=dying, others=frequent)
    assert (ended.exit_status, exit_statuses) == (1, [-9, 0]), ended.output
    assert "replies" in ended.failed
    assert "has not reported: its worker is lost" in ended.output
