"""The commands of docker-compose.yml, with its variables, are a venue on this machine: `make run-scaled`.

The tests have one venue in common, in this order.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright
from rex_client import RexClient, RexError

from load_tests import progress
from load_tests.replay import replay
from load_tests.replay.pace import Pace
from load_tests.run_scaled import running_venue as run_scaled
from load_tests.run_scaled.compose_file import COMPOSE_FILE, read_compose_file
from load_tests.servers.server_process import ended
from services.processes.exit_codes import ExitCode
from tests.browser.conftest import CHROMIUM, launch, new_context
from tests.faults.venue_process import rex
from tests.patience import PATIENCE_S, HttpClient, WebSocketClient, http_get, http_post, impatience

pytestmark = pytest.mark.slow

REPOSITORY = COMPOSE_FILE.parent
SAMPLE = REPOSITORY / "load_tests/flows/sample.csv"


class Stage:
    """A venue that `make run-scaled` runs."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, said: Path) -> None:
        self.process, self.folder, self._said = process, folder, said
        assert process.stdout is not None
        with impatience(process):
            line = process.stdout.readline()
        if not line and "is missing" in (errors := said.read_text()):
            pytest.skip(f"NO TEST OF THE COMMANDS IN docker-compose.yml RAN: {errors}")
        assert line, said.read_text()
        facts = json.loads(line)
        self.url: str = facts["url"]
        self.keys_file = Path(facts["keys_file"])
        self.key: str = json.loads(self.keys_file.read_text())["operator"]["key"]
        self.headers = {"authorization": f"Bearer {self.key}"}
        self.urls: dict[str, str] = {name: one["url"] for name, one in facts["processes"].items()}
        self._pids: dict[str, int] = {name: one["pid"] for name, one in facts["processes"].items()} | facts["servers"]

    def pids(self) -> dict[str, int]:
        """Of every process and server, with those that were started again."""
        for name, pid in re.findall(r"^(\S+) starts again as process (\d+)\.$", self._said.read_text(), re.MULTILINE):
            self._pids[name] = int(pid)
        return self._pids

    @contextmanager
    def paused(self, *names: str) -> Iterator[None]:
        """Processes that hang while the block runs."""
        pids = [self.pids()[name] for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def take_over(self) -> None:
        """The leader hangs until the standby leads; then it ends as deposed, and is started again as a standby."""
        sequencers = {name: self.urls[name] for name in ("sequencer-1", "sequencer-2")}
        deposed, pids = leader(sequencers), dict(self.pids())
        with self.paused(deposed):
            successor = leader(sequencers, other_than=deposed)
        wait_for(lambda: self.pids()[deposed] != pids[deposed], f"{deposed} does not start again")
        ended_with = f"{deposed} (process {pids[deposed]}) ended with status {ExitCode.OTHER_WRITER:d}."
        assert ended_with in self._said.read_text().splitlines()
        wait_for_status(f"{sequencers[deposed]}/readyz", 200)
        assert http_get(f"{sequencers[deposed]}/readyz").json()["role"] == "standby"
        assert leader(sequencers) == successor

    def stop(self) -> None:
        """As Ctrl-C does. Nothing of it runs afterwards."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE_S) == 0, self._said.read_text()
        assert all(ended(pid) for pid in self.pids().values())


@pytest.fixture(scope="module")
def venue() -> Iterator[Stage]:
    """It has read every service of docker-compose.yml that runs `rex` as docker-compose does."""
    with tempfile.TemporaryDirectory(prefix="rex-compose-") as folder:
        said = Path(folder) / "said"
        command = [sys.executable, "-m", "load_tests.run_scaled", "--json", "--folder", folder]
        with (
            said.open("w") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=REPOSITORY) as process,
        ):
            try:
                yield Stage(process, Path(folder), said)
            finally:
                process.send_signal(signal.SIGINT)
                with impatience(process):
                    process.wait()


async def trader(operator: RexClient, url: str, name: str, *, cash: str = "0.00", lots: int = 0) -> RexClient:
    """A new account with a key."""
    account = (await operator.open_account(name))["account"]
    if lots:
        await operator.change_inventory(account, "PRND-OX", lots)
    else:
        await operator.change_cash(account, cash)
    return RexClient(url, (await operator.issue_key(name, ["read", "trade"], account=account))["key"])


@pytest.mark.anyio
async def test_an_order_goes_from_http_to_the_report(venue: Stage) -> None:
    async with RexClient(venue.url, venue.key) as operator:
        async with (
            await trader(operator, venue.url, "Oxide Separator", lots=10) as seller,
            await trader(operator, venue.url, "Magnet Maker", cash="1000000.00") as buyer,
        ):
            order = {"symbol": "PRND-OX", "price": "473000.00", "quantity": 1}
            offer = await seller.place_order({**order, "side": "sell", "client_order_id": "offer-1"})
            assert offer["state"] == "new"
            bid = await buyer.place_order({**order, "side": "buy", "client_order_id": "bid-1"})
            assert (bid["state"], bid["avg_px"]) == ("filled", "473000.000000")
            assert [fill["seq"] for fill in (await buyer.fills())["fills"]] == [bid["seq"]]
        year = int(bid["trading_date"][:4])
        report = await operator.turnover(year, at_least_seq=bid["seq"])
        assert report["net"] == "473000.00"
    for name in ("gateway-1", "gateway-2", "reporting"):
        async with RexClient(venue.urls[name], venue.key) as reader:
            assert (await reader.turnover(year, at_least_seq=bid["seq"]))["net"] == "473000.00", name
            [trade] = await reader.trades("PRND-OX")
            assert trade["seq"] == bid["seq"], name


def test_the_pages_and_a_log_in_are_behind_the_one_address(venue: Stage) -> None:
    """Sessions are in the memory of one of the gateways."""
    pages = venue.url if "haproxy" in venue.urls else venue.urls["reporting"]
    answer = http_get(pages, follow_redirects=True)
    assert (answer.status_code, str(answer.url), "REX" in answer.text) == (200, f"{pages}/ui/", True)
    if "haproxy" not in venue.urls:
        pytest.skip("NO LOG-IN BEHIND HAPROXY RAN: it is not installed")
    person = {"name": "wang.fang", "password": "cerium cerium cerium"}
    user = {**person, "role": "auditor"}
    http_post(f"{venue.url}/v1/admin/users", json=user, headers=venue.headers).raise_for_status()
    for _ in range(4):
        with HttpClient(base_url=venue.url, headers={"origin": venue.url}) as browser:
            assert browser.get("/log-in").status_code == 200
            browser.post("/v1/session", json=person).raise_for_status()
            names = {browser.get("/v1/session", headers={"connection": "close"}).json()["name"] for _ in range(8)}
            assert names == {"wang.fang"}


@pytest.mark.anyio
async def test_a_recorded_flow_through_the_address_of_the_gateways_is_green(venue: Stage) -> None:
    with progress.shown(enabled=False) as stages:
        result = await replay.replay_file(SAMPLE, venue.url, venue.key, stages, pace=Pace(), limit=3_000)
    assert [check for check in result["verdict"]["checks"] if not check["holds"]] == []
    assert result["verdict"]["green"] is True
    assert result["trades"] > 100


@pytest.mark.anyio
async def test_without_a_leader_reads_are_answered_and_orders_get_the_venues_own_503(venue: Stage) -> None:
    order = {"symbol": "PRND-OX", "side": "sell", "price": "473000.00", "quantity": 1, "client_order_id": "offer-1"}
    async with (
        RexClient(venue.url, venue.key) as operator,
        await trader(operator, venue.url, "Patient Trader", lots=1) as seller,
        websocket(venue) as socket,
    ):
        assert as_of(venue) is None
        with venue.paused("sequencer-1", "sequencer-2"):
            await asyncio.to_thread(wait_for_status, f"{venue.url}/readyz", 503)
            assert (await seller.account())["holdings"][0]["available"] == 1
            assert as_of(venue) is not None
            with pytest.raises(RexError) as refused:
                await seller.place_order(order)
            await socket.send('{"method": "ping"}')  # Nobody goes on without this gateway: its WebSockets stay.
            assert "seq" in json.loads(await socket.recv())["result"]
        assert (refused.value.status, refused.value.code) == (503, "not_ready")
        await asyncio.to_thread(wait_for_status, f"{venue.url}/readyz", 200)
        await asyncio.to_thread(wait_for, lambda: as_of(venue) is None, "a read says that it is old")
        offer = await seller.place_order(order)
        assert offer["state"] == "new"
        assert (await seller.cancel_order(order_id=offer["order_id"]))["state"] == "canceled"


def websocket(venue: Stage) -> WebSocketClient:
    return WebSocketClient(f"{venue.url.replace('http', 'ws')}/v1/ws", additional_headers=venue.headers)


def as_of(venue: Stage) -> str | None:
    """What a read says of its age."""
    header: str | None = http_get(f"{venue.url}/v1/time").headers.get("rex-as-of")
    return header


@pytest.mark.anyio
async def test_haproxy_takes_websockets_from_a_gateway_that_hangs(venue: Stage) -> None:
    if "haproxy" not in venue.urls:
        pytest.skip("NO WEBSOCKET BEHIND HAPROXY WAS CLOSED: it is not installed")
    async with websocket(venue) as socket, asyncio.timeout(PATIENCE_S):
        gateways = {name: venue.urls[name] for name in ("gateway-1", "gateway-2")}
        await socket.send('{"method": "ping"}')
        await socket.recv()
        stuck = next(name for name, url in gateways.items() if http_get(f"{url}/healthz").json()["websockets"])
        with venue.paused(stuck):
            await socket.wait_closed()
            async with websocket(venue) as other:
                await other.send('{"method": "ping"}')
                assert "seq" in json.loads(await other.recv())["result"]
    await asyncio.to_thread(wait_for_status, f"{gateways[stuck]}/readyz", 200)


def test_the_dashboard_names_metrics_that_the_processes_serve(venue: Stage) -> None:
    dashboard = json.loads((REPOSITORY / "deploy/grafana/dashboards/rex.json").read_text())
    queries = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    named = set(re.findall(r"\b(?:rex|haproxy)_\w+", queries))
    assert {"rex_leader", "rex_epoch", "rex_request_seconds_bucket", "haproxy_server_status"} <= named
    addresses = [url for name, url in venue.urls.items() if name != "haproxy"]
    if "haproxy" in venue.urls:
        _, statistics = re.findall(r"bind (\S+)", (venue.folder / "haproxy.cfg").read_text())
        addresses.append(f"http://{statistics}")
    else:
        named = {name for name in named if name.startswith("rex_")}
    served = " ".join(http_get(f"{address}/metrics").text for address in addresses)
    assert {name for name in named if not re.search(rf"^{name}[ {{]|^# TYPE {name} ", served, re.MULTILINE)} == set()


def leader(urls: Mapping[str, str], *, other_than: str = "") -> str:
    """The sequencer that leads; waits for one."""
    leading: list[str] = []

    def found() -> bool:
        for name, url in urls.items():
            with contextlib.suppress(httpx.TransportError):
                if name != other_than and http_get(f"{url}/healthz", timeout=1).json().get("role") == "leader":
                    leading.append(name)
        return bool(leading)

    wait_for(found, "no sequencer leads")
    return leading[0]


def test_a_page_trades_before_and_after_a_take_over(venue: Stage) -> None:
    """A browser behind the one address: HTML from `rex reporting`, session, orders and pushes from a gateway."""
    if "haproxy" not in venue.urls:
        pytest.skip("NO PAGE OF THE SCALED VENUE RAN: haproxy is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"NO PAGE OF THE SCALED VENUE RAN: {CHROMIUM} is missing")
    person = {"name": "zhao.min", "password": "praseodymium"}
    with HttpClient(base_url=venue.url, headers=venue.headers) as operator:
        opened = operator.post("/v1/admin/accounts", json={"name": "Magnet Works"}).raise_for_status().json()
        account = opened["account"]
        operator.post(f"/v1/admin/accounts/{account}/cash", json={"amount": "5000000.00"}).raise_for_status()
        trader = {**person, "role": "trader", "account": account}
        operator.post("/v1/admin/users", json=trader).raise_for_status()
        with sync_playwright() as playwright:
            browser = launch(playwright.chromium)
            page = new_context(browser).new_page()
            assert page.request.post(f"{venue.url}/v1/session", data=person, headers={"origin": venue.url}).ok
            page.goto(f"{venue.url}/ui/trade/PRND-OX")
            for placed in (1, 2):
                page.get_by_test_id("ticket-price").fill("450000")
                page.get_by_test_id("ticket-quantity").fill("1")
                page.get_by_test_id("ticket-send").click()
                expect(page.get_by_test_id("count-open")).to_have_text(str(placed))
                if placed == 1:
                    venue.take_over()
            expect(page.locator("html")).to_have_attribute("data-line", "live")
            browser.close()
        standing = operator.get("/v1/orders", params={"account": account, "state": "open"}).json()["orders"]
        assert [order["price"] for order in standing] == ["450000.00"] * 2


def test_a_venue_that_was_stopped_is_gone_and_its_folder_carries_on(
    venue: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last test of this file: it stops the venue of the others. A start runs first what runs once."""
    keys, seq = venue.keys_file.read_text(), http_get(f"{venue.url}/readyz").json()["seq"]
    venue.stop()
    services = read_compose_file({})["services"]
    once = {"services": {name: services[name] for name in ("postgres", "redis", "migrate", "init")}}
    monkeypatch.setattr(run_scaled, "shutil", SimpleNamespace(which=lambda *_, **__: None))  # There is no HAProxy.
    with run_scaled.running_venue(once, venue.folder) as again:
        done = rex("journal", "verify", "--json", variables={"REX_DATABASE_URL": again.database_url})
        assert json.loads(done.out)["last_seq"] >= seq > 0
    assert venue.keys_file.read_text() == keys


def wait_for_status(url: str, status: int) -> None:
    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return http_get(url, timeout=1).status_code == status
        return False

    wait_for(answers, f"{url} does not answer {status}")


def wait_for(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
