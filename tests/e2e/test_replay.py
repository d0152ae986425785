"""The load tests' replay against a real venue: its verdict is green, even when connections are cut during the run."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rex_client import RexClient

from load_tests import progress
from load_tests.flows.flow_message import FlowError
from load_tests.replay import replay
from load_tests.replay.accounts import Funding, open_accounts
from load_tests.replay.pace import Pace
from tests.e2e.amended_flow import SAMPLE, write_amended_flow
from tests.faults.venue_process import serve
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]


class CuttingProxy:
    """Forwards bytes to the venue, and cuts every WebSocket once, after clients have sent a given number of bytes."""

    def __init__(self, port: int, cut_after: int) -> None:
        self._port = port
        self._left = cut_after
        self._sockets: list[asyncio.StreamWriter] = []
        self._running: set[asyncio.Task[None]] = set()
        self.cut = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forwards one connection."""
        head = await reader.read(65_536)
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        back.write(head)
        is_socket = head.startswith(b"GET /v1/ws")
        if is_socket:
            self._sockets += [writer, back]
        answers = asyncio.create_task(self._pass(there, writer))
        self._running.add(answers)
        await self._pass(reader, back, counted=is_socket)
        await answers

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, counted: bool = False) -> None:
        try:
            while data := await source.read(65_536):
                self._left -= len(data) if counted else 0
                if self._left < 0 and not self.cut:
                    self.cut = len(self._sockets) // 2
                    for writer in self._sockets:
                        writer.transport.abort()
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()


@asynccontextmanager
async def cutting_proxy(port: int, cut_after: int) -> AsyncIterator[tuple[CuttingProxy, str]]:
    proxy = CuttingProxy(port, cut_after)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        yield proxy, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_make_flow_ends_green() -> None:
    done = run("load_tests", "replay", "--flow", str(SAMPLE), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert [check["name"] for check in result["verdict"]["checks"] if not check["holds"]] == []
    assert result["verdict"]["green"] is True
    assert result["flow"]["orders"] + result["flow"]["cancels"] == 5_000
    assert sum(result["order_states"].values()) == result["flow"]["orders"]
    assert len(result["accounts"]) == 8
    assert result["trades"] >= 300
    assert done.stderr == f"The verdict is green: all {len(result['verdict']['checks'])} checks hold.\n"


def test_days_of_a_simulated_year_end_green_with_an_account_for_each_member() -> None:
    days = ("--year", "2023", "--seed", "7", "--from-day", "4", "--days", "2", "--commands", "60000")
    done = run("load_tests", "replay", *days, "--speed", "20000", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert [check["name"] for check in result["verdict"]["checks"] if not check["holds"]] == []
    assert result["flow"]["name"] == "simulated, 2023-01-06 to 2023-01-09 of seed 7"
    assert result["pace"] == "20000 times the flow's own speed"
    assert result["flow"]["orders"] > 200
    assert result["flow"]["cancels"] > 100
    assert 20 < len(result["accounts"]) <= 44
    assert result["trades"] > 50


@pytest.mark.anyio
async def test_amended_orders_are_judged_too(tmp_path: Path) -> None:
    flow = tmp_path / "amends.csv"
    write_amended_flow(flow, messages=2_000)
    with serve(tmp_path / "venue") as venue, progress.shown(enabled=False) as stages:
        result = await replay.replay_file(flow, venue.url, venue.operator_key, stages, pace=Pace())
    assert [check for check in result["verdict"]["checks"] if not check["holds"]] == []
    assert result["flow"]["amends"] > 200
    assert result["amends_declined"] < result["flow"]["amends"] / 4


def test_a_bad_flow_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    lines = SAMPLE.read_text().splitlines()
    lines[6] = lines[6].replace(lines[6].split(",")[2], "GOLD")
    flow = tmp_path / "bad.csv"
    flow.write_text("\n".join(lines))
    with serve(tmp_path / "venue") as venue:
        arguments = ["--url", venue.url, "--key", venue.operator_key, "--json"]
        done = run("load_tests", "replay", "--flow", str(flow), *arguments)
        absent = run("load_tests", "replay", "--flow", str(tmp_path / "absent.csv"), *arguments)
        wrong_key = run("load_tests", "replay", "--flow", str(SAMPLE), "--url", venue.url, "--key", "rex_no")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{flow}, line 7: unknown symbol 'GOLD'\n"
    assert (absent.returncode, absent.stderr) == (2, f"{tmp_path}/absent.csv: no such flow file\n")
    assert (wrong_key.returncode, wrong_key.stdout) == (2, "")
    assert "401 unknown_key" in wrong_key.stderr


@pytest.mark.anyio
async def test_orders_of_others_in_the_book_refuse_a_flow_before_anything_is_sent(tmp_path: Path) -> None:
    with serve(tmp_path / "venue") as venue, progress.shown(enabled=False) as stages:
        async with RexClient(venue.url, venue.operator_key) as operator:
            member = (await open_accounts(operator, {"member": Funding(lots=Counter({"NDFEB-N52": 1}))}))[0]
            async with RexClient(venue.url, member.key) as client:
                await client.place_order({"symbol": "NDFEB-N52", "side": "sell", "quantity": 1, "price": "236.10"})
            with pytest.raises(FlowError, match=r"^sample\.csv: there are orders in NDFEB-N52 that would trade with"):
                await replay.replay_file(SAMPLE, venue.url, venue.operator_key, stages, pace=Pace())
            accounts = (await operator.accounts())["accounts"]
            assert [account["name"] for account in accounts if "load test" in account["name"]] == []


@pytest.mark.anyio
async def test_cut_connections_lose_and_double_nothing(tmp_path: Path) -> None:
    with serve(tmp_path / "venue") as venue:
        async with cutting_proxy(urlsplit(venue.url).port or 0, cut_after=150_000) as (proxy, url):
            with progress.shown(enabled=False) as stages:
                result = await replay.replay_file(SAMPLE, url, venue.operator_key, stages, pace=Pace(), limit=3_000)
    assert [check for check in result["verdict"]["checks"] if not check["holds"]] == []
    assert proxy.cut == 8
    assert result["retried"] > 0


@pytest.mark.anyio
async def test_on_a_schedule_two_replays_on_one_venue_are_both_green(tmp_path: Path) -> None:
    with serve(tmp_path / "venue") as venue, progress.shown(enabled=False) as stages:
        results = [
            await replay.replay_file(SAMPLE, venue.url, venue.operator_key, stages, pace=pace, limit=1_000, accounts=9)
            for pace in (Pace(rate=4_000), Pace(speed=2_000))
        ]
    assert [result["verdict"]["green"] for result in results] == [True, True]
