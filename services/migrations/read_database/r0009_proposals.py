"""Acts that were proposed to a second person, and how each proposal ended.

No older version of REX writes such commands, so the table begins empty and needs no journal. The way down empties the read
database, so that a later way up finds a journal that the projector reads from the beginning.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0009"
down_revision = "0008"

_TABLES = (
    "position", "fees", "instruments", "accounts", "holdings", "api_keys", "orders", "trades", "busts", "decisions",
    "decided_trades", "levels", "daily_turnover", "targets", "trading_days", "daily_members", "daily_phases",
    "goods_movements", "cash_movements", "reserve_changes", "candles", "alerts", "day_closings", "records", "actions",
)  # fmt: skip
"""The tables that both revisions have."""

_UP = """
CREATE TABLE proposals (
    seq bigint PRIMARY KEY,
    time_ns bigint NOT NULL,
    actor bigint NOT NULL,
    act varchar(32) NOT NULL,
    scope varchar(16) NOT NULL,
    method varchar(8) NOT NULL,
    path varchar NOT NULL,
    body varchar,
    why varchar NOT NULL,
    outcome varchar(16),
    ended_seq bigint,
    last_seq bigint,
    ended_ns bigint,
    ended_by bigint,
    reason varchar
);
CREATE INDEX proposals_by_end ON proposals (ended_seq);
CREATE INDEX proposals_open ON proposals (seq) WHERE outcome IS NULL;
UPDATE read_format SET format = 9
"""

_DOWN = """
DROP TABLE proposals;
UPDATE read_format SET format = 8
"""


def upgrade() -> None:
    """Adds the table."""
    _execute(_UP)


def downgrade() -> None:
    """Drops the table, and empties the others. The journal keeps its commands, which an older version of REX cannot read."""
    op.execute(text(f"TRUNCATE {', '.join(_TABLES)}"))
    _execute(_DOWN)


def _execute(statements: str) -> None:
    for statement in statements.split(";\n"):
        op.execute(text(statement))
