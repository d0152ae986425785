"""The server ends on request, whatever its clients do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.gateway.server.http_limits import LimitedHttp
from tests.integration.raw_http import raw_connection, until
from tests.integration.served_venue import served_venue
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

HOST = "host: 127.0.0.1\r\n"
LARGE_FILE = f"GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\n{HOST}\r\n".encode()
ORDER = '{"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}'


def is_stuck(connection: object) -> bool:
    return isinstance(connection, LimitedHttp) and connection.flow.write_paused


async def test_the_end_cuts_an_answer_nobody_reads_and_a_request_that_hangs(tmp_path: Path) -> None:
    async with (
        served_venue(tmp_path, send_buffer_bytes=4_096) as served,
        raw_connection(served, receive_buffer_bytes=4_096) as deaf,
        raw_connection(served) as hanging,
    ):
        await served.venue.sequencer.stop()
        served.server.config.timeout_graceful_shutdown = None
        state = served.server.server_state
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await deaf.send(LARGE_FILE * 2)  # The second answer waits for room.
        await hanging.send(
            f"POST /v1/orders HTTP/1.1\r\n{HOST}authorization: Bearer {served.venue.keys['alice'].key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(ORDER)}\r\n\r\n{ORDER}".encode()
        )
        await until(lambda: served.venue.inbox.depth == 1 and any(map(is_stuck, state.connections)))
        await until(lambda: len(state.tasks) == 2)
        served.server.end(0)
        await until(lambda: not state.connections and not state.tasks)
        assert state.open == 0
        await asyncio.wait_for(asyncio.shield(served.task), PATIENCE_S)


async def test_a_request_on_its_way_to_a_venue_that_stops_is_answered(tmp_path: Path) -> None:
    request = f"GET /v1/time HTTP/1.1\r\n{HOST}\r\n".encode()
    async with served_venue(tmp_path) as served, raw_connection(served) as client:
        await client.send(request)
        first = await client.answer()
        (idle,) = served.server.server_state.connections
        idle.shutdown()
        await client.send(request)
        second = await client.answer()
        assert (first.status, second.status) == (200, 200)
        assert await client.ended() == b""
