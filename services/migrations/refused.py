"""The exception of a migration, or of a database that needs one."""

from __future__ import annotations


class MigrationRefused(Exception):
    """The database cannot be migrated, or not used as it is; nothing was changed. The message says what to do."""
