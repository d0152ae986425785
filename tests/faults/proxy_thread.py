"""`tcp_proxy.py` in a thread of its own: a rig's event loop may block, and a venue that starts needs its proxies."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tests.faults.tcp_proxy import TcpProxy
from tests.patience import PATIENCE_S


class ProxyThread:
    """A running proxy. Its methods may be called from any thread but its own."""

    def __init__(self, proxy: TcpProxy, loop: asyncio.AbstractEventLoop) -> None:
        self.proxy = proxy
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs one of the proxy's coroutines to its end."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def retarget(self, url: str) -> None:
        """New connections go to the server of this URL; those that are open are cut."""
        self.proxy.target = server_of(url)
        self.do(self.proxy.cut())


def through(url: str, port: int) -> str:
    """The URL with the address of the proxy that listens on this port."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}"))


def server_of(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@contextmanager
def proxy_of(url: str) -> Iterator[ProxyThread]:
    """A proxy of the server of this URL, while the block runs."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="proxy")
    thread.start()
    proxy = ProxyThread(TcpProxy(server_of(url)), loop)
    running = proxy.proxy.running()
    try:
        asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result(PATIENCE_S)
        try:
            yield proxy
        finally:
            asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result(PATIENCE_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
