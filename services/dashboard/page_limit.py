"""Limits the number of open pages, of each address and in all, before NiceGUI builds another page.

For every page that it sends, NiceGUI keeps a client with all its elements, about 300 KB: until a browser has connected and
left, or for a minute if none connects. The pages have no login, so without a limit any visitor could fill the memory or use
up all pages.
"""

from __future__ import annotations

from nicegui import Client
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.problems import ProblemError

PAGES = 256
"""The most pages open at once."""
PAGES_WITHOUT_BROWSER = 32
"""The most pages whose browser has not connected yet (it connects once it has loaded the scripts)."""
CONNECT_SECONDS = 10.0
"""If PAGES_WITHOUT_BROWSER is reached, pages that have waited longer than this are dropped; NiceGUI itself waits a minute."""
PAGES_PER_ADDRESS = 64
"""The most pages of one address, and the same share of PAGES_WITHOUT_BROWSER: enough for an office behind one address, while
three quarters of all pages remain for other addresses."""

_NO_PAGES = ("/_nicegui", "/_nicegui_ws", "/favicon.ico")


class PageLimit:
    """Middleware of NiceGUI's application: answers 503 to a page beyond the limits."""

    def __init__(self, app: ASGIApp, pages_per_address: int = PAGES_PER_ADDRESS) -> None:
        self._app = app
        self._per_address = pages_per_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
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
        """Whether `places` and this address's share of them allow another page beside `pages`."""
        of_address = sum(page.ip == address for page in pages)
        return len(pages) < places and of_address < max(1, self._per_address * places // PAGES)


def _waits(page: Client) -> bool:
    """Whether no browser has connected yet. (If one has left, NiceGUI's reconnect timeout, 3 s, removes the page.)"""
    return page.environ is None and not page.has_socket_connection


def _address(scope: Scope) -> str:
    """The client's address, in the form of NiceGUI's `Client.ip`."""
    client = scope["client"]
    return "" if client is None else str(client[0])


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
