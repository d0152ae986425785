"""`rex demo --database-url`: a whole scaled venue as child processes, its figure at the end, and its end when a child ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.processes.exit_codes import ExitCode
from services.scaled.demo import ChildEnded, watch
from services.scaled.launch import REX, Launched, LaunchedVenue
from tests.integration.postgres_journal import execute, until
from tests.patience import PATIENCE_S, impatience


@pytest.mark.slow
def test_a_demo_trades_and_prints_the_proven_figure_of_the_year(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    options = ("--redis-url", redis_url, "--data-dir", str(tmp_path), "--rate", "100", "--pace", "1000", "--json")
    command = [REX, "demo", "--database-url", postgres_url, *options]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        with impatience(demo):
            line = demo.stdout.readline()
        ready = json.loads(line)
        assert (len(ready["gateways"]), Path(ready["keys_file"])) == (2, tmp_path / "keys.json")
        traded = "SELECT count(*) > 0 FROM trades"
        asyncio.run(until(lambda: execute(postgres_url, traded), lambda rows: rows[0][0]))
        demo.send_signal(signal.SIGTERM)
        out, err = demo.communicate(timeout=PATIENCE_S)
    finally:
        demo.kill()
        demo.wait()
    assert (demo.returncode, "Traceback" in err) == (ExitCode.OK, False), err
    assert "rex: stopping: one process after the other, then the year is proven\n" in err
    report = json.loads(out)
    assert (report["agree"], report["trades"] > 0) == (True, True)
    assert report["figure"]["sql_sum"] == report["figure"]["journal_replay"] == report["net"] != "0.00"
    ended = asyncio.run(execute(postgres_url, "SELECT last_seq, url FROM journal_writer"))
    assert (report["seq"], ended[0]["url"]) == (ended[0]["last_seq"], ""), "the leader handed over before the figure"


@pytest.fixture
def processes() -> Iterator[LaunchedVenue]:
    venue = LaunchedVenue(os.environ)
    yield venue
    venue.stop()


def _started(venue: LaunchedVenue, name: str, script: str) -> Launched:
    venue.processes.append(Launched(name, ["sh", "-c", script]))
    return venue.processes[-1]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("script", "how"), [("exit 3", "ended with exit status 3"), ("kill -9 $$", "been ended by SIGKILL")]
)
async def test_a_child_without_a_replacement_ends_the_demo_by_its_name_and_status(
    processes: LaunchedVenue, script: str, how: str
) -> None:
    events: list[str] = []
    _started(processes, "rex gateway", "exec sleep 1000")
    gateway = _started(processes, "rex gateway", script)
    with pytest.raises(ChildEnded) as ended:
        await asyncio.wait_for(watch(processes, events.append), PATIENCE_S)
    sentence = f"rex gateway (process {gateway.pid}) has {how}; without it the demo cannot go on"
    assert (str(ended.value), events) == (sentence, [])


@pytest.mark.anyio
async def test_of_two_sequencers_the_first_that_ends_is_an_event_and_the_second_the_end(
    processes: LaunchedVenue,
) -> None:
    events: list[str] = []
    one = _started(processes, "rex sequencer", "kill -9 $$")
    other = _started(processes, "rex sequencer", "exec sleep 1000")
    watching = asyncio.create_task(watch(processes, events.append))
    await until(lambda: events)
    other.kill()
    with pytest.raises(ChildEnded, match=rf"process {other.pid}\) has been ended by SIGKILL; without it"):
        await asyncio.wait_for(watching, PATIENCE_S)
    assert events == [f"rex sequencer (process {one.pid}) has been ended by SIGKILL; another one replaces it"]
