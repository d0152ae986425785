"""What can go wrong with a journal.

JournalError
├── JournalMissing   there is no journal to read
├── JournalBusy      another process holds this journal
├── JournalCorrupt   a batch does not read back as it was written
│   └── JournalLost  the journal ends before commands that were acknowledged
├── JournalRefused   a batch of another format, an engine version that this REX does not run, or no link of the chain
└── JournalRemoved   the open files are no longer the files at their path
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class JournalError(Exception):
    """Trouble with the journal that the writer cannot resolve: it stops, with a non-zero exit status.

    `seq` is the first sequence number concerned, or None where the trouble is not about a batch.
    """

    def __init__(self, sentence: str, seq: int | None = None) -> None:
        super().__init__(sentence)
        self.seq = seq

    @property
    def told(self) -> str:
        """What an operator is told of it."""
        return str(self)


class JournalMissing(JournalError):
    """There is no journal to read at this path."""

    @classmethod
    def at(cls, path: Path) -> JournalMissing:
        """The error of a path at which nothing was written yet."""
        folder = path.parent
        if path.exists():
            reason = f"{path.name} is empty"
        elif folder.is_dir():
            reason = f"the folder holds no {path.name}"
        else:
            reason = "that is a file" if folder.exists() else "there is no such folder"
        return cls(
            f"there is no journal in {folder}: {reason}; name the data folder of a venue (--data-dir, REX_DATA_DIR)"
        )


class JournalBusy(JournalError):
    """Another process holds this journal."""


class JournalCorrupt(JournalError):
    """A batch does not read back as it was written."""

    advice = "Remove nothing; restore a copy: docs/durability.md"
    """What to do; empty where the sentence itself says it."""
    path: Path | None = None
    """The journal's file, where whoever read it has said so (`naming`)."""

    @property
    def told(self) -> str:
        """With the file and the advice, each once."""
        if not self.advice:
            return str(self)
        file = "" if self.path is None or str(self.path) in str(self) else f"{self.path}: "
        return f"{file}{self}. {self.advice}"


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Whoever finds damage in a batch does not know the file."""
    try:
        yield
    except JournalCorrupt as error:
        error.path = path
        raise


class JournalLost(JournalCorrupt):
    """The journal ends before commands that were acknowledged: a witness knows them. `seq` is the first one lost.

    Witnesses: commits in the write-ahead log behind a damaged frame, the read database, a (seq, hash) kept elsewhere.
    """

    advice = ""

    @classmethod
    def after(cls, last_seq: int, evidence: str) -> JournalLost:
        """The error of a journal that ends at last_seq although `evidence` (a clause) shows that it went on."""
        seq = last_seq + 1
        return cls(
            f"the journal has lost commands from seq {seq} on: {evidence}. Remove nothing: keep all files as they are and "
            "restore a copy (docs/durability.md)",
            seq,
        )


class JournalRefused(JournalError):
    """A batch of another format, of an engine version that this REX does not run, or one that does not continue the chain."""


class JournalRemoved(JournalError):
    """The files were removed, moved or replaced under the running writer: what it appended may be in no file."""
