"""Hostile bytes at a whole venue: each gets a 4xx or a named close, memory stays flat, nothing is logged, orders go on."""

from __future__ import annotations

import base64
import json
import socket
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.frames import Frame, Opcode

from load_tests.child_process import venue as served_venue
from tests.faults.process_figures import figures
from tests.long import some
from tests.patience import PATIENCE_S, HttpClient

if not sys.platform.startswith("linux"):
    pytest.skip("memory is read from /proc", allow_module_level=True)

MIB = 2**20
GROWTH_BYTES = 20 * MIB
"""How much the venue's memory may grow over all of this file."""
ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}
DEEP = 100_000
ELEMENTS = 1_000_000


@dataclass
class Venue:
    """A running venue with a member."""

    url: str
    pid: int
    keys: dict[str, str]
    """Of `member`, `operator`, `watcher` and `other`: who is hostile has all but the last one."""
    before_bytes: int = 0
    """Its memory when the tests began."""

    def order(self, source: str = "127.0.0.1") -> int:
        """Places the other member's order; returns the status."""
        headers = {"authorization": f"Bearer {self.keys['other']}"}
        with HttpClient(transport=httpx.HTTPTransport(local_address=source)) as client:
            return client.post(f"{self.url}/v1/orders", json=ORDER, headers=headers).status_code

    def grown_bytes(self) -> int:
        """How much its memory has grown in the tests so far."""
        return figures(self.pid).rss_bytes - self.before_bytes

    @contextmanager
    def connected(self, address: str = "127.0.0.1") -> Iterator[socket.socket]:
        """A connection from this address."""
        at = urlsplit(self.url)
        to, source = (at.hostname or "", at.port or 0), (address, 0)
        with socket.create_connection(to, timeout=PATIENCE_S, source_address=source) as connection:
            yield connection

    @contextmanager
    def websocket(
        self, *more: str, name: str | None = "member", address: str = "127.0.0.1"
    ) -> Iterator[tuple[socket.socket, bytes]]:
        """A WebSocket, and the head of the answer to its handshake."""
        lines = [
            "GET /v1/ws HTTP/1.1", "host: 127.0.0.1", "upgrade: websocket", "connection: upgrade", *more,
            "sec-websocket-version: 13", f"sec-websocket-key: {base64.b64encode(bytes(16)).decode()}",
            *([f"authorization: Bearer {self.keys[name]}"] if name else []), "", "",
        ]  # fmt: skip
        with self.connected(address) as connection:
            connection.sendall("\r\n".join(lines).encode())
            yield connection, _head(connection)

    def post(self, path: str, name: str, framing: str) -> bytes:
        """The head of a request with a JSON body."""
        return (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self.keys[name]}\r\n"
            f"content-type: application/json\r\n{framing}\r\n\r\n"
        ).encode()


def _head(connection: socket.socket) -> bytes:
    """The head of the answer; what follows it stays in the socket."""
    while True:
        seen = connection.recv(4_096, socket.MSG_PEEK)
        end = seen.find(b"\r\n\r\n") + 4
        if end > 3 or not seen:
            return connection.recv(end) if seen else b""


def open_member(operator: HttpClient, name: str) -> str:
    """An account with cash; returns its key."""
    account = operator.post("/v1/admin/accounts", json={"name": name}).json()["account"]
    operator.post(f"/v1/admin/accounts/{account}/cash", json={"amount": "900000000.00"}).raise_for_status()
    body = {"name": name, "scopes": ["read", "trade"], "account": account}
    return str(operator.post("/v1/admin/keys", json=body).json()["key"])


def two_thousand_websockets(venue: Venue) -> None:
    """From two addresses, each within its share; after 16 messages without a key each is closed by name."""
    with ExitStack() as stack:
        opened = [
            stack.enter_context(venue.websocket(name=None, address=address))[0]
            for address in ("127.0.0.2", "127.0.0.3")
            for _ in range(1_000)
        ]
        for connection in opened:
            connection.sendall(frame(b'{"method":"ping"}') * 16)
        assert venue.order() == 201
        assert {closed(connection) for connection in opened} == {4003}
    while figures(venue.pid).sockets > 100:  # until the venue has noticed that all have left
        venue.order()


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    folder = tmp_path_factory.mktemp("hostile")
    with (folder / "stderr").open("a+b") as errors, served_venue(folder / "venue", errors=errors) as served:
        with HttpClient(base_url=served.url, headers={"authorization": f"Bearer {served.operator_key}"}) as operator:
            keys = {name: open_member(operator, name) for name in ("member", "other")}
            watcher = operator.post("/v1/admin/keys", json={"name": "watcher", "scopes": ["read", "operate"]}).json()
            keys |= {"operator": served.operator_key, "watcher": watcher["key"]}
        one = Venue(served.url, served.pid, keys)
        for _ in range(50):
            assert one.order() == 201
        # They take about 40 KiB each while they are open; Python keeps it for the next ones.
        two_thousand_websockets(one)
        one.before_bytes = figures(one.pid).rss_bytes
        yield one
        assert one.order() == 201
        assert (grown := one.grown_bytes()) < GROWTH_BYTES, f"{grown / MIB:.1f} MiB"
        assert (folder / "stderr").read_text() == "", "a hostile client is no error of the venue"


@pytest.fixture(autouse=True)
def unharmed(venue: Venue) -> Iterator[None]:
    """After each test the other member's order is taken."""
    yield
    assert venue.order() == 201


def send(connection: socket.socket, piece: bytes, times: int = 1) -> None:
    """Sends as much as the venue takes."""
    try:
        for _ in range(times):
            connection.sendall(piece)
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        return


def answered(connection: socket.socket) -> tuple[int, str]:
    """Status and code of the next answer."""
    with connection.makefile("rb") as file:
        status, size = int(file.readline().split()[1]), 0
        for line in iter(file.readline, b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        return status, json.loads(file.read(size))["code"]


def received(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """Opcode and payload of each frame that the venue sends."""
    with connection.makefile("rb") as file:
        while True:
            opcode, size = file.read(2)
            size = int.from_bytes(file.read(2), "big") if size == 126 else size
            yield opcode & 15, file.read(size)


def closed(connection: socket.socket) -> int:
    """The code of the close frame that the venue sends; frames before it are skipped."""
    return next(int.from_bytes(sent[:2], "big") for opcode, sent in received(connection) if opcode == Opcode.CLOSE)


def replied(connection: socket.socket) -> int:
    """The status of the error reply that comes next."""
    return int(json.loads(next(received(connection))[1])["error"]["status"])


def frame(data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=True)


BATCH, DECISION, FRAME, MESSAGE = "/v1/orders/batch", "/v1/admin/decisions", "frame", "message"
ATTACKS = {
    "nested arrays": (BATCH, b"[" * DEEP + b"]" * DEEP, 400),
    "nested objects": (BATCH, b'{"a":' * 40_000 + b"1" + b"}" * 40_000, 400),
    "an array of a million": (BATCH, b"[" + b"1," * (ELEMENTS - 1) + b"1]", 413),
    "a batch of a hundred thousand": (BATCH, b'{"orders":[' + b"1," * 100_000 + b"1]}", 422),
    "a batch of empty orders": (BATCH, b'{"orders":[' + b"{}," * 80_000 + b"{}]}", 422),
    "NaN": (BATCH, b'{"orders":[{"quantity":NaN}]}', 400),
    "Infinity": (BATCH, b'{"orders":[{"quantity":-Infinity}]}', 400),
    "a number of a hundred thousand digits": (BATCH, b'{"orders":[{"quantity":' + b"9" * 100_000 + b"}]}", 400),
    "not UTF-8": (BATCH, b'{"orders":[{"symbol":"\xff\xfe"}]}', 400),
    "a lone surrogate": (BATCH, b'{"orders":[{"symbol":"\\ud800"}]}', 400),
    "a key twice": (BATCH, b'{"orders":[],"orders":[]}', 400),
    "a key escaped": (BATCH, b'{"orders":[],"or\\u0064ers":[]}', 400),
    "ten thousand keys": (BATCH, b"{" + b",".join(b'"%d":1' % n for n in range(10_000)) + b"}", 422),
    "gzip": (BATCH, zlib.compress(b" " * MIB), 400),
    "a batch of a million": (BATCH, b'{"orders":[' + b"{}," * (ELEMENTS - 1) + b"{}]}", 413),
    "a decision: nested objects": (DECISION, b'{"a":' * 40_000 + b"1" + b"}" * 40_000, 400),
    "a decision: a key twice": (DECISION, b'{"orders":[],"orders":[]}', 400),
    "a decision: ten thousand keys": (DECISION, b"{" + b",".join(b'"%d":1' % n for n in range(10_000)) + b"}", 422),
    "text that is not UTF-8": (FRAME, frame(b'{"method":"ping","req_id":"\xff"}'), 1007),
    "UTF-8 cut in the middle": (FRAME, frame("é".encode()[:1]), 1007),
    "UTF-8 broken over fragments": (FRAME, frame(b"\xc3", fin=False) + frame(b"\x28", Opcode.CONT), 1007),
    "a surrogate in UTF-8": (FRAME, frame(b"\xed\xa0\x80"), 1007),
    "200 MB announced": (FRAME, b"\x81\xff" + (200 * MIB).to_bytes(8, "big") + bytes(4), 1009),
    "2^63 bytes announced": (FRAME, b"\x81\xff" + b"\x80" + bytes(7) + bytes(4), 1009),
    "a message of 1 MiB": (FRAME, frame(b" " * MIB), 1009),
    "fragments of 1 MiB": (FRAME, frame(b" " * 60_000, fin=False) + frame(b" " * 60_000, Opcode.CONT) * 20, 1009),
    "not masked": (FRAME, Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002),
    "a reserved opcode": (FRAME, b"\x83\x80" + bytes(4), 1002),
    "a reserved bit": (FRAME, b"\xa1\x80" + bytes(4), 1002),
    "a deflate bomb": (FRAME, b"\xc1" + frame(zlib.compress(b" " * 10 * MIB))[1:], 1002),
    "a ping of 126 bytes": (FRAME, b"\x89\xfe\x00\x7e" + bytes(4) + bytes(126), 1002),
    "a fragmented ping": (FRAME, b"\x09\x80" + bytes(4), 1002),
    "a continuation of nothing": (FRAME, frame(b"x", Opcode.CONT), 1002),
    "text inside a message": (FRAME, frame(b"{", fin=False) + frame(b"{}"), 1002),
    "a close code that is none": (FRAME, frame((5).to_bytes(2, "big"), Opcode.CLOSE), 1002),
    "a close reason that is not UTF-8": (FRAME, frame(b"\x03\xe8\xff", Opcode.CLOSE), 1007),
    "a request instead of a frame": (FRAME, b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", 1002),
    "a message: nested": (MESSAGE, b"[" * 60_000, 422),
    "a message: nested params": (
        MESSAGE,
        b'{"method":"place_order","params":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
        400,
    ),
    "a message: an array of thirty thousand": (MESSAGE, b"[" + b"1," * 30_000 + b"1]", 422),
    "a message: NaN": (MESSAGE, b'{"method":"place_order","params":{"quantity":NaN}}', 400),
    "a message: a method twice": (MESSAGE, b'{"method":"ping","method":"place_order"}', 400),
    "a message: a price twice": (MESSAGE, b'{"method":"place_order","params":{"price":"1","price":"2"}}', 400),
}
"""Bytes and how they come: as a body to a path, as frames, as one text. Then the status of the answer or of the error reply, or
the code with which the venue closes."""


@pytest.mark.parametrize("attack", ATTACKS, ids=list(ATTACKS))
def test_hostile_bytes_get_a_4xx_or_a_named_close(venue: Venue, attack: str) -> None:
    over, data, verdict = ATTACKS[attack]
    if over in (FRAME, MESSAGE):
        with venue.websocket() as (connection, _):
            send(connection, data if over == FRAME else frame(data))
            assert (closed(connection) if over == FRAME else replied(connection)) == verdict
        return
    with venue.connected() as connection:
        connection.sendall(venue.post(over, "member" if over == BATCH else "operator", f"content-length: {len(data)}"))
        send(connection, data)
        # To one who sends on after the close, the kernel may not deliver the answer.
        with suppress(ConnectionResetError) if len(data) > 3 * ELEMENTS else nullcontext():
            found, code = answered(connection)
            assert found == verdict, code
            assert code in ("malformed_json", "duplicate_key", "body_too_large", "validation_failed")


@pytest.mark.parametrize("framing", ["content-length: 209715200", "transfer-encoding: chunked"])
def test_a_body_of_200_mb(venue: Venue, framing: str) -> None:
    piece = b"x" * MIB
    with venue.connected() as connection:
        connection.sendall(venue.post(BATCH, "member", framing))
        for _ in range(2):
            send(connection, b"100000\r\n" + piece + b"\r\n" if "chunked" in framing else piece, 100)
            assert venue.order() == 201
        with suppress(ConnectionResetError):
            assert answered(connection) == (413, "body_too_large")


def test_many_who_ask_for_the_largest_file_and_read_nothing(venue: Venue) -> None:
    request = b"GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    with ExitStack() as stack:
        connections = [stack.enter_context(venue.connected()) for _ in range(200)]
        for connection in connections:
            connection.sendall(request * 20)
        assert venue.order() == 201


def test_compression_is_not_agreed_to(venue: Venue) -> None:
    with venue.websocket("sec-websocket-extensions: permessage-deflate; client_max_window_bits") as (_, head):
        assert head.startswith(b"HTTP/1.1 101")
        assert b"sec-websocket-extensions" not in head.lower()


def test_a_flood_of_control_frames_is_read_slowly_and_others_are_served(venue: Venue) -> None:
    with ExitStack() as stack:
        for opcode in (Opcode.PING, Opcode.PONG) * 4:
            flood = frame(b"x" * 100, opcode) * 5_000
            connection, _ = stack.enter_context(venue.websocket(name="operator"))
            connection.setblocking(False)
            with suppress(BlockingIOError):
                connection.send(flood)
        assert [venue.order() for _ in range(10)] == [201] * 10


def test_a_flood_of_messages_whose_replies_nobody_reads(venue: Venue) -> None:
    order = {"method": "place_order", "params": {**ORDER, "price": "460000"}, "req_id": 1}
    flood = frame(json.dumps(order).encode()) * 20 + frame(b'{"method":"ping"}') * 3_000
    with ExitStack() as stack:
        for name in ["member"] * 16:
            connection, _ = stack.enter_context(venue.websocket(name=name))
            connection.setblocking(False)
            with suppress(BlockingIOError):
                connection.send(flood)
        assert [venue.order() for _ in range(10)] == [201] * 10


def test_many_who_subscribe_to_everything_and_read_nothing(venue: Venue) -> None:
    everything = [["depth", "top", "trades", "ticker", "auction", "status"], ["drop_copy", "turnover", "alerts"]]
    with ExitStack() as stack:
        for _ in range(16):
            connection, _ = stack.enter_context(venue.websocket(name="watcher"))
            for channels in everything:
                params = {"channels": channels, **({"symbols": ["*"]} if "depth" in channels else {})}
                connection.sendall(frame(json.dumps({"method": "subscribe", "params": params}).encode()))
        assert [venue.order() for _ in range(200)] == [201] * 200


def test_more_sockets_than_one_address_may_have(venue: Venue) -> None:
    with ExitStack() as stack:
        opened = [stack.enter_context(venue.connected()) for _ in range(2_000)]
        assert answered(opened[-1]) == (503, "too_many_connections")
        assert venue.order(source="127.0.0.2") == 201, "another address has its own share"


@pytest.mark.parametrize("rounds", some([1, 3]))  # one that is not freed takes 80 MiB
def test_two_thousand_websockets_that_show_no_key(venue: Venue, rounds: int) -> None:
    two_thousand_websockets(venue)
    before = venue.grown_bytes()
    for _ in range(rounds):
        two_thousand_websockets(venue)
    assert venue.grown_bytes() - before < GROWTH_BYTES / 2, "those before them were freed"
