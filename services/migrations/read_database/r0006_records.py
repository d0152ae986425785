"""What operators declare, impose and state, as it was recorded: control groups, measures, context figures. Besides, an index by
which the goods of a year are found.

No older version of REX writes such commands, so the table begins empty and needs no journal. The way down empties the read
database, so that a later way up finds a journal that the projector reads from the beginning.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"

_TABLES = (
    "position", "fees", "instruments", "accounts", "holdings", "api_keys", "orders", "trades", "busts", "decisions",
    "decided_trades", "levels", "daily_turnover", "targets", "trading_days", "daily_members", "daily_phases",
    "goods_movements", "alerts", "day_closings",
)  # fmt: skip
"""The tables that both revisions have."""

_UP = """
CREATE TABLE records (
    seq bigint PRIMARY KEY,
    time_ns bigint NOT NULL,
    actor bigint NOT NULL,
    type varchar(32) NOT NULL,
    text varchar NOT NULL
);
CREATE INDEX goods_movements_by_date ON goods_movements (trading_date);
UPDATE read_format SET format = 6
"""

_DOWN = """
DROP INDEX goods_movements_by_date;
DROP TABLE records;
UPDATE read_format SET format = 5
"""


def upgrade() -> None:
    """Adds the table and the index."""
    _execute(_UP)


def downgrade() -> None:
    """Drops both, and empties the other tables. The journal keeps its commands, which an older version of REX cannot read."""
    op.execute(text(f"TRUNCATE {', '.join(_TABLES)}"))
    _execute(_DOWN)


def _execute(statements: str) -> None:
    for statement in statements.split(";\n"):
        op.execute(text(statement))
