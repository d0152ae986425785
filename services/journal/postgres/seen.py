"""What this process knows of the end of the chain in the database.

A failover to a standby that lacks rows loses them. Whoever knows of more confirmed rows than the database holds must stop. The
last row may be visible and not confirmed: in a server that has lost the writer's session or was restarted, and has not reached
the synchronous standby. After a failover that row is gone, and nobody was answered. The writer's next append or beat confirms
it, because the writer sends neither before the row is confirmed. Its barrier and another process's claim may be visible and not
confirmed themselves, so they leave the beat as it is.
"""

from __future__ import annotations

from typing import NamedTuple

from services.journal.chain import EMPTY, ChainEnd
from services.journal.errors import JournalLost


class Known(NamedTuple):
    """What was known at one time."""

    confirmed: ChainEnd
    """The highest end that a later statement, or this process's own write, has confirmed."""
    latest: ChainEnd
    """The highest end that was found."""
    beat: int
    """The highest beat of the writer row that was found."""


class Seen:
    """Shared by all connections of a journal."""

    def __init__(self) -> None:
        self.known = Known(EMPTY, EMPTY, 0)

    def find(self, end: ChainEnd, beat: int, before: Known) -> None:
        """Takes what a statement has found in the writer row. `before` is what was known when the statement began.

        Raises JournalLost as `compare`.
        """
        self.compare(end, before)
        confirmed, latest, last_beat = self.known
        if beat > last_beat and end.last_seq >= latest.last_seq:
            confirmed = latest
        self.known = Known(confirmed, max(latest, end), max(last_beat, beat))

    def confirm(self, end: ChainEnd) -> None:
        """Takes an end that is confirmed: of this process's own write, or of a batch that another one follows."""
        confirmed, latest, beat = self.known
        self.known = Known(max(confirmed, end), max(latest, end), beat)

    def compare(self, end: ChainEnd, before: Known) -> None:
        """Raises JournalLost if the database holds less than was confirmed before, or another batch than was found."""
        confirmed, latest, _ = before
        if end.last_seq < confirmed.last_seq:
            raise JournalLost.after(
                end.last_seq,
                f"the database ends there, and this process has read or written rows up to seq {confirmed.last_seq} in it",
            )
        if end.last_seq == latest.last_seq and end.hash != latest.hash:
            error = JournalLost.after if latest == confirmed else JournalLost.replaced
            raise error(
                end.last_seq - 1,
                f"the row that ends at seq {end.last_seq} is another one than this process has seen in the database",
            )
