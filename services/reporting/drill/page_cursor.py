"""Where a page of trades begins, as text: `next_cursor` of the page before."""

from __future__ import annotations

import re
from typing import NamedTuple

from services.reporting.drill.filters import MAX_ID, refused


class PageCursor(NamedTuple):
    """A page begins after a trade. As text: the trade's id, with a finding also `-` and `found_seq`."""

    trade_id: int = 0
    found_seq: int | None = None
    """The command after which the screen finds the finding that is paged through."""

    @property
    def text(self) -> str:
        """As a query parameter."""
        return str(self.trade_id) if self.found_seq is None else f"{self.trade_id}-{self.found_seq}"

    @classmethod
    def of(cls, text: str) -> PageCursor:
        """The cursor of this text. Raises a 422 problem where it is none."""
        parts = re.fullmatch(r"(\d{1,19})(?:-(\d{1,19}))?", text, re.ASCII)
        numbers = [] if parts is None else [int(part) for part in parts.groups() if part is not None]
        if not numbers or max(numbers) > MAX_ID:
            raise refused("cursor", "is none: give `next_cursor` of the page before")
        return cls(*numbers)
