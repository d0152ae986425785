"""The middleware that compresses long answers: reports and lists that browsers read, a tenth of their size as gzip.

Answers of orders are short, and pass no middleware. An answer in which the caller's secret would stand beside text of somebody
else must not be compressed (BREACH): these hold no secrets.
"""

from __future__ import annotations

import asyncio
import gzip

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.http.cached_answer import takes_gzip

_BELOW = ("/v1/reports/", "/v1/market/", "/v1/instruments", "/v1/calendar")
_MEDIA_TYPES = (b"application/json", b"text/csv")
MIN_BYTES = 2_000
"""A smaller body is sent as it is."""
THREAD_BYTES = 100_000
"""A larger one is compressed in a thread: it takes some milliseconds."""
LEVEL = 4
"""Of gzip: 6 would take a third more time for 3 % fewer bytes."""


class Compression:
    """Compresses answers that are complete in one message; passes on all others as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        is_long = scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(_BELOW)
        if not is_long:
            await self._app(scope, receive, send)
            return
        takes = takes_gzip(dict(scope["headers"]))
        start: Message | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is not None:
                begun, start = start, None
                headers = dict(begun["headers"])
                body: bytes = message.get("body", b"")
                if _may_be(begun["status"], headers, body, is_whole=not message.get("more_body", False)):
                    begun["headers"] = [*begun["headers"], (b"vary", b"accept-encoding")]
                    if takes:
                        message = {**message, "body": await _packed(body)}
                        begun["headers"] = _of_packed(begun["headers"], message["body"])
                await send(begun)
            await send(message)

        await self._app(scope, receive, send_compressed)


def _may_be(status: int, headers: dict[bytes, bytes], body: bytes, *, is_whole: bool) -> bool:
    if status != 200 or not is_whole or len(body) < MIN_BYTES or b"content-encoding" in headers:
        return False
    return headers.get(b"content-type", b"").startswith(_MEDIA_TYPES)


async def _packed(body: bytes) -> bytes:
    if len(body) < THREAD_BYTES:
        return gzip.compress(body, LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)


def _of_packed(headers: list[tuple[bytes, bytes]], body: bytes) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name != b"content-length"]
    return [*kept, (b"content-encoding", b"gzip"), (b"content-length", str(len(body)).encode())]
