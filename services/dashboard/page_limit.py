"""A bound on the pages that are open, of each address and in all, before NiceGUI builds one more.

NiceGUI keeps a client with all its elements, about 300 KB, for every page it sends: until a browser has connected to it and
left, or for a minute where none connects. Nobody logs in to the pages, so whoever reaches them could fill the memory, or take
every place.
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
PAGES_PER_ADDRESS = 64
"""How many of PAGES one address may have, and the same share of PAGES_WITHOUT_BROWSER: enough for an office behind one, and one
that takes all it can get leaves three quarters to others."""

_NO_PAGES = ("/_nicegui", "/_nicegui_ws", "/favicon.ico")


class PageLimit:
    """Middleware of NiceGUI's application: 503 for one page too many."""

    def __init__(self, app: ASGIApp, pages_per_address: int = PAGES_PER_ADDRESS) -> None:
        self._app = app
        self._per_address = pages_per_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and not _path(scope).startswith(_NO_PAGES) and not self._has_room(_address(scope)):
            problem = ProblemError(503, "too_many_pages", "As many pages are open as this venue serves at once.")
            await problem.response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _has_room(self, address: str) -> bool:
        if not self._connects_in_time(address):
            Client.prune_instances(client_age_threshold=CONNECT_SECONDS)
        return self._connects_in_time(address) and self._is_within(PAGES, list(Client.instances.values()), address)

    def _connects_in_time(self, address: str) -> bool:
        waiting = [client for client in Client.instances.values() if _waits(client)]
        return self._is_within(PAGES_WITHOUT_BROWSER, waiting, address)

    def _is_within(self, places: int, pages: list[Client], address: str) -> bool:
        """Whether one more of this address fits into so many places."""
        of_address = sum(page.ip == address for page in pages)
        return len(pages) < places and of_address < max(1, self._per_address * places // PAGES)


def _waits(page: Client) -> bool:
    """No browser has connected yet; one that has left again has its own end (NiceGUI's reconnect timeout, 3 s)."""
    return page.environ is None and not page.has_socket_connection


def _address(scope: Scope) -> str:
    """As NiceGUI has it of its clients."""
    client = scope["client"]
    return "" if client is None else str(client[0])


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
