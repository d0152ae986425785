"""How long a test waits for what must happen, and clients with that patience.

A deadline costs nothing while a test is green: one number that no busy machine reaches serves all. A time that a test or a rig
judges, and a wait that shows that something does not happen, have numbers of their own.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
from websockets.asyncio.client import connect

PATIENCE_S = 300


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
