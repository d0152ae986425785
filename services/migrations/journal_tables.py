"""The history of the journal's tables in PostgreSQL, and alembic's steps on a connection."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

BASE = "base"
"""The revision of a database without the tables."""

VERSION_TABLE = "alembic_version_journal"
"""The table that holds the revision of the tables."""

FOLDER = Path(__file__).parent / "journal"
"""One file for each revision: 0001, 0002, …"""


def revisions() -> list[str]:
    """All revisions, from BASE to the newest."""
    scripts = ScriptDirectory.from_config(_config())
    return [BASE, *reversed([script.revision for script in scripts.walk_revisions()])]


def current(connection: Connection) -> str:
    """The revision of the tables in this database."""
    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    return found or BASE


def upgrade(connection: Connection) -> None:
    """Takes the tables to the newest revision. The caller commits."""
    config = _config()
    config.attributes |= {"connection": connection, "version_table": VERSION_TABLE}
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    for option, value in (
        ("script_location", str(Path(__file__).parent)),
        ("path_separator", "newline"),
        ("version_locations", str(FOLDER)),
    ):
        config.set_main_option(option, value.replace("%", "%%"))
    return config
