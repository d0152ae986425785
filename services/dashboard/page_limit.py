"""A bound on the pages that are open, before NiceGUI builds one more.

NiceGUI keeps a client with all its elements, about 300 KB, for every page it sends: until a browser has connected to it and
left, or for a minute where none connects. Nobody logs in to the pages, so whoever reaches them could fill the memory.
"""

from __future__ import annotations

from nicegui import Client
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.problems import ProblemError

PAGES = 256
"""How many pages may be open at once."""
PAGES_WITHOUT_BROWSER = 32
"""Of them, how many may still wait for their browser to connect, which it does when it has loaded the scripts."""
CONNECT_SECONDS = 10.0
"""How long each of those may wait where there are that many; NiceGUI itself waits a minute."""

_NO_PAGES = ("/_nicegui", "/_nicegui_ws", "/favicon.ico")


class PageLimit:
    """Middleware of NiceGUI's application: 503 for one page too many."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and not _path(scope).startswith(_NO_PAGES) and not _has_room():
            problem = ProblemError(503, "too_many_pages", "As many pages are open as this venue serves at once.")
            await problem.response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _has_room() -> bool:
    if _waiting() >= PAGES_WITHOUT_BROWSER:
        Client.prune_instances(client_age_threshold=CONNECT_SECONDS)
    return _waiting() < PAGES_WITHOUT_BROWSER and len(Client.instances) < PAGES


def _waiting() -> int:
    return sum(not client.has_socket_connection for client in Client.instances.values())
