"""How a migration ends."""

from __future__ import annotations

from typing import NamedTuple

NONE = "none"
"""The format of a read database that is missing."""


class Migrated(NamedTuple):
    """The revisions (journal in PostgreSQL) or formats of one database before and after, which may be the same."""

    database: str
    before: str
    after: str
    stood_at: str | None = None
    """Where a read database stood that was dropped: SEQ:HASH, "0" for an empty one, or "unknown"; None: none was dropped."""

    @property
    def changed(self) -> bool:
        """Whether there was anything to do."""
        return self.before != self.after or self.stood_at is not None


class MigrationRefused(Exception):
    """The database cannot be migrated, or not used as it is; nothing was changed. The message says what to do."""
