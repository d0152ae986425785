"""Another durable gateway for Python, from PyPI, on the same load: that of `matching-engine`, which syncs before each reply."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from load_tests.benchmarks import http_load
from load_tests.benchmarks.peer_environment import NotRun, clean_environment, python_of
from load_tests.servers.server_process import free_port
from services.processes.supervised_process import SupervisedProcess

REQUIREMENTS = Path(__file__).with_name("peers") / "matching_engine_gateway.txt"
LEAST_PYTHON = (3, 12)
MARKET = "ND-OX"
_direct = build_opener(ProxyHandler({}))
START_S = STOP_S = 30.0


class PeerGateway(NamedTuple):
    """The running server. It has one market, so that all orders share a commit: its best case."""

    pid: int
    port: int
    python: str
    """The version of its interpreter."""

    async def rest_rate(self, connections: int, requests: int) -> float:
        """Orders a second, none of which trade; each connection sends its next order after the reply to the last."""
        path, host = f"/markets/{MARKET}/orders", f"127.0.0.1:{self.port}"

        def posts(account: int) -> Iterator[bytes]:
            for number in islice(range(requests), requests // connections):
                side, price = ("buy", 90 - number % 20) if number % 2 else ("sell", 110 + number % 20)
                order = {"account": account, "side": side, "price": str(price), "quantity": "1"}
                yield http_load.post(path, host, json.dumps(order).encode())

        streams = [posts(1 + number % 8) for number in range(connections)]
        return (await http_load.load(self.port, streams)).rate("200")


@contextmanager
def peer_gateway() -> Iterator[PeerGateway]:
    """Runs it in an environment of its own, which the first call makes. Raises NotRun."""
    python, port = python_of(REQUIREMENTS, LEAST_PYTHON), free_port()
    with tempfile.TemporaryDirectory(prefix="rex-gateway-peer-") as folder:
        variables = {**clean_environment(), "ME_DATA_DIR": folder, "ME_MARKETS": f"{MARKET}:1:1"}
        command = [str(python), "-m", "matching_engine", "serve", "--port", str(port)]
        nowhere = subprocess.DEVNULL
        process = SupervisedProcess(command, env=variables, cwd=folder, stdout=nowhere, stderr=nowhere)
        try:
            _wait_ready(process, f"http://127.0.0.1:{port}/healthz")
            version = subprocess.check_output(
                [python, "-c", "import platform; print(platform.python_version())"], text=True
            )
            yield PeerGateway(process.pid, port, version.strip())
        finally:
            process.stop(signal.SIGTERM, STOP_S)


def _wait_ready(process: SupervisedProcess, url: str) -> None:
    deadline_s = time.monotonic() + START_S
    while process.running and time.monotonic() < deadline_s:
        try:
            with _direct.open(url, timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise NotRun(f"it did not start (exit status {process.exit_status})")
