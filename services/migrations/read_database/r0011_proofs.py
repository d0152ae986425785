"""The proofs of the figure that agreed: a report names the last one of its year.

No older version of REX records them, so the table is empty at first. The way down empties the read database, so that a later
way up finds a journal that the projector reads from the beginning.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0011"
down_revision = "0010"

_TABLES = (
    "position", "fees", "instruments", "instrument_texts", "accounts", "holdings", "api_keys", "orders", "trades", "busts",
    "decisions", "decided_trades", "levels", "daily_turnover", "targets", "trading_days", "daily_members", "daily_phases",
    "goods_movements", "cash_movements", "reserve_changes", "candles", "alerts", "day_closings", "records", "actions",
    "proposals",
)  # fmt: skip
"""The tables that both revisions have."""

_UP = """
CREATE TABLE proofs (
    seq bigint NOT NULL,
    time_ns bigint NOT NULL,
    year integer NOT NULL,
    proven_seq bigint NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX proofs_by_year ON proofs (year, seq);
UPDATE read_format SET format = 11
"""

_DOWN = """
DROP TABLE proofs;
UPDATE read_format SET format = 10
"""


def upgrade() -> None:
    """Adds the table."""
    _execute(_UP)


def downgrade() -> None:
    """Drops the table, and empties the others."""
    op.execute(text(f"TRUNCATE {', '.join(_TABLES)}"))
    _execute(_DOWN)


def _execute(statements: str) -> None:
    for statement in statements.split(";\n"):
        op.execute(text(statement))
