"""The load tests' replay against a real venue: its verdict is green, even when connections are cut during the run."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rex_client import RexClient

from load_tests import progress
from load_tests.flows.flow_message import FlowError
from load_tests.replay import replay
from load_tests.replay.accounts import Funding, open_accounts
from load_tests.replay.pace import Pace
from tests.e2e.amended_flow import SAMPLE, write_amended_flow
from tests.faults.tcp_proxy import DIRECTIONS, READ_BYTES, Direction, Lane, TcpProxy, server_of
from tests.faults.venue_process import VenueProcess, serve
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]


class CutOnce(TcpProxy):
    """Cuts each of the first eight WebSockets once, after its client has sent so many bytes."""

    SENT_BYTES = 10_000
    cut_sockets = 0

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lanes: dict[Direction, Lane] = {direction: Lane() for direction in DIRECTIONS}
        if head := await reader.read(READ_BYTES):
            reader.feed_data(head)
        if head.startswith(b"GET /v1/ws") and self.cut_sockets < 8:
            lanes["to_server"].left_bytes = self.SENT_BYTES
            self.cut_sockets += 1
        await self._forward(reader, writer, lanes)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """Its replays follow each other, each with accounts of its own."""
    with serve(tmp_path_factory.mktemp("replayed") / "venue") as running:
        yield running


async def replayed(venue: VenueProcess, url: str = "", flow: Path = SAMPLE, **options: Any) -> dict[str, Any]:
    """The result of a replay whose every check holds."""
    with progress.shown(enabled=False) as stages:
        result = await replay.replay_file(flow, url or venue.url, venue.operator_key, stages, **options)
    assert [check for check in result["verdict"]["checks"] if not check["holds"]] == []
    return result


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
async def test_amended_orders_are_judged_too_also_on_a_schedule(venue: VenueProcess, tmp_path: Path) -> None:
    flow = tmp_path / "amends.csv"
    write_amended_flow(flow, messages=2_000)
    result = await replayed(venue, flow=flow, pace=Pace(rate=4_000), accounts=9)
    assert result["flow"]["amends"] > 200
    assert result["amends_declined"] < result["flow"]["amends"] / 4


@pytest.mark.anyio
async def test_cut_connections_lose_and_double_nothing(venue: VenueProcess) -> None:
    async with CutOnce(server_of(venue.url)).running() as proxy:
        result = await replayed(venue, f"http://127.0.0.1:{proxy.port}", pace=Pace(), limit=3_000)
        assert isinstance(proxy, CutOnce)
        assert (proxy.cut_sockets, result["retried"] > 0) == (8, True)


@pytest.mark.anyio
async def test_orders_of_others_in_the_book_refuse_a_flow_before_anything_is_sent(venue: VenueProcess) -> None:
    async with RexClient(venue.url, venue.operator_key) as operator:
        member = (await open_accounts(operator, {"member": Funding(lots=Counter({"NDFEB-N52": 1}))}))[0]
        before = [account["name"] for account in (await operator.accounts(limit=500))["accounts"]]
        async with RexClient(venue.url, member.key) as client:
            await client.place_order({"symbol": "NDFEB-N52", "side": "sell", "quantity": 1, "price": "236.10"})
            with pytest.raises(FlowError, match=r"^sample\.csv: there are orders in NDFEB-N52 that would trade with"):
                await replayed(venue, pace=Pace())
            await client.mass_cancel("*")
        assert [account["name"] for account in (await operator.accounts(limit=500))["accounts"]] == before


def test_a_key_that_the_venue_refuses_ends_a_replay_before_it_begins(venue: VenueProcess) -> None:
    refused = run("load_tests", "replay", "--flow", str(SAMPLE), "--url", venue.url, "--key", "rex_no")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "401 unknown_key" in refused.stderr
