"""The journal, one row per batch; the row that elects its writer; and the snapshots of the engine's state, each in parts: as
services/journal/postgres/tables.py has them.

`fillfactor` 10 leaves room in the page of the writer row: every append changes it in place (HOT). `EXTERNAL` keeps PostgreSQL
from compressing batches, and snapshots again.
"""

from __future__ import annotations

from alembic import op

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
CREATE TABLE snapshots (
    seq bigint NOT NULL,
    state_hash bytea NOT NULL,
    part integer NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (seq, part)
);
ALTER TABLE snapshots ALTER COLUMN data SET STORAGE EXTERNAL
"""


def upgrade() -> None:
    """Makes the tables, empty: `rex init` makes the journal in them."""
    for statement in _TABLES.split(";\n"):
        op.execute(statement)
