"""The journal, one row per batch, and the row that elects its writer, as services/journal/postgres/tables.py has them.

`fillfactor` 10 leaves room in the page of the writer row: every append changes it in place (HOT). `EXTERNAL` keeps PostgreSQL
from compressing batches.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from services.migrations.outcome import MigrationRefused

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE journal (
    first_seq bigint PRIMARY KEY,
    last_seq bigint NOT NULL,
    epoch bigint NOT NULL,
    data bytea NOT NULL
);
ALTER TABLE journal ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE journal_writer (
    id smallint PRIMARY KEY CHECK (id = 1),
    format smallint NOT NULL,
    journal_id bytea NOT NULL,
    epoch bigint NOT NULL,
    epoch_after bigint NOT NULL,
    last_seq bigint NOT NULL,
    last_hash bytea NOT NULL,
    beat bigint NOT NULL,
    url text NOT NULL,
    backend integer NOT NULL
) WITH (fillfactor = 10);
"""


def upgrade() -> None:
    """Makes the tables, empty: `rex init` makes the journal in them."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drops the tables. Refuses while the journal holds a row: nothing else holds the venue's commands."""
    commands = op.get_bind().scalar(text("SELECT max(last_seq) FROM journal"))
    if commands is not None:
        raise MigrationRefused(
            f"the journal holds {commands:,} commands, and going back before its first revision would drop them. Copy it first"
            " (rex journal copy), then drop the database"
        )
    op.execute("DROP TABLE journal_writer")
    op.execute("DROP TABLE journal")
