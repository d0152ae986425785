"""`rex demo --database-url`: a whole scaled venue as child processes, its figure at the end, and its end when a child ends."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from pathlib import Path

import pytest

from services.processes.exit_codes import ExitCode
from services.scaled.demo import ChildEnded, Watch
from tests.e2e.process import REX
from tests.integration.postgres_journal import execute, until
from tests.patience import PATIENCE_S, impatience


@pytest.mark.slow
def test_a_demo_trades_and_prints_the_proven_figure_of_the_year(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    options = ("--redis-url", redis_url, "--data-dir", str(tmp_path), "--rate", "100", "--pace", "1000", "--json")
    command = [str(REX), "demo", "--database-url", postgres_url, *options]
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
    report = json.loads(out)
    assert (report["agree"], report["trades"] > 0) == (True, True)
    assert report["figure"]["sql_sum"] == report["figure"]["journal_replay"] == report["net"] != "0.00"
    ended = asyncio.run(execute(postgres_url, "SELECT last_seq, url FROM journal_writer"))
    assert (report["seq"], ended[0]["url"]) == (ended[0]["last_seq"], ""), "the leader handed over before the figure"


async def _process(script: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec("sh", "-c", script)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("script", "how"), [("exit 3", "ended with exit status 3"), ("kill -9 $$", "been ended by SIGKILL")]
)
async def test_a_child_without_a_replacement_ends_the_demo_by_its_name_and_status(script: str, how: str) -> None:
    events: list[str] = []
    watch = Watch(events.append)
    with watch.over(await _process(script), "rex projector (process 7)"), pytest.raises(ChildEnded) as ended:
        await asyncio.wait_for(watch.ended, PATIENCE_S)
    assert str(ended.value) == f"rex projector (process 7) has {how}; without it the demo cannot go on"
    assert events == []


@pytest.mark.anyio
async def test_of_two_sequencers_the_first_that_ends_is_an_event_and_the_second_the_end() -> None:
    events: list[str] = []
    watch = Watch(events.append, replaceable=1)
    with watch.over(await _process("kill -9 $$"), "rex sequencer (process 7)"):
        await until(lambda: events)
        other = await _process("exit 5")
        with (
            watch.over(other, "rex sequencer (process 8)"),
            pytest.raises(ChildEnded, match=r"process 8\) has ended with exit status 5"),
        ):
            await asyncio.wait_for(watch.ended, PATIENCE_S)
    assert events == ["rex sequencer (process 7) has been ended by SIGKILL; another one replaces it"]
