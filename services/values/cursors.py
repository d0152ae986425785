"""Cursors of lists in pages: the id that the next page begins after, as a text that is opaque to clients."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

PATTERN = "^[A-Za-z0-9_-]{16}$"
"""Of the text of a cursor, as a regular expression."""
LAST_ID = 2**63 - 1
_ID_BYTES = 8


class InvalidCursor(ValueError):
    """A text is no cursor of the list."""


@dataclass(frozen=True)
class Cursors:
    """The cursors of one list. Those of other lists, and what a program made up, have another checksum."""

    name: str

    def text(self, last_id: int) -> str:
        """The cursor of the page after `last_id`: 16 characters of base64."""
        encoded = last_id.to_bytes(_ID_BYTES, "big")
        checksum = zlib.crc32(self.name.encode() + encoded).to_bytes(4, "big")
        return base64.urlsafe_b64encode(encoded + checksum).decode()

    def id_of(self, cursor: str | None) -> int:
        """The id in a cursor, LAST_ID without a cursor; raises InvalidCursor for a text that is no cursor of this list."""
        if cursor is None:
            return LAST_ID
        try:
            last_id = int.from_bytes(base64.b64decode(cursor, b"-_", validate=True)[:_ID_BYTES], "big")
        except ValueError:
            raise InvalidCursor from None
        if last_id > LAST_ID or self.text(last_id) != cursor:
            raise InvalidCursor
        return last_id

    def page(self, ids: Iterable[int], limit: int, cursor: str | None) -> tuple[list[int], str | None]:
        """A page of a list that is in memory, the lowest id first: up to `limit` of its ids, which are not negative, and
        `next_cursor`. Raises InvalidCursor."""
        last_id = -1 if cursor is None else self.id_of(cursor)
        page = sorted(each for each in ids if each > last_id)[:limit]
        return page, self.text(page[-1]) if len(page) == limit else None
