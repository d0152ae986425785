"""The histories of the two databases' tables, and the steps from revision to revision on a connection."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

BASE = "base"
"""The revision of a database without tables."""

_FOLDER = Path(__file__).parent


class History(NamedTuple):
    """The revisions of one database's tables: 0001, 0002, … Both databases may be in one PostgreSQL database."""

    name: str
    """The name of the database in sentences and options."""
    version_table: str
    """The table that holds the revision of the tables."""
    folder: Path
    """One file for each revision."""

    @property
    def revisions(self) -> list[str]:
        """All revisions, from BASE to the newest."""
        scripts = ScriptDirectory.from_config(self._config())
        return [BASE, *reversed([script.revision for script in scripts.walk_revisions()])]

    def current(self, connection: Connection) -> str:
        """The revision of the tables in this database."""
        found = MigrationContext.configure(
            connection, opts={"version_table": self.version_table}
        ).get_current_revision()
        return found or BASE

    def is_older(self, revision: str, other: str) -> bool:
        """Whether a revision comes before another one."""
        return self.revisions.index(revision) < self.revisions.index(other)

    def go_to(self, connection: Connection, revision: str) -> None:
        """Takes the tables up or down to this revision. The caller commits."""
        config = self._config()
        config.attributes |= {"connection": connection, "version_table": self.version_table}
        move = command.upgrade if self.is_older(self.current(connection), revision) else command.downgrade
        move(config, revision)

    def _config(self) -> Config:
        config = Config()
        for option, value in (
            ("script_location", str(_FOLDER)),
            ("path_separator", "newline"),
            ("version_locations", str(self.folder)),
        ):
            config.set_main_option(option, value.replace("%", "%%"))
        return config


JOURNAL = History("journal", "alembic_version_journal", _FOLDER / "journal")
READ_DATABASE = History("read database", "alembic_version_read", _FOLDER / "read_database")
HISTORIES = (JOURNAL, READ_DATABASE)
