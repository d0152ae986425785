"""A list of the API from its first page to its last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from rex_client.calls import Json


async def pages(call: Callable[..., Awaitable[Json]], *arguments: Any, **conditions: Any) -> AsyncIterator[Json]:
    """Each page of a list, one request at a time: `async for page in pages(client.fills, symbol="PRND-OX", order="oldest")`."""
    cursor: str | None = None
    while True:
        page = await call(*arguments, **conditions, cursor=cursor)
        yield page
        cursor = page["next_cursor"]
        if cursor is None:
            return
