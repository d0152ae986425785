"""Who may write a read database of an embedded venue: one process at a time, the one before to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from services.journal import JournalBusy
from services.journal.journal_lock import locked

_PATIENCE_S = 10.0
"""The projector of a venue that was killed ends after the transaction that it writes."""

_LOOK_S = 0.01


@contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """Holds the lock file of the read database at path, as a writer of a journal does that of the journal.

    Waits for the process that holds it; raises JournalBusy, which names that process, if it takes long.
    """
    end_s = time.monotonic() + _PATIENCE_S
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(locked(path))
                break
            except JournalBusy:
                if time.monotonic() > end_s:
                    raise
                time.sleep(_LOOK_S)
        yield
