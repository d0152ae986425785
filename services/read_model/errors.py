"""The errors of the read database. It is derived: the journal decides.

ReadDatabaseRefused   it was not made from this journal, or cannot be used; the message names it and what to do
├── ReadDatabaseDamaged   it cannot be read, or differs from the journal: it is rebuilt
├── ReadDatabaseForeign   it is of another journal
└── ReadDatabaseUnmigrated   the PostgreSQL database has no tables, or those of another version of REX
ReadDatabaseFailed    it cannot be read or written, and its contents may be right
├── ReadDatabaseDeviceFailed   the device of its file refuses
├── ReadDatabaseMissing   there is no file, or it is empty
├── ReadDatabaseAway      its server cannot be reached, or ended the connection: this may pass
│   └── ReadDatabaseSilent   its server, which keeps the connection, has not answered in time
└── ReadDatabaseBusy      another process writes it
"""

from __future__ import annotations


class ReadDatabaseRefused(Exception):
    """The read database cannot be used. It is derived: after it is removed, the next start rebuilds it."""

    ADVICE = "It holds nothing that the journal does not: remove it, and the next start rebuilds it from the journal."

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"The read database {path} {reason}. {self.ADVICE}")
        self.reason = reason


class ReadDatabaseDamaged(ReadDatabaseRefused):
    """The read database cannot be read, or has the tables of another version."""

    ADVICE = (
        "It holds nothing that the journal does not: the next start sets it aside and rebuilds it from the journal; in "
        "PostgreSQL, `rex migrate --empty-read-database` empties it, and the projector fills it again."
    )


class ReadDatabaseForeign(ReadDatabaseRefused):
    """The read database is of another journal. It may be the only evidence that the journal was replaced, so it is kept."""

    ADVICE = (
        "One of the two was put here from elsewhere, or the journal was removed and began anew. If this journal is the right "
        "one, move the read database away, and the next start rebuilds it (in PostgreSQL: `rex migrate "
        "--empty-read-database`); if not, restore the journal first."
    )


class ReadDatabaseUnmigrated(ReadDatabaseRefused):
    """The PostgreSQL database has no tables, or those of another version of REX."""

    ADVICE = "Run `rex migrate` of the version of REX that is to use it."


class ReadDatabaseFailed(Exception):
    """The read database cannot be read or written; its contents may be right."""

    def __init__(self, path: object, error: object) -> None:
        super().__init__(f"the read database {path}: {error}")


class ReadDatabaseDeviceFailed(ReadDatabaseFailed):
    """The device of the file refuses to read or write it: most often it is the journal's device, too."""


class ReadDatabaseMissing(ReadDatabaseFailed):
    """There is no file, or an empty one, which a start that was killed has left. The next start makes it from the journal."""

    def __init__(self, path: object) -> None:
        super().__init__(path, "there is no such file; the next start makes it from the journal")


class ReadDatabaseAway(ReadDatabaseFailed):
    """The server of the read database cannot be reached, or ended the connection. The projector tries again."""

    def __init__(self, sentence: str) -> None:
        Exception.__init__(self, f"the read database: {sentence}")


class ReadDatabaseSilent(ReadDatabaseAway):
    """The server keeps the connection and has not answered a query in time."""

    def __init__(self, sentence: str, waited_s: float) -> None:
        super().__init__(sentence)
        self.waited_s = waited_s


class ReadDatabaseBusy(ReadDatabaseFailed):
    """Another process has moved the position since this one read it."""

    def __init__(self, path: object, seq: int) -> None:
        super().__init__(path, f"it no longer stands at seq {seq}: another projector writes it; run only one")
