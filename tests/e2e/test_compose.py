"""docker-compose.yml: docker-compose accepts it, and its commands, with its variables, are a venue on this machine.

`docker-compose config` needs no Docker daemon. What only a daemon could show is in docs/scaling.md. The tests of the venue have
one in common, in this order.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright
from rex_client import RexClient, RexError

from load_tests import progress
from load_tests.replay import replay
from load_tests.replay.pace import Pace
from load_tests.run_scaled.compose_file import COMPOSE_FILE, read_compose_file, rex_services
from load_tests.run_scaled.running_venue import RunningVenue, running_venue
from load_tests.servers.server_process import ServerMissing, ended
from services.processes.exit_codes import ExitCode
from tests.browser.conftest import CHROMIUM, launch, new_context
from tests.patience import PATIENCE_S, HttpClient, WebSocketClient, http_get, http_post, impatience
from tests.venue_variables import VARIABLES

SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "GRAFANA_PASSWORD", "REX_LINK_SECRET")
ONE_SHOTS = ["migrate", "init"]
PROCESSES = ["sequencer-1", "sequencer-2", "gateway-1", "gateway-2", "projector", "reporting"]
SERVERS = ["postgres", "redis", "haproxy", "prometheus", "grafana"]
REPOSITORY = COMPOSE_FILE.parent
SAMPLE = REPOSITORY / "load_tests/flows/sample.csv"


@pytest.fixture
def variables() -> dict[str, str]:
    """A secret for each variable that the file requires."""
    return {name: secrets.token_hex(24) for name in SECRETS}


def compose(*arguments: str, variables: dict[str, str], file: Path = COMPOSE_FILE) -> subprocess.CompletedProcess[str]:
    """Runs docker-compose without a daemon and without a .env file."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("NO TEST OF docker-compose.yml RAN: install Debian's package docker-compose")
    command = [program, "--env-file", os.devnull, "--project-directory", str(REPOSITORY), "-f", str(file), *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables}
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment)


def config_of(variables: dict[str, str], *options: str) -> dict[str, Any]:
    """The file as docker-compose understands it."""
    done = compose(*options, "config", "--format", "json", variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    config: dict[str, Any] = json.loads(done.stdout)
    return config


def test_the_default_is_the_scaled_venue_and_a_profile_is_the_embedded_one(variables: dict[str, str]) -> None:
    assert sorted(config_of(variables)["services"]) == sorted([*ONE_SHOTS, *PROCESSES, *SERVERS])
    embedded = config_of(variables, "--profile", "embedded")["services"]["venue"]
    assert (embedded["command"], embedded.get("environment")) == (None, None), "the image's command, `rex demo`"
    assert embedded["ports"][0]["host_ip"] == "127.0.0.1"


@pytest.mark.parametrize("missing", SECRETS)
def test_no_secret_has_a_default(variables: dict[str, str], missing: str) -> None:
    del variables[missing]
    done = compose("config", "-q", variables=variables)
    assert done.returncode != 0
    assert f"required variable {missing} is missing a value: run `sh deploy/make_secrets.sh`" in done.stderr


@pytest.mark.parametrize("key", ["healthcheck", "depends_on", "environment", "services", "condition"])
def test_a_misspelt_key_is_refused(variables: dict[str, str], tmp_path: Path, key: str) -> None:
    text = COMPOSE_FILE.read_text()
    assert (accepted := compose("config", "-q", variables=variables)).returncode == 0, accepted.stderr
    misspelt = tmp_path / "docker-compose.yml"
    misspelt.write_text(re.sub(rf"\b{key}:", f"{key}x:", text))
    assert compose("config", "-q", variables=variables, file=misspelt).returncode != 0


def test_haproxy_sends_orders_where_they_are_taken_and_shows_pages_while_their_process_lives() -> None:
    """Not `/readyz` of reporting: it is 503 while no report can be made, and nobody could log in."""
    backends = (REPOSITORY / "deploy/haproxy.cfg").read_text().split("\nbackend ")[1:]
    asked = {one.split()[0]: re.findall(r"http-check send meth GET uri (\S+)", one) for one in backends}
    assert asked == {
        "gateways": ["/readyz"],
        "websockets": ["/readyz"],
        "gateways-without-leader": ["/healthz"],
        "pages": ["/healthz"],
    }


def test_everything_is_published_on_loopback_and_starts_again(variables: dict[str, str]) -> None:
    for name, service in config_of(variables)["services"].items():
        assert {port["host_ip"] for port in service.get("ports", [])} <= {"127.0.0.1"}, name
        if name in ONE_SHOTS:
            assert service["restart"] == "on-failure:3", name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name


def test_make_run_scaled_reads_the_file_as_docker_compose_does(variables: dict[str, str]) -> None:
    ours = rex_services(read_compose_file({**variables, "REX_SCHEDULE": "always"}))
    theirs = rex_services(config_of({**variables, "REX_SCHEDULE": "always"}))
    assert sorted(ours) == sorted(theirs)
    assert [service.name for service in ours[:2]] == ONE_SHOTS
    assert sorted(service.name for service in ours[2:] if service.restarts) == sorted(PROCESSES)


def test_a_missing_secret_of_make_run_scaled_is_a_random_one() -> None:
    made: dict[str, str] = {}
    read_compose_file(made)
    again: dict[str, str] = {}
    read_compose_file(again)
    assert sorted(made) == sorted(SECRETS)
    assert not set(made.values()) & set(again.values())


def test_secrets_are_made_once(tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "make_secrets.sh"
    script.parent.mkdir()
    shutil.copy(REPOSITORY / "deploy" / "make_secrets.sh", script)
    subprocess.run(["sh", script], check=True)
    file = tmp_path / ".env"
    made = dict(line.split("=") for line in file.read_text().splitlines())
    assert sorted(made) == sorted(SECRETS)
    assert all(re.fullmatch(r"[0-9a-f]{48}", secret) for secret in made.values())
    assert file.stat().st_mode & 0o777 == 0o600
    assert subprocess.run(["sh", script], capture_output=True, check=False).returncode != 0
    assert dict(line.split("=") for line in file.read_text().splitlines()) == made


def test_every_server_of_the_configuration_files_is_a_service(variables: dict[str, str]) -> None:
    services = rex_services(read_compose_file(variables))
    ports = {f"{service.name}:{service.environment['REX_PORT']}" for service in services if service.restarts}
    haproxy = (REPOSITORY / "deploy/haproxy.cfg").read_text()
    assert set(re.findall(r"^ +server \S+ (\S+)", haproxy, re.MULTILINE)) == {
        port for port in ports if port.startswith(("gateway", "reporting"))
    }
    prometheus = (REPOSITORY / "deploy/prometheus.yml").read_text()
    assert set(re.findall(r'"([\w-]+:\d+)"', prometheus)) == ports | {"haproxy:8404"}


class Stage(NamedTuple):
    """A running venue; `stop` ends all of it."""

    venue: RunningVenue
    folder: Path
    stop: Callable[[], None]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Every service of docker-compose's JSON that runs `rex`, as a process with that command and those variables."""
    config = config_of({**{name: secrets.token_hex(24) for name in SECRETS}, "REX_SCHEDULE": "always"})
    for service in config["services"].values():
        if (service.get("command") or [""])[0] == "rex":
            service["environment"] |= VARIABLES
    with tempfile.TemporaryDirectory(prefix="rex-compose-") as folder, ExitStack() as opened:
        try:
            running = opened.enter_context(running_venue(config, Path(folder)))
        except ServerMissing as missing:
            pytest.skip(f"NO TEST OF THE COMMANDS IN docker-compose.yml RAN: {missing}")
        yield Stage(running, Path(folder), opened.close)


@pytest.fixture
def venue(stage: Stage) -> RunningVenue:
    """The running venue."""
    return stage.venue


def operator_key(keys_file: Path) -> str:
    key: str = json.loads(keys_file.read_text())["operator"]["key"]
    return key


async def trader(operator: RexClient, url: str, name: str, *, cash: str = "0.00", lots: int = 0) -> RexClient:
    """A new account with a key."""
    account = (await operator.open_account(name))["account"]
    if lots:
        await operator.change_inventory(account, "PRND-OX", lots)
    else:
        await operator.change_cash(account, cash)
    return RexClient(url, (await operator.issue_key(name, ["read", "trade"], account=account))["key"])


@pytest.mark.slow
@pytest.mark.anyio
async def test_an_order_goes_from_http_to_the_report(venue: RunningVenue) -> None:
    async with RexClient(venue.url, operator_key(venue.keys_file)) as operator:
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
        async with RexClient(venue.url_of(name), operator_key(venue.keys_file)) as reader:
            assert (await reader.turnover(year, at_least_seq=bid["seq"]))["net"] == "473000.00", name
            [trade] = await reader.trades("PRND-OX")
            assert trade["seq"] == bid["seq"], name


@pytest.mark.slow
def test_the_pages_have_the_address_of_the_gateways(venue: RunningVenue) -> None:
    pages = venue.url if "haproxy" in venue.processes else venue.url_of("reporting")
    answer = http_get(pages, follow_redirects=True)
    assert (answer.status_code, str(answer.url)) == (200, f"{pages}/ui/")
    assert "REX" in answer.text


@pytest.mark.slow
def test_a_browser_stays_logged_in_behind_the_one_address(venue: RunningVenue) -> None:
    """Sessions are in the memory of one of the gateways."""
    if "haproxy" not in venue.processes:
        pytest.skip("NO LOG-IN BEHIND HAPROXY RAN: it is not installed")
    person = {"name": "wang.fang", "password": "cerium cerium cerium"}
    key = {"authorization": f"Bearer {operator_key(venue.keys_file)}"}
    http_post(f"{venue.url}/v1/admin/users", json={**person, "role": "auditor"}, headers=key).raise_for_status()
    for _ in range(4):
        with HttpClient(base_url=venue.url, headers={"origin": venue.url}) as browser:
            assert browser.get("/log-in").status_code == 200
            browser.post("/v1/session", json=person).raise_for_status()
            names = {browser.get("/v1/session", headers={"connection": "close"}).json()["name"] for _ in range(8)}
            assert names == {"wang.fang"}


@pytest.mark.slow
@pytest.mark.anyio
async def test_a_recorded_flow_through_the_address_of_the_gateways_is_green(venue: RunningVenue) -> None:
    with progress.shown(enabled=False) as stages:
        result = await replay.replay_file(
            SAMPLE, venue.url, operator_key(venue.keys_file), stages, pace=Pace(), limit=3_000
        )
    assert [check for check in result["verdict"]["checks"] if not check["holds"]] == []
    assert result["verdict"]["green"] is True
    assert result["trades"] > 100


@pytest.mark.slow
@pytest.mark.anyio
async def test_without_a_leader_reads_are_answered_and_orders_get_the_venues_own_503(venue: RunningVenue) -> None:
    order = {"symbol": "PRND-OX", "side": "sell", "price": "473000.00", "quantity": 1, "client_order_id": "offer-1"}
    async with (
        RexClient(venue.url, operator_key(venue.keys_file)) as operator,
        await trader(operator, venue.url, "Patient Trader", lots=1) as seller,
        WebSocketClient(websocket_url(venue), additional_headers=operator_headers(venue)) as socket,
    ):
        assert as_of(venue) is None
        sequencers = [venue.processes["sequencer-1"], venue.processes["sequencer-2"]]
        for sequencer in sequencers:
            sequencer.pause()
        try:
            await asyncio.to_thread(wait_for_status, f"{venue.url}/readyz", 503)
            assert (await seller.account())["holdings"][0]["available"] == 1
            assert as_of(venue) is not None
            with pytest.raises(RexError) as refused:
                await seller.place_order(order)
            await socket.send('{"method": "ping"}')  # Nobody goes on without this gateway: its WebSockets stay.
            assert "seq" in json.loads(await socket.recv())["result"]
        finally:
            for sequencer in sequencers:
                sequencer.resume()
        assert (refused.value.status, refused.value.code) == (503, "not_ready")
        await asyncio.to_thread(wait_for_status, f"{venue.url}/readyz", 200)
        await asyncio.to_thread(wait_for, lambda: as_of(venue) is None, "a read says that it is old")
        offer = await seller.place_order(order)
        assert offer["state"] == "new"
        assert (await seller.cancel_order(order_id=offer["order_id"]))["state"] == "canceled"


def operator_headers(venue: RunningVenue) -> dict[str, str]:
    return {"authorization": f"Bearer {operator_key(venue.keys_file)}"}


def websocket_url(venue: RunningVenue) -> str:
    return f"{venue.url.replace('http', 'ws')}/v1/ws"


def as_of(venue: RunningVenue) -> str | None:
    """What a read says of its age."""
    header: str | None = http_get(f"{venue.url}/v1/time").headers.get("rex-as-of")
    return header


@pytest.mark.slow
@pytest.mark.anyio
async def test_haproxy_takes_websockets_from_a_gateway_that_hangs(venue: RunningVenue) -> None:
    if "haproxy" not in venue.processes:
        pytest.skip("NO WEBSOCKET BEHIND HAPROXY WAS CLOSED: it is not installed")
    key = operator_headers(venue)
    async with WebSocketClient(websocket_url(venue), additional_headers=key) as socket, asyncio.timeout(PATIENCE_S):
        gateways = {name: venue.url_of(name) for name in ("gateway-1", "gateway-2")}
        await socket.send('{"method": "ping"}')
        await socket.recv()
        stuck = next(name for name, url in gateways.items() if http_get(f"{url}/healthz").json()["websockets"])
        venue.processes[stuck].pause()
        try:
            await socket.wait_closed()
            async with WebSocketClient(websocket_url(venue), additional_headers=key) as other:
                await other.send('{"method": "ping"}')
                assert "seq" in json.loads(await other.recv())["result"]
        finally:
            venue.processes[stuck].resume()
    await asyncio.to_thread(wait_for_status, f"{gateways[stuck]}/readyz", 200)


@pytest.mark.slow
def test_the_dashboard_names_metrics_that_the_processes_serve(venue: RunningVenue) -> None:
    dashboard = json.loads((REPOSITORY / "deploy/grafana/dashboards/rex.json").read_text())
    queries = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    named = set(re.findall(r"\b(?:rex|haproxy)_\w+", queries))
    assert {"rex_leader", "rex_epoch", "rex_request_seconds_bucket", "haproxy_server_status"} <= named
    addresses = [venue.url_of(name) for name in PROCESSES]
    if "haproxy" in venue.processes:
        addresses.append(venue.url_of("haproxy", "8404"))
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


@pytest.mark.slow
def test_a_deposed_leader_starts_again_as_a_standby(venue: RunningVenue) -> None:
    sequencers = {name: venue.url_of(name) for name in ("sequencer-1", "sequencer-2")}
    deposed = leader(sequencers)
    process, said = venue.processes[deposed], list[str]()
    process.pause()
    successor = leader(sequencers, other_than=deposed)
    process.resume()
    wait_for(lambda: not process.running, f"{deposed} goes on")
    venue.restart_ended(said.append)
    assert said[0] == f"{deposed} (process {process.pid}) ended with status {ExitCode.OTHER_WRITER:d}."
    wait_for_status(f"{sequencers[deposed]}/readyz", 200)
    assert http_get(f"{sequencers[deposed]}/readyz").json()["role"] == "standby"
    assert leader(sequencers) == successor


@pytest.mark.slow
def test_a_page_trades_before_and_after_a_take_over(venue: RunningVenue) -> None:
    """A browser behind the one address: HTML from `rex reporting`, session, orders and pushes from a gateway."""
    if "haproxy" not in venue.processes:
        pytest.skip("NO PAGE OF THE SCALED VENUE RAN: haproxy is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"NO PAGE OF THE SCALED VENUE RAN: {CHROMIUM} is missing")
    person = {"name": "zhao.min", "password": "praseodymium"}
    key = {"authorization": f"Bearer {operator_key(venue.keys_file)}"}
    with HttpClient(base_url=venue.url, headers=key) as operator:
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
                    take_over(venue)
            expect(page.locator("html")).to_have_attribute("data-line", "live")
            browser.close()
        standing = operator.get("/v1/orders", params={"account": account, "state": "open"}).json()["orders"]
        assert [order["price"] for order in standing] == ["450000.00"] * 2


def take_over(venue: RunningVenue) -> None:
    """The leader is held up until the standby leads; it ends, and is started again as a standby."""
    sequencers = {name: venue.url_of(name) for name in ("sequencer-1", "sequencer-2")}
    deposed = leader(sequencers)
    process = venue.processes[deposed]
    process.pause()
    leader(sequencers, other_than=deposed)
    process.resume()
    wait_for(lambda: not process.running, f"{deposed} goes on")
    venue.restart_ended(lambda _said: None)
    wait_for_status(f"{sequencers[deposed]}/readyz", 200)


@pytest.mark.slow
def test_make_run_scaled_carries_on_in_its_folder_and_stops_everything(stage: Stage) -> None:
    """The last test of this file: it stops the venue of the others, and goes on with its folder."""
    keys = stage.venue.keys_file.read_text()
    seq = http_get(f"{stage.venue.url}/readyz").json()["seq"]
    stage.stop()
    with run_scaled(stage.folder) as again:
        assert Path(again["keys_file"]).read_text() == keys
        assert http_get(f"{again['url']}/readyz").json()["seq"] >= seq > 0


@contextmanager
def run_scaled(folder: Path) -> Iterator[dict[str, Any]]:
    """Runs it and yields what it printed when it was ready; ends it as Ctrl-C does. Nothing of it runs afterwards."""
    command = [sys.executable, "-m", "load_tests.run_scaled", "--json", "--folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    started: dict[str, Any] = {}
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            with impatience(process):
                line = process.stdout.readline()
            if not line and "is missing" in (errors := process.stderr.read()):
                pytest.skip(f"make run-scaled WAS NOT TESTED: {errors}")
            started = json.loads(line)
            yield started
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    pids = [*started["servers"].values(), *(one["pid"] for one in started["processes"].values())]
    assert all(ended(pid) for pid in pids)


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
