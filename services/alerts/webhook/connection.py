"""The connections to a receiver, one for each message. Of an answer only the status is read, and it must come soon: a receiver
that sends interim responses (1xx) without end would have the venue parse them, and no order would be taken meanwhile.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

ANSWER_BYTES = 16_384
"""So many bytes of an answer are read at most: what comes before its status, and the status."""

READ_BYTES = 4_096
"""So many are read at once. To parse them takes the event loop some milliseconds; then others have a turn."""


class AnswerTooLong(Exception):
    """The receiver sends and sends, and no status is among it."""


class ReceiverTransport(httpx.AsyncBaseTransport):
    """Sends a request to a receiver, and reads the status of its answer."""

    def __init__(self, url: httpx.URL, *, is_local: bool) -> None:
        """`is_local`: no proxy of the environment can reach it. Raises OSError and ValueError where the environment names
        certificates or a proxy that cannot be used."""
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=not is_local),
            proxy=None if is_local else _proxy(url),
            max_keepalive_connections=0,  # the bound is that of a connection
            network_backend=_Network(),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer without headers and body. Raises AnswerTooLong, and the errors of httpcore."""
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        sent = httpcore.Request(request.method, target, headers=request.headers.raw, content=request.stream)
        answer = await self._pool.handle_async_request(sent)
        await answer.aclose()
        return httpx.Response(answer.status)

    async def aclose(self) -> None:
        """Closes what is open."""
        await self._pool.aclose()


def _proxy(url: httpx.URL) -> httpcore.Proxy | None:
    """The proxy that the environment names for this address. Raises ValueError for one that is none over HTTP."""
    proxies = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    if not found or proxy_bypass(url.host):
        return None
    proxy = httpx.Proxy(found if "://" in found else f"http://{found}")
    if proxy.url.scheme not in ("http", "https"):
        raise ValueError("only proxies over HTTP are known")
    return httpcore.Proxy(str(proxy.url), auth=proxy.raw_auth)


class _Network(httpcore.AnyIOBackend):
    """Connections whose streams end with AnswerTooLong."""

    async def connect_tcp(self, *arguments: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _BoundedStream(await super().connect_tcp(*arguments, **options))


class _BoundedStream(httpcore.AsyncNetworkStream):
    """A stream of which ANSWER_BYTES can be read, READ_BYTES at once."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left = ANSWER_BYTES

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._left:
            raise AnswerTooLong
        data = await self._stream.read(min(max_bytes, READ_BYTES, self._left), timeout)
        self._left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """What is sent through it is bounded anew: the proxy's answer came before."""
        return _BoundedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
