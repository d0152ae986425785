"""What can go wrong with a journal.

JournalError
├── JournalBusy      another process holds this journal
├── JournalCorrupt   a row does not read back as it was written
└── JournalRefused   a row of another format or engine version, or one that does not continue the chain
"""

from __future__ import annotations


class JournalError(Exception):
    """Trouble with the journal that the writer cannot resolve: it stops, with a non-zero exit status.

    `seq` is the first sequence number concerned, or None where the trouble is not about a row.
    """

    def __init__(self, sentence: str, seq: int | None = None) -> None:
        super().__init__(sentence)
        self.seq = seq


class JournalBusy(JournalError):
    """Another process holds this journal."""


class JournalCorrupt(JournalError):
    """A row does not read back as it was written."""


class JournalRefused(JournalError):
    """A row of another format or engine version, or one that does not continue the chain."""
