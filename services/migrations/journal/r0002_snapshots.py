"""The snapshots of the engine's state, each in parts, as services/journal/postgres/tables.py has them.

`EXTERNAL` keeps PostgreSQL from compressing them again. A snapshot is derived: to go back loses nothing.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_TABLES = """
CREATE TABLE snapshots (
    seq bigint NOT NULL,
    state_hash bytea NOT NULL,
    part integer NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (seq, part)
);
ALTER TABLE snapshots ALTER COLUMN data SET STORAGE EXTERNAL;
UPDATE journal_writer SET format = 2
"""


def upgrade() -> None:
    """Makes the table, empty."""
    for statement in _TABLES.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """Drops the table."""
    op.execute("DROP TABLE snapshots")
    op.execute("UPDATE journal_writer SET format = 1")
