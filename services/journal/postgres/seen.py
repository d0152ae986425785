"""The highest end of the chain that this process has seen in the database.

A failover to an asynchronous standby loses rows. Whoever has seen more than the database holds must stop.
"""

from __future__ import annotations

from services.journal.chain import EMPTY, ChainEnd
from services.journal.errors import JournalLost


class Seen:
    """Shared by all connections of a journal."""

    def __init__(self) -> None:
        self.end = EMPTY

    def compare(self, found: ChainEnd, before: ChainEnd) -> None:
        """Takes the end that a statement has found. `before` is what `end` was when the statement began.

        Raises JournalLost if the database holds less than it did, or another batch.
        """
        if found.last_seq < before.last_seq:
            raise JournalLost.after(
                found.last_seq,
                f"the database ends there, and this process has read or written rows up to seq {before.last_seq} in it",
            )
        if found.last_seq == before.last_seq and found.hash != before.hash:
            raise JournalLost.after(
                found.last_seq - 1,
                f"the row that ends at seq {found.last_seq} is another one than this process has seen in the database",
            )
        if found.last_seq > self.end.last_seq:
            self.end = found
