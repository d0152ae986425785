"""How long a test waits for what must happen, clients with that patience, and the end of a process that has none.

A deadline costs nothing while a test is green: one number that no busy machine reaches serves all. A time that a test or a rig
judges, and a wait that shows that something does not happen, have numbers of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Timer
from typing import Any, Protocol

import httpx
from websockets.asyncio.client import connect

PATIENCE_S = 300


class Killable(Protocol):
    def kill(self) -> None: ...


@contextmanager
def impatience(process: Killable) -> Iterator[None]:
    """Kills a process that takes longer than PATIENCE_S for what happens within: whoever reads what it prints finds the end
    then, and whoever waits for it the exit status -9."""
    timer = Timer(PATIENCE_S, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class HttpClient(httpx.Client):
    def __init__(self, **options: Any) -> None:
        super().__init__(timeout=PATIENCE_S, trust_env=False, **options)


class AsyncHttpClient(httpx.AsyncClient):
    def __init__(self, **options: Any) -> None:
        super().__init__(timeout=PATIENCE_S, trust_env=False, **options)


class WebSocketClient(connect):
    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, proxy=None, open_timeout=PATIENCE_S, ping_timeout=PATIENCE_S, **options)


http_get = partial(httpx.get, timeout=PATIENCE_S, trust_env=False)
http_post = partial(httpx.post, timeout=PATIENCE_S, trust_env=False)
http_put = partial(httpx.put, timeout=PATIENCE_S, trust_env=False)
http_delete = partial(httpx.delete, timeout=PATIENCE_S, trust_env=False)
