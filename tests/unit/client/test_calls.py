"""One REST call over a real socket: what the body of a request says, and what an answer that is none of the venue's means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rex_client import OutcomeUnknown, RexClient, Unreachable
from rex_client.calls import encode_body

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}


@asynccontextmanager
async def answering(body: bytes) -> AsyncIterator[str]:
    """The address of a server that answers every request with status 200 and this body."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"", b'{"order_id": '])
async def test_a_success_that_cannot_be_read_is_an_unknown_outcome(body: bytes) -> None:
    async with answering(body) as url, RexClient(url, "rex_any") as client:
        for call in (client.place_order(ORDER), client.venue(), client.instruments()):
            with pytest.raises(OutcomeUnknown, match="unreadable"):
                await call


async def test_what_cannot_be_sent_is_unreachable() -> None:
    async with RexClient("ftp://127.0.0.1", "rex_any") as client:
        with pytest.raises(Unreachable):
            await client.place_order(ORDER)
    async with answering(b"{}") as url, RexClient(url, "rex_any\r\n") as client:
        with pytest.raises(Unreachable):
            await client.place_order(ORDER)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_a_decimal_is_written_without_an_exponent(amount: Decimal) -> None:
    body: Any = {"price": amount, "requests": [{"place": {"price": amount, "quantity": 1}}], "name": "E"}
    written = json.loads(encode_body(body))
    assert written["price"] == written["requests"][0]["place"]["price"]
    assert "E" not in written["price"]
    assert Decimal(written["price"]) == amount
    assert (written["requests"][0]["place"]["quantity"], written["name"]) == (1, "E")
