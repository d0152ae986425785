"""Keeping a connection to the venue: whatever ends it, it is made anew, and meanwhile a page can say so."""

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
    """Runs `follow` on a connection, and again on a new one whenever trouble ends it; `say` hears which, in words."""
    while True:
        try:
            async with connect() as client:
                await follow(client)
        except* (RexError, FellBehind, ConnectionError) as trouble:
            say(str(trouble.exceptions[0]))
        await asyncio.sleep(_RETRY_SECONDS)
