"""The limits of an HTTP client before it shows a key: bytes, time and sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from services.gateway.server.http_connection import BODY_SECONDS, HEAD_SECONDS, WRITE_SECONDS
from services.gateway.server.http_limits import DISCARDED_BYTES, UNREAD_BODY_BYTES, LimitedHttp
from services.gateway.server.http_refusals import HEAD_BYTES, HEADERS, URL_BYTES
from services.gateway.server.server import UNACKNOWLEDGED_SECONDS, _within_descriptors
from services.gateway.sockets import CLOSE_SECONDS
from tests.integration.raw_http import RawConnection, raw_connection, until
from tests.integration.served_venue import Served, listening, serving
from tests.integration.venue import RunningVenue, running_venue

pytestmark = pytest.mark.anyio

JSON = "content-type: application/json\r\n"
HOST = b"host: 127.0.0.1\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
WEBSOCKET = b"GET /v1/ws HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
ORDER = b'{"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}'


@pytest.fixture(scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[RunningVenue]:
    """One for all tests, which look at the server before it: each has a server of its own."""
    async with running_venue(tmp_path_factory.mktemp("venue")) as running:
        yield running


@pytest.fixture
async def served(venue: RunningVenue) -> AsyncIterator[Served]:
    async with serving(venue, listening()) as served:
        yield served


@pytest.fixture
async def raw(served: Served) -> AsyncIterator[RawConnection]:
    async with raw_connection(served) as connection:
        yield connection


def post(served: Served, framing: str) -> bytes:
    key = served.venue.keys["alice"].key
    return f"POST /v1/orders HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n{JSON}{framing}\r\n\r\n".encode()


def of_size(size: int) -> bytes:
    """A complete head of `size` bytes, as the venue counts them."""
    head = GET + b"a: %b\r\n\r\n"
    return head % (b"x" * (size - len(head) + 2))


def seconds_pass(served: Served, seconds: int) -> None:
    """The sweep of so many seconds."""
    for _ in range(seconds):
        served.server.server_state.sweep()


def connections(served: Served) -> list[LimitedHttp]:
    return [connection for connection in served.server.server_state.connections if isinstance(connection, LimitedHttp)]


def read_some(raw: RawConnection) -> bool:
    """Reads some received bytes, bypassing a paused transport."""
    with contextlib.suppress(BlockingIOError):
        os.read(raw.writer.get_extra_info("socket").fileno(), 512)
    return True


def segments_received(raw: RawConnection) -> int:
    """How many segments with data the client's kernel has received: `tcpi_data_segs_in` of tcp(7)'s TCP_INFO."""
    info = raw.writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160)
    (segments,) = struct.unpack_from("=I", info, 152)
    return int(segments)


async def test_an_answer_is_one_write(served: Served, raw: RawConnection) -> None:
    order = post(served, f"content-length: {len(ORDER)}") + ORDER
    for number, request in enumerate(
        [order, GET + b"\r\n", order, b"GET /v1/none HTTP/1.1\r\n" + HOST + b"\r\n"], start=1
    ):
        await raw.send(request)
        assert (await raw.answer()).status in (200, 201, 401)
        assert segments_received(raw) == number


# ---------------------------------------------------------------------- sizes


REFUSED = [
    (GET + b"a: b\r\n" * 400_000, 431, "headers_too_large"),
    (GET + b"a: b\r\n" * HEADERS + b"\r\n", 431, "headers_too_large"),
    (GET + b"a: " + b"x" * 3_000_000, 431, "headers_too_large"),
    (of_size(HEAD_BYTES + 100), 431, "headers_too_large"),
    (b"GET /" + b"x" * 3_000_000, 414, "url_too_long"),
    (b"GET /" + b"x" * URL_BYTES + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "url_too_long"),
    (b"\r\n" * 2_000_000, 431, "headers_too_large"),
    (b"\x16\x03\x01\x02\x00\x01", 400, "malformed_http"),
    (GET + b"no colon\r\n\r\n", 400, "malformed_http"),
    (GET + b"content-length: 2\r\ncontent-length: 3\r\n\r\n", 400, "malformed_http"),
    (GET + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n", 400, "malformed_http"),
    (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n" + HOST + b"\r\n", 400, "malformed_http"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed_http"),
    (WEBSOCKET + b"a: " + b"x" * HEAD_BYTES, 431, "headers_too_large"),
    (WEBSOCKET + b"a: " + b"x" * 9_000 + b"\r\n\r\n", 400, "malformed_http"),
]


async def test_what_is_refused_before_the_application_sees_it(served: Served) -> None:
    for request_bytes, status, code in REFUSED:
        async with raw_connection(served) as raw:
            await raw.send(request_bytes)
            answer = await raw.answer()
            assert (answer.status, answer.code()) == (status, code), request_bytes[:60]
            assert answer.headers["connection"] == "close"
            assert await raw.ended() == b""


@pytest.mark.parametrize(
    "flood", [b"0\r\n" + b"a: b\r\n" * 400_000, b"1;" + b"a=b;" * 500_000], ids=["trailers", "extensions"]
)
async def test_a_chunked_body_brings_no_more_lines_than_a_head(
    raw: RawConnection, served: Served, flood: bytes
) -> None:
    await raw.send(post(served, "transfer-encoding: chunked") + flood)
    assert (await raw.answer()).code() == "headers_too_large"
    assert await raw.ended() == b""


async def test_what_is_just_within_the_limits_is_answered(raw: RawConnection, served: Served) -> None:
    for request, status in (
        (of_size(HEAD_BYTES), 200),
        (GET + b"a: b\r\n" * (HEADERS - 1) + b"\r\n", 200),
        (b"GET /" + b"x" * (URL_BYTES - 1) + b" HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (post(served, "transfer-encoding: chunked") + b"%x\r\n%b\r\n0\r\na: b\r\n\r\n" % (len(ORDER), ORDER), 201),
        (post(served, f"content-length: {len(ORDER) + 60_000}") + ORDER + b" " * 60_000, 201),
    ):
        await raw.send(request)
        assert (await raw.answer()).status == status


async def test_a_trailer_is_no_header_of_the_request(raw: RawConnection, served: Served) -> None:
    trailer = f"authorization: Bearer {served.venue.keys['alice'].key}".encode()
    request = b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"
    await raw.send(request + b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(ORDER), ORDER, trailer))
    assert (await raw.answer()).code() == "missing_key"


# ---------------------------------------------------------------------- requests sent ahead


async def test_requests_sent_ahead_wait_unparsed_and_are_answered_in_their_order(
    raw: RawConnection, served: Served
) -> None:
    other = b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n"
    await raw.send((GET + b"\r\n" + other) * 500)
    for _ in range(500):
        assert (await raw.answer()).status == 200
        assert (await raw.answer()).status == 404
        assert all(len(connection.pipeline) <= 1 for connection in connections(served))


async def test_what_follows_a_request_is_refused_after_its_answer(raw: RawConnection, served: Served) -> None:
    await raw.send(post(served, f"content-length: {len(ORDER)}") + ORDER + b"GARBAGE\r\n\r\n")
    assert (await raw.answer()).status == 201, "the order was whole, and it was placed"
    assert (await raw.answer()).code() == "malformed_http"
    assert await raw.ended() == b""


async def test_a_head_that_begins_behind_a_body_counts_from_its_first_byte(raw: RawConnection, served: Served) -> None:
    framing, next_head = f"content-length: {len(ORDER)}", GET + b"a: "
    await raw.send(post(served, framing))
    await until(lambda: connections(served) and connections(served)[0]._phase == 1)
    await raw.send(ORDER + next_head)
    assert (await raw.answer()).status == 201
    assert connections(served)[0]._head_bytes == len(next_head)
    await raw.send(b"x" * (HEAD_BYTES - len(next_head)))
    await until(lambda: connections(served)[0]._head_bytes == HEAD_BYTES)
    await raw.send(b"x")
    assert (await raw.answer()).code() == "headers_too_large"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_head_that_begins_behind_a_large_head_counts_from_its_own_first_byte(
    raw: RawConnection, served: Served, method: str
) -> None:
    filler = b"a: %b\r\n" % (b"x" * 9_000)
    if method == "GET":
        first = GET + filler + b"\r\n"
    else:
        first = post(served, f"content-length: {len(ORDER)}")[:-2] + filler + b"\r\n" + ORDER
    second = of_size(HEAD_BYTES)
    await raw.send(first + second[:6_000])
    assert (await raw.answer()).status == (200 if method == "GET" else 201)
    await raw.send(second[6_000:-4])
    await until(lambda: not connections(served) or connections(served)[0]._head_bytes == HEAD_BYTES - 4)
    await raw.send(second[-4:])
    assert (await raw.answer()).status == 200
    await raw.send(first + second[:6_000])
    await raw.answer()
    await raw.send(second[6_000:-4] + b"xxxxx")
    assert (await raw.answer()).code() == "headers_too_large"


async def test_a_head_that_was_begun_ahead_has_its_own_seconds(raw: RawConnection, served: Served) -> None:
    await raw.send(GET + b"\r\n" + GET)
    assert (await raw.answer()).status == 200
    await until(lambda: connections(served)[0]._phase == 0)
    seconds_pass(served, HEAD_SECONDS)
    await raw.send(b"\r\n")
    assert (await raw.answer()).status == 200
    await raw.send(GET + b"\r\n" + GET)
    assert (await raw.answer()).status == 200
    await until(lambda: connections(served)[0]._phase == 0)
    seconds_pass(served, HEAD_SECONDS + 1)
    assert (await raw.answer()).code() == "request_timeout"


async def test_a_body_behind_a_body_earns_no_credit(raw: RawConnection, served: Served) -> None:
    first = b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"content-length: 5\r\n\r\n"
    chunked = post(served, "transfer-encoding: chunked") + b"%x\r\n%b\r\n" % (8_000, b"x" * 8_000)
    await raw.send(first)
    assert (await raw.answer()).code() == "missing_key"
    await raw.send(b"12345" + chunked)
    await until(lambda: connections(served)[0]._head_bytes != len(first))
    assert connections(served)[0]._head_bytes >= len(chunked) - 8_000 - 2


async def test_a_broken_body_is_refused_and_nothing_is_placed(raw: RawConnection, served: Served) -> None:
    seq = served.venue.state.last_seq
    await raw.send(post(served, "transfer-encoding: chunked") + b"zz\r\n")
    assert (await raw.answer()).code() == "malformed_http"
    assert await raw.ended() == b""
    assert served.venue.state.last_seq == seq


# ---------------------------------------------------------------------- bodies nobody reads


async def test_a_body_that_is_too_large_is_not_read_for_ever(raw: RawConnection, served: Served) -> None:
    await raw.send(post(served, "content-length: 1000000000"))
    answer = await raw.answer()
    assert (answer.code(), answer.headers["connection"]) == ("body_too_large", "close")
    assert await raw.ended() == b"", "the venue has closed its side"
    assert served.server.server_state.open == 1, (
        "it still reads, so that a client that writes first can read the answer"
    )
    await raw.send(b"x" * 2 * DISCARDED_BYTES)
    await until(lambda: served.server.server_state.open == 0)


async def test_a_closing_connection_ends_though_its_client_does_nothing(raw: RawConnection, served: Served) -> None:
    await raw.send(post(served, "content-length: 1000000000"))
    assert (await raw.answer()).status == 413
    seconds_pass(served, CLOSE_SECONDS + 1)
    await until(lambda: served.server.server_state.open == 0)


async def test_a_body_that_comes_after_its_answer_is_skipped_up_to_a_bound(raw: RawConnection, served: Served) -> None:
    head = b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"content-length: %d\r\n\r\n"
    await raw.send(head % len(ORDER))
    assert (await raw.answer()).code() == "missing_key"
    await raw.send(ORDER + GET + b"\r\n")
    assert (await raw.answer()).status == 200
    await raw.send(head % (4 * UNREAD_BODY_BYTES))
    assert (await raw.answer()).code() == "missing_key"
    await raw.send(b"x" * 2 * UNREAD_BODY_BYTES)
    assert await raw.ended() == b""


# ---------------------------------------------------------------------- time


@pytest.mark.parametrize(
    ("begun", "seconds", "code"),
    [
        (b"", HEAD_SECONDS, None),
        (b"GET /healthz HTTP/1.1\r\nho", HEAD_SECONDS, "request_timeout"),
        (b"\r\n", HEAD_SECONDS, "request_timeout"),
        (b"POST", BODY_SECONDS, "request_timeout"),
    ],
    ids=["silent", "half a head", "empty lines", "half a body"],
)
async def test_who_does_not_go_on_is_refused_in_time(
    raw: RawConnection, served: Served, begun: bytes, seconds: int, code: str | None
) -> None:
    if begun == b"POST":
        begun = post(served, "content-length: 100") + b"{"
    await raw.send(begun)
    await until(lambda: connections(served) and connections(served)[0]._head_bytes == len(begun) - begun.endswith(b"{"))
    seconds_pass(served, seconds // 2)
    assert served.server.server_state.open == 1
    seconds_pass(served, seconds // 2 + 1)
    if code is not None:
        answer = await raw.answer()
        assert (answer.status, answer.code()) == (408, code)
    assert await raw.ended() == b""


async def test_a_drop_now_and_then_earns_no_more_time(raw: RawConnection, served: Served) -> None:
    for number in range(HEAD_SECONDS + 1):
        await raw.send(b"GET /healthz HTTP/1.1\r\n"[number : number + 1])
        await until(lambda: connections(served) and connections(served)[0]._head_bytes == number + 1)  # noqa: B023
        seconds_pass(served, 1)
    assert (await raw.answer()).code() == "request_timeout"


async def test_a_connection_kept_alive_closes_without_a_word(raw: RawConnection, served: Served) -> None:
    await raw.send(GET + b"\r\n")
    assert (await raw.answer()).status == 200
    seconds_pass(served, served.server.config.timeout_keep_alive // 2)
    await raw.send(GET + b"\r\n")
    assert (await raw.answer()).status == 200
    seconds_pass(served, served.server.config.timeout_keep_alive + 1)
    assert await raw.ended() == b""


async def test_a_client_that_does_not_read_its_answers_is_cut(venue: RunningVenue) -> None:
    async with (
        serving(venue, listening(send_buffer_bytes=4_096)) as served,
        raw_connection(served, receive_buffer_bytes=4_096) as raw,
    ):
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await raw.send((b"GET /openapi.json HTTP/1.1\r\n" + HOST + b"\r\n") * 10)
        await until(lambda: connections(served) and connections(served)[0].flow.write_paused)
        seconds_pass(served, WRITE_SECONDS // 2)
        assert served.server.server_state.open == 1
        seconds_pass(served, WRITE_SECONDS // 2 + 1)
        await until(lambda: served.server.server_state.open == 0)


async def test_a_client_that_reads_slowly_is_not_cut(venue: RunningVenue) -> None:
    async with (
        serving(venue, listening(send_buffer_bytes=4_096)) as served,
        raw_connection(served, receive_buffer_bytes=4_096) as raw,
    ):
        await raw.send(b"GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n")
        await until(lambda: connections(served) and connections(served)[0].flow.write_paused)
        [connection] = connections(served)
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(3):
            seconds_pass(served, WRITE_SECONDS)
            assert not connection.socket.is_closing()
            unsent = connection.socket.get_write_buffer_size()
            await until(lambda: read_some(raw) and connection.socket.get_write_buffer_size() < unsent)  # noqa: B023
            assert connection.flow.write_paused, "not so much that uvicorn hears of it"
        seconds_pass(served, WRITE_SECONDS + 2)
        await until(lambda: served.server.server_state.open == 0)


# ---------------------------------------------------------------------- sockets


@pytest.mark.parametrize(("in_all", "per_address"), [(2, 9), (9, 2)])
async def test_one_socket_too_many_is_closed_at_once(venue: RunningVenue, in_all: int, per_address: int) -> None:
    async with (
        serving(venue, listening(), max_connections=in_all, max_connections_per_address=per_address) as served,
        raw_connection(served) as first,
    ):
        async with raw_connection(served) as second, raw_connection(served) as third:
            assert (await third.answer()).code() == "too_many_connections"
            assert await third.ended() == b""
            for connection in (first, second):
                await connection.send(GET + b"\r\n")
                assert (await connection.answer()).status == 200
        await until(lambda: served.server.server_state.open == 1)
        async with raw_connection(served) as fourth:
            await fourth.send(GET + b"\r\n")
            assert (await fourth.answer()).status == 200


async def test_the_kernel_gives_up_a_client_that_is_gone(raw: RawConnection, served: Served) -> None:
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        pytest.skip("this system has no TCP_USER_TIMEOUT")
    await until(lambda: connections(served))
    accepted = connections(served)[0].socket.get_extra_info("socket")
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNACKNOWLEDGED_SECONDS * 1000


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "raised_to", "fits"),
    [(1_024, 4_096, 2_000, 2_256, 2_000), (1_024, 2_048, 4_096, 2_048, 1_792), (8_192, 8_192, 4_096, None, 4_096)],
)
def test_no_more_sockets_than_descriptors(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, wanted: int, raised_to: int | None, fits: int
) -> None:
    limits = [(soft, hard)]
    monkeypatch.setattr("resource.getrlimit", lambda _: limits[-1])
    monkeypatch.setattr("resource.setrlimit", lambda _, pair: limits.append(pair))
    assert _within_descriptors(wanted) == fits
    assert limits[1:] == ([] if raised_to is None else [(raised_to, hard)])
