"""Whether a sequencer leads, by the writer row: a living leader changes it all the time, also when nobody trades."""

from __future__ import annotations

from collections.abc import Callable

from services.journal.postgres.writer_row import WriterRow

LEADS_S = 2.0
"""A row that has changed within so many seconds is a leader's: a living one beats every 0.4 s, and one that does not for 1.4 s
is replaced."""


class Beats:
    """What the looks at the writer row have found. `clock` returns seconds, as the event loop's."""

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
