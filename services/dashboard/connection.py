"""Keeps a page's connection to the venue: connects again after every failure, and reports the failure meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from services.client import FellBehind, RexClient, RexError

_RETRY_SECONDS = 1.0


async def keep_connected(
    connect: Callable[[], RexClient],
    follow: Callable[[RexClient], Awaitable[None]],
    say: Callable[[str], None],
) -> None:
    """Connects and runs `follow`; after each error calls `say` with its text and connects again, until it is canceled."""
    while True:
        try:
            async with connect() as client:
                await follow(client)
        except* (RexError, FellBehind, ConnectionError) as trouble:
            say(str(trouble.exceptions[0]))
        await asyncio.sleep(_RETRY_SECONDS)
