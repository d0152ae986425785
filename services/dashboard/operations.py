"""The control page's connection with an operator's key: sends kill switches, halts and busts, and fetches the accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from services.client import RexClient, Unreachable
from services.dashboard.connection import keep_connected

Json = dict[str, Any]

_LOOK_SECONDS = 2.0
"""The shortest interval between two fetches of the accounts."""


class Operations:
    """One connection with an operator's key, shared by all pages of the process."""

    def __init__(self, url: Callable[[], str], key: str) -> None:
        self._url = url
        self._key = key
        self._client: RexClient | None = None
        self._looked_at = asyncio.Event()
        self._problem = "not connected yet"
        self.accounts: list[Json] = []
        """The accounts as last fetched, by number."""

    async def run(self) -> None:
        """Keeps the connection until it is canceled; connects again after a failure."""
        await keep_connected(lambda: RexClient(self._url(), self._key), self._follow, self._say)

    def watch(self) -> None:
        """Called by a page that shows the accounts: they are fetched once more."""
        self._looked_at.set()

    async def ask(self, command: Callable[[RexClient], Awaitable[Json]]) -> Json:
        """Sends a command, then fetches the accounts. Returns the command's reply. Raises RexError or ConnectionError."""
        if self._client is None:
            raise Unreachable(f"no connection to the venue: {self._problem}")
        answer = await command(self._client)
        self.accounts = await self._client.accounts()
        return answer

    def _say(self, problem: str) -> None:
        self._client, self._problem = None, problem

    async def _follow(self, client: RexClient) -> None:
        self._client = client
        while True:
            await self._looked_at.wait()
            self._looked_at.clear()
            self.accounts = await client.accounts()
            await asyncio.sleep(_LOOK_SECONDS)
