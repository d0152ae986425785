"""Who issued each API key and when, until when and from where it may be used, and its rate limits; and what operators and
administrators did.

What they did is in the journal only. So the way up empties the read database, and the projector fills it from the
journal. So does the way down: an older version of REX cannot read the commands that set limits, and a later way up needs them.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0007"
down_revision = "0006"

_TABLES = (
    "position", "fees", "instruments", "accounts", "holdings", "api_keys", "orders", "trades", "busts", "decisions",
    "decided_trades", "levels", "daily_turnover", "targets", "trading_days", "daily_members", "daily_phases",
    "goods_movements", "alerts", "day_closings", "records",
)  # fmt: skip
"""The tables that both revisions have."""

_UP = """
ALTER TABLE api_keys ADD COLUMN issued_ns bigint NOT NULL;
ALTER TABLE api_keys ADD COLUMN issued_by bigint NOT NULL;
ALTER TABLE api_keys ADD COLUMN expires_ns bigint NOT NULL;
ALTER TABLE api_keys ADD COLUMN addresses varchar NOT NULL;
ALTER TABLE api_keys ADD COLUMN limits varchar NOT NULL;
CREATE TABLE actions (
    seq bigint PRIMARY KEY,
    time_ns bigint NOT NULL,
    actor bigint NOT NULL,
    kind varchar(32) NOT NULL,
    text varchar NOT NULL
);
UPDATE read_format SET format = 7
"""

_DOWN = """
DROP TABLE actions;
ALTER TABLE api_keys DROP COLUMN limits;
ALTER TABLE api_keys DROP COLUMN addresses;
ALTER TABLE api_keys DROP COLUMN expires_ns;
ALTER TABLE api_keys DROP COLUMN issued_by;
ALTER TABLE api_keys DROP COLUMN issued_ns;
UPDATE read_format SET format = 6
"""


def upgrade() -> None:
    """Empties the tables and adds columns and table: the projector fills all of them from the journal."""
    _empty_and(_UP)


def downgrade() -> None:
    """Empties the tables and drops what `upgrade` added."""
    _empty_and(_DOWN)


def _empty_and(statements: str) -> None:
    op.execute(text(f"TRUNCATE {', '.join(_TABLES)}"))
    for statement in statements.split(";\n"):
        op.execute(text(statement))
