"""How a migration ends."""

from __future__ import annotations

from typing import NamedTuple


class Migrated(NamedTuple):
    """The revisions (PostgreSQL) or formats (data folder) of one database before and after, which may be the same."""

    database: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether there was anything to do."""
        return self.before != self.after


class MigrationRefused(Exception):
    """The database cannot be migrated, or not used as it is; nothing was changed. The message says what to do."""
