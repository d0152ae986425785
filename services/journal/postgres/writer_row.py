"""The single row of `journal_writer`: it elects the writer, fences every other one, and knows the end of the chain.

An append updates it in the statement that inserts the batch, and only if epoch and hash are those that the writer knows. A
claim is a compare-and-set of everything that a standby has looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from services.journal import Journal

LEADS_S = 2.0
"""A row that has changed within so many seconds is a leader's: a living one beats every 0.4 s, and one that does not for 1.4 s
is replaced."""


class WriterRow(NamedTuple):
    """The columns of `journal_writer`."""

    journal_id: bytes
    epoch: int
    """How often a sequencer has claimed the journal."""
    epoch_after: int
    """The last seq of the chain when this epoch began."""
    last_seq: int
    last_hash: bytes
    beat: int
    """Rises with each append and each beat, which the writer sends when everything before is confirmed. A row that does not
    change has no living writer."""
    url: str
    """The address at which gateways reach the writer; empty after it stopped cleanly."""
    backend: int
    """The process id of the writer's connection in PostgreSQL, for `pg_terminate_backend`."""


class ClaimableJournal(Journal, Protocol):
    """A journal that several sequencers may want to write: one claims it, the others follow it."""

    async def look(self) -> WriterRow:
        """The writer row as it is now."""

    @property
    def server_time_ns(self) -> int:
        """What the server's clock said at the last look, nanoseconds since 1970."""

    async def claim(self, seen: WriterRow, url: str) -> WriterRow | None:
        """Makes this process the writer, in a new epoch, if the row still equals `seen`; None if it changed.

        If another session locks the row for more than a second, that session is terminated, unless it migrates the tables, and
        the claim is tried again. Raises JournalUnclaimed if nothing can be claimed now; JournalRefused if the server would lose
        acknowledged commands: `fsync`, `full_page_writes` or `synchronous_commit` is off, or a synchronous standby is named and
        `synchronous_commit` does not wait until it has flushed.
        """

    async def beat(self) -> None:
        """Shows that the writer lives. Raises JournalBusy if another one has claimed the journal."""

    async def hand_over(self) -> bool | None:
        """Empties the url, so that a standby claims at once. Appends nothing afterwards. False if another one has claimed the
        journal, None if nobody knows."""

    @property
    def is_replicated(self) -> bool | None:
        """Whether a synchronous standby of the server confirmed the last commits; None before the first look at it."""


class Beats:
    """Whether a sequencer leads: a living leader changes the row all the time, traded or not. `clock` returns seconds, as
    the event loop's."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._row: WriterRow | None = None
        self._first_s = self._last_s = float("-inf")
        """When the changes began that go on, and the last one."""

    def see(self, row: WriterRow) -> None:
        """Takes the row of a look."""
        if self._row is not None and row != self._row:
            now_s = self._clock()
            if now_s - self._last_s >= LEADS_S:
                self._first_s = now_s
            self._last_s = now_s
        self._row = row

    @property
    def led_s(self) -> float:
        """For how many seconds a sequencer has led, as far as this process has seen; 0: none leads."""
        now_s = self._clock()
        return now_s - self._first_s if now_s - self._last_s < LEADS_S else 0.0
