"""The middleware before the pages: it answers them, and their files, from kept bytes and without routing. Where no route has
an address, who asks for HTML gets a page that says so; the API below /v1 answers problems to everybody.

It stands behind the access middleware, which has checked Host and Origin.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.browser_headers import asks_for_html
from services.gateway.http.access_middleware import UNROUTED
from services.gateway.http.cached_answer import Answer, OpenAnswer
from services.pages.demo_entry import ENTRY

Find = Callable[[str, Scope], Awaitable[Answer | None]]
"""The answer to GET of a path; None: it is no page's."""

_API, _PAGES = "/v1/", "/ui/"


class PageDoor:
    """Middleware of the venue's application."""

    def __init__(self, app: ASGIApp, *, find: Find, not_found: OpenAnswer) -> None:
        """`not_found` is the page about an address that nothing has."""
        self._app = app
        self._find = find
        self._not_found = not_found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request or passes it on."""
        is_read = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        answer = await self._find(scope["path"], scope) if is_read else None
        if answer is None and is_read and not scope["path"].startswith(_API) and asks_for_html(dict(scope["headers"])):
            # To route a path that no route can have would cost a millisecond.
            if not (_is_unrouted(scope) or await self._is_missing(scope, receive, send)):
                return
            answer = await self._not_found(scope)
        if answer is None:
            await self._app(scope, receive, send)
            return
        status, headers, body = answer
        await send({"type": "http.response.start", "status": status, "headers": [*headers]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _is_missing(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Passes the request on, and the answer back. True: the answer is 404, and nothing of it is sent."""
        is_found = True

        async def send_if_found(message: Message) -> None:
            nonlocal is_found
            if message["type"] == "http.response.start":
                is_found = message["status"] != HTTPStatus.NOT_FOUND
            if is_found:
                await send(message)

        await self._app(scope, receive, send_if_found)
        return not is_found


def _is_unrouted(scope: Scope) -> bool:
    path = scope["path"]
    return UNROUTED in scope or (path.startswith(_PAGES) and not path.startswith(ENTRY))
