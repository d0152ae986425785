"""The journal's exceptions.

JournalError         the device failed
├── JournalMissing   there is no journal to read
├── JournalUnreachable   the database server cannot be used at the start
│   └── JournalAddressInvalid   its URL is not the address of a PostgreSQL database
├── JournalBusy      another process has opened this journal for writing
├── JournalUnclaimed   it cannot be claimed now, and may be later
├── JournalCorrupt   the bytes read differ from the bytes written
│   ├── JournalDiffers   re-executed, a command makes other events than the journal holds for it
│   └── JournalLost  the journal ends before commands that were acknowledged
│       └── JournalReplaced   or it holds others than this process has read, which may not have been acknowledged
├── JournalRefused   a batch has another format, an engine version this REX does not run, or does not continue the chain
└── JournalRemoved   the open files are no longer the files at their path
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class JournalError(Exception):
    """A failure of the journal that ends the process with a non-zero exit status (services/venue/fatal_errors.py).

    `seq` is the first sequence number concerned, or None if no batch is.
    """

    def __init__(self, sentence: str, seq: int | None = None) -> None:
        super().__init__(sentence)
        self.seq = seq

    @property
    def operator_sentence(self) -> str:
        """The sentence for the operator."""
        return str(self)


class JournalMissing(JournalError):
    """There is no journal to read at this path."""

    @classmethod
    def at(cls, path: Path) -> JournalMissing:
        """The error for this path; its sentence says whether file, folder or content is missing."""
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


class JournalUnreachable(JournalError):
    """The database server of the journal cannot be used at the start: nothing was written."""


class JournalAddressInvalid(JournalUnreachable):
    """The URL of the database is not the address of a PostgreSQL database: a wrong setting, whatever the server does."""


class JournalBusy(JournalError):
    """Another process has opened this journal for writing, or its reader blocks the opening."""


class JournalUnclaimed(JournalError):
    """The journal could not be claimed now: a later claim may succeed."""


class JournalCorrupt(JournalError):
    """The bytes read differ from the bytes written."""

    advice = "Remove nothing; restore a copy: docs/durability.md"
    """What to do; empty if the sentence itself says it."""
    path: Path | str | None = None
    """The journal's file or database, if `naming` has set it."""

    @property
    def operator_sentence(self) -> str:
        """The sentence for the operator: with the file and the advice, each once."""
        if not self.advice:
            return str(self)
        file = "" if self.path is None or str(self.path) in str(self) else f"{self.path}: "
        return f"{file}{self}. {self.advice}"


class JournalDiffers(JournalCorrupt):
    """Re-executed, a command makes other events than the journal holds for it, or stops the engine."""


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Adds the journal's file, or the database's name, to a JournalCorrupt: the code that decodes a batch does not know it."""
    try:
        yield
    except JournalCorrupt as error:
        error.path = path
        raise


class JournalLost(JournalCorrupt):
    """The journal ends before commands that were acknowledged. `seq` is the first lost command.

    The evidence is a commit in the write-ahead log after a damaged frame, the read database, or a (seq, hash) kept elsewhere.
    """

    advice = ""

    @classmethod
    def after(cls, last_seq: int, evidence: str) -> JournalLost:
        """The error of a journal that ends at last_seq; `evidence`, a clause, shows that there were later commands."""
        seq = last_seq + 1
        return cls(
            f"the journal has lost commands from seq {seq} on: {evidence}. Remove nothing: keep all files as they are and "
            "restore a copy (docs/durability.md)",
            seq,
        )

    @classmethod
    def replaced(cls, last_seq: int, evidence: str) -> JournalReplaced:
        """The error of a process that has read a row after last_seq, while the journal now holds another one there.

        The row that was read may never have been acknowledged: its commit was visible while it waited for the synchronous
        standby, and a failover took it back. `evidence` is a clause.
        """
        seq = last_seq + 1
        return JournalReplaced(
            f"the journal holds other commands from seq {seq} on than this process has read: {evidence}. Either PostgreSQL"
            " failed over before the row that was read was acknowledged: then start this process again. Or acknowledged"
            " commands are lost: then another process says so with `lost commands`, or a member has a reply from before the"
            f" failover with seq {seq} or later; stop all sequencers (docs/runbook.md, PostgreSQL failed over)",
            seq,
        )


class JournalReplaced(JournalLost):
    """A failover has taken back a row that this process has read, and that may never have been acknowledged."""


class JournalRefused(JournalError):
    """A batch has another format, has an engine version that this REX does not run, or does not continue the chain."""


class JournalRemoved(JournalError):
    """The files were removed, moved or replaced while the writer was running: its last appends may be in no file."""
