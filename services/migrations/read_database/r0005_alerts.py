"""Alerts, raised, cleared and acknowledged by commands of the journal, and the closings of trading days.

No older version of REX writes such commands, so the new tables begin empty and need no journal. The way down empties the read
database, so that a later way up finds a journal that the projector reads from the beginning.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"

_TABLES = (
    "position", "fees", "instruments", "accounts", "holdings", "api_keys", "orders", "trades", "busts", "decisions",
    "decided_trades", "levels", "daily_turnover", "targets", "trading_days", "daily_members", "daily_phases",
    "goods_movements",
)  # fmt: skip
"""The tables that both revisions have."""

_UP = """
CREATE TABLE alerts (
    seq bigint PRIMARY KEY,
    time_ns bigint NOT NULL,
    kind varchar(32) NOT NULL,
    key varchar NOT NULL,
    subject varchar NOT NULL,
    severity varchar(16) NOT NULL,
    sentence varchar NOT NULL,
    sentence_zh varchar NOT NULL,
    cleared_seq bigint,
    cleared_ns bigint,
    acknowledged_seq bigint,
    acknowledged_ns bigint,
    actor bigint,
    name varchar,
    note varchar
);
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE cleared_seq IS NULL;
CREATE TABLE day_closings (
    trading_date integer NOT NULL,
    revision integer NOT NULL,
    seq bigint NOT NULL,
    time_ns bigint NOT NULL,
    at_seq bigint NOT NULL,
    row_hash varchar NOT NULL,
    sha256 varchar NOT NULL,
    PRIMARY KEY (trading_date, revision)
);
UPDATE read_format SET format = 5
"""

_DOWN = """
DROP TABLE day_closings;
DROP TABLE alerts;
UPDATE read_format SET format = 4
"""


def upgrade() -> None:
    """Adds the tables."""
    _execute(_UP)


def downgrade() -> None:
    """Drops the tables, and empties the others. The journal keeps its commands, which an older version of REX cannot read."""
    op.execute(text(f"TRUNCATE {', '.join(_TABLES)}"))
    _execute(_DOWN)


def _execute(statements: str) -> None:
    for statement in statements.split(";\n"):
        op.execute(text(statement))
