"""A real `rex demo` whose device fails while REST and WebSocket clients have requests under way; records what they see.

`python -m tests.e2e.faults` prints how long the process took to end. No test asserts that time.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from services.files.data_folder import READ_DATABASE_FILE
from services.scaled.launch import REX
from services.simulator import demo_accounts
from tests.patience import PATIENCE_S, AsyncHttpClient, WebSocketClient, impatience

ORDER = {"symbol": "PRND-OX", "side": "buy", "quantity": 1, "price": "480000.00"}
WEBSOCKET_IN_FLIGHT = 8
TAKEN = 40
"""The number of orders placed over REST before the device fails."""


@dataclass
class Seen:
    """The observations of clients and operator."""

    taken: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when TAKEN orders were accepted."""
    rest: list[str] = field(default_factory=list)
    """The error code with which each REST client ended."""
    websocket: list[str] = field(default_factory=list)
    """The codes of the error replies."""
    closed: int | None = None
    """The close code of the WebSocket."""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has seen the fault."""
    first_at: float | None = None
    """The time at which the first client saw the fault."""
    seconds: float = 0.0
    """The time from `first_at` to the end of the process."""
    returncode: int = 0
    stderr: str = ""

    def fault(self) -> None:
        """Records that a client has seen the fault."""
        if self.first_at is None:
            self.first_at = time.monotonic()
            self.heard.set()


def start_demo(folder: Path) -> subprocess.Popen[str]:
    """Starts `rex demo` with its simulator and pages; it prints its URL to standard output."""
    command = [str(REX), "demo", "--no-history", "--rate", "50", "--port", "0", "--data-dir", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def url_of(process: subprocess.Popen[str]) -> str:
    """Waits until the venue prints its URL, and returns it."""
    assert process.stdout is not None
    with impatience(process):
        while "API" not in (line := process.stdout.readline()):
            assert line, "the venue ended before it was ready"
    return line.split()[2].removesuffix("/docs")


def fail_device(process: subprocess.Popen[str]) -> None:
    """Limits the file size of the process: no file can grow any more, as on a full device."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, 1))


def half_a_request(url: str, key: str) -> socket.socket:
    """A client that has sent the first part of an order's request and then sends nothing."""
    host, port = url.removeprefix("http://").split(":")
    head = f"POST /v1/orders HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    client = socket.create_connection((host, int(port)))
    client.sendall(head.encode())
    return client


async def _rest(client: AsyncHttpClient, seen: Seen) -> None:
    while True:
        try:
            answer = await client.post("/v1/orders", json=ORDER)
        except httpx.HTTPError as error:
            seen.rest.append(type(error).__name__)
            return seen.fault()
        if answer.status_code == 503:
            seen.rest.append(answer.json()["code"])
            return seen.fault()
        assert answer.status_code == 201, answer.text
        seen.taken += 1
        if seen.taken == TAKEN:
            seen.enough.set()


async def _websocket(ws: ClientConnection, seen: Seen) -> None:
    async def order(number: int) -> None:
        await ws.send(json.dumps({"method": "place_order", "req_id": number, "params": ORDER}))

    try:
        for number in range(WEBSOCKET_IN_FLIGHT):
            await order(number)
        async for text in ws:
            answer: dict[str, Any] = json.loads(text)
            if "error" in answer:
                seen.websocket.append(answer["error"]["code"])
                seen.fault()
            else:
                await order(answer["req_id"])
    except ConnectionClosed:
        seen.fault()
    seen.closed = ws.close_code


async def watch_a_fault(process: subprocess.Popen[str], folder: Path) -> Seen:
    """Places orders over REST and WebSocket, lets the device fail, and waits until the process has ended."""
    url, keys = url_of(process), json.loads((folder / "keys.json").read_text())
    key = keys[next(account.name for account in demo_accounts() if account.role == "desk")]["key"]
    bearer, seen = {"Authorization": f"Bearer {key}"}, Seen()
    socket_url = url.replace("http", "ws") + "/v1/ws"
    async with (
        AsyncHttpClient(base_url=url, headers=bearer) as client,
        WebSocketClient(socket_url, additional_headers=bearer) as ws,
        asyncio.TaskGroup() as clients,
    ):
        with half_a_request(url, key):
            for _ in range(4):
                clients.create_task(_rest(client, seen))
            clients.create_task(_websocket(ws, seen))
            await seen.enough.wait()
            with closing(
                sqlite3.connect(folder / READ_DATABASE_FILE, isolation_level=None, check_same_thread=False)
            ) as held:
                # Blocks the projector, so that the journal is the first file to be written. It may hold the file itself for a
                # while: waiting in a thread keeps the clients' orders under way.
                await asyncio.to_thread(held.execute, "BEGIN IMMEDIATE")
                fail_device(process)
                await seen.heard.wait()
            await asyncio.to_thread(process.wait, PATIENCE_S)
    assert seen.first_at is not None
    assert process.stderr is not None
    seen.seconds = time.monotonic() - seen.first_at
    seen.returncode, seen.stderr = process.returncode, process.stderr.read()
    return seen


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, start_demo(Path(place)) as running:
        found = asyncio.run(watch_a_fault(running, Path(place)))
        sys.stdout.write(f"{found}\n{found.stderr}")
