"""The memory and CPU that a client without a key can cost a venue, measured from outside the process."""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.frames import Frame, Opcode

from load_tests.child_process import RunningVenue
from load_tests.child_process import venue as served_venue
from tests.faults.process_figures import figures
from tests.patience import HttpClient, http_get

if not sys.platform.startswith("linux"):
    pytest.skip("memory and CPU time are read from /proc", allow_module_level=True)

MIB = 2**20
REQUESTS = 1_000
"""So many plain requests tell how fast the machine is."""
HEAD = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n"
HANDSHAKE = (
    HEAD.replace(b"/healthz", b"/v1/ws") + b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def floods() -> dict[str, bytes]:
    return {
        "20 MiB of header lines": HEAD + b"a: b\r\n" * (20 * MIB // 6),
        "one header of 40 MiB": HEAD + b"a: " + b"x" * 40 * MIB,
        "a URL of 40 MiB": b"GET /" + b"x" * 40 * MIB,
        "20 MiB of trailers": HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * (20 * MIB // 6),
        "20 MiB of requests": (HEAD + b"\r\n") * (20 * MIB // 43),
        "10 MiB of handshakes": HANDSHAKE * (10 * MIB // len(HANDSHAKE)),
        "3 MB of pings": HANDSHAKE + Frame(Opcode.PING, b"").serialize(mask=True) * 500_000,
    }


def send_all_it_takes(venue: RunningVenue, data: bytes) -> socket.socket:
    """Sends `data` repeatedly until the venue stops reading; never reads. The socket stays open."""
    client = socket.create_connection(("127.0.0.1", urlsplit(venue.url).port or 80))
    client.settimeout(1)
    with contextlib.suppress(OSError):
        client.sendall(data)
    return client


def test_nobody_without_a_key_costs_much(tmp_path: Path) -> None:
    with served_venue(tmp_path) as venue:
        began = figures(venue.pid)
        with HttpClient(base_url=venue.url) as browser:
            assert {browser.get("/healthz").status_code for _ in range(REQUESTS)} == {200}
        before = figures(venue.pid)
        a_request = (before.cpu_s - began.cpu_s) / REQUESTS
        sent, clients = 0, []
        for flood in floods().values():
            clients.append(send_all_it_takes(venue, flood))
            sent += len(flood)
        now = figures(venue.pid)
        assert now.rss_bytes - before.rss_bytes < sent / 10, "header lines alone were 400 MiB, handshakes 100"
        assert now.cpu_s - before.cpu_s < 5_000 * a_request, (
            "the headers of 20 and 40 MiB alone were 20,000 requests; all are 350 to 500 now"
        )
        for client in clients:
            client.close()
        with HttpClient(base_url=venue.url) as browser:
            answers = [browser.get("/ui/") for _ in range(150)]
        assert {answer.status_code for answer in answers} == {200}
        assert figures(venue.pid).rss_bytes - before.rss_bytes < 40 * MIB, "a page is the same bytes for everybody"
        assert http_get(f"{venue.url}/readyz").status_code == 200
