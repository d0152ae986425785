"""Requests for reports, which take long: few at once of a key, and none whose client has left."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.http.known_keys import PUBLIC
from services.gateway.order_entry.in_flight import too_many_requests
from services.gateway.problems import ProblemError
from services.venue_state.keys import ApiKey

REPORTS = "/v1/reports/"
OF_A_KEY = 16
"""How many reports of one key may be under way at once: more than a page asks for."""
WITHOUT_A_KEY = 8
"""And of all who have no key. Reports are made one at a time: more would keep members waiting."""


class ClientLeft(Exception):
    """The client has disconnected: nobody reads an answer."""


class ReportReads:
    """Counts the reports under way, by key."""

    def __init__(self) -> None:
        self._under_way = Counter[int]()

    @contextmanager
    def one(self, key: ApiKey) -> Iterator[None]:
        """One more of this key, while the block runs. Raises a problem at the bound: 429, or 503 without a key."""
        if self._under_way[key.key_id] >= (WITHOUT_A_KEY if key is PUBLIC else OF_A_KEY):
            if key is PUBLIC:
                detail = "As many reports as may are under way for who has no key: ask again, or use a key."
                raise ProblemError(503, "not_ready", detail)
            raise too_many_requests(f"{OF_A_KEY} reports of this key are under way, as many as may.")
        self._under_way[key.key_id] += 1
        try:
            yield
        finally:
            self._under_way[key.key_id] -= 1
            if not self._under_way[key.key_id]:
                del self._under_way[key.key_id]


async def while_connected(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Has `app` answer a request without a body, until the client disconnects: then the work is canceled. Raises ClientLeft."""
    unread: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive_nothing() -> Message:
        return unread.pop() if unread else await asyncio.get_running_loop().create_future()

    async def send_noting_the_end(message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            leaving.cancel()  # The server calls a request that is answered disconnected, too.
        await send(message)

    leaving = asyncio.create_task(_disconnected(receive))
    answering = asyncio.ensure_future(app(scope, receive_nothing, send_noting_the_end))
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done() and not leaving.cancelled():
            leaving.result()
            raise ClientLeft
        await answering
    finally:
        under_way = [task for task in (answering, leaving) if not task.done()]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
