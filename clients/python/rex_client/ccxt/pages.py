"""Lists that the venue tells in pages, gathered as ccxt's `since` and `limit` ask: oldest first in the result."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import partial

from rex_client.ccxt.errors import BadRequest, ccxt_errors
from rex_client.ccxt.params import Json, Params, known, positive
from rex_client.ccxt.times import time_at

DEFAULT_LIMIT = 100
PAGE_ENTRIES = 500
MOST_PAGES = 200
"""A call that would read more pages is refused: it should say `since`, `until` or `limit`."""


class Span:
    """What `since`, `limit` and the param `until` ask for: the first `limit` entries since then, or else the last ones."""

    def __init__(self, since: int | None, limit: int | None, params: Params | None, *names: str) -> None:
        self.params = known(params, "until", *names)
        until: int | None = self.params.get("until")
        self.start: datetime | None = time_at(since)
        self.end: datetime | None = None if until is None else time_at(until + 1)
        self.limit = positive(limit)

    @property
    def order(self) -> str:
        """In which order to read."""
        return "newest" if self.start is None else "oldest"

    async def gather(
        self,
        page_of: Callable[..., Awaitable[Json]],
        name: str,
        entries_of: Callable[[Json], Sequence[Json]],
        limit: int | None,
        *,
        every_row_counts: bool = False,
    ) -> list[Json]:
        """Reads pages in this span's order until there are `limit` entries (None: all).

        `page_of` takes start, end, order, limit and cursor, and has a page's rows as `name`. `entries_of` makes the structures
        of a row, none for a row that does not count. `every_row_counts`: there is no such row, so a page needs only `limit`.
        """
        page_limit = min(limit, PAGE_ENTRIES) if limit is not None and every_row_counts else PAGE_ENTRIES
        query = {"start": self.start, "end": self.end, "order": self.order, "limit": page_limit}
        entries: list[Json] = []
        async with aclosing(rows(partial(page_of, **query), name)) as every_row:
            async for row in every_row:
                told = entries_of(row)
                entries += told if self.order == "oldest" else reversed(told)
                if limit is not None and len(entries) >= limit:
                    break
        entries = entries[:limit]
        return entries if self.order == "oldest" else entries[::-1]


async def rows(page_of: Callable[..., Awaitable[Json]], name: str) -> AsyncGenerator[Json, None]:
    """The rows of every page."""
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        with ccxt_errors():
            page = await page_of(cursor=cursor)
        for row in page[name]:
            yield row
        cursor = page["next_cursor"]
        if cursor is None:
            return
    raise BadRequest(f"more than {MOST_PAGES} pages: say since, until or limit")
