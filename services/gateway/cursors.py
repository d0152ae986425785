"""The cursors of lists: the id that the next page begins after, as a text that is opaque to clients."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass

from services.gateway.problems import ProblemError, field_problem

LAST_ID = 2**63 - 1
_ID_BYTES = 8


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
        """The id in a cursor, LAST_ID without a cursor; raises a 422 problem for a text that is no cursor of this list."""
        if cursor is None:
            return LAST_ID
        try:
            last_id = int.from_bytes(base64.b64decode(cursor, b"-_", validate=True)[:_ID_BYTES], "big")
        except ValueError:
            raise invalid_cursor() from None
        if last_id > LAST_ID or self.text(last_id) != cursor:
            raise invalid_cursor()
        return last_id


def invalid_cursor() -> ProblemError:
    """The refusal of a text that is no cursor of the list."""
    return field_problem("invalid_cursor", "cursor", "is not one that this list of the venue gave out")
