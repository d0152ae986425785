"""The texts that each instrument has had, by the command from which on it had them: reports of the past read them.

No older version of REX changes the texts of an instrument, so the table is filled from the instruments. The way down empties
the read database, so that a later way up finds a journal that the projector reads from the beginning.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0010"
down_revision = "0009"

_TABLES = (
    "position", "fees", "instruments", "accounts", "holdings", "api_keys", "orders", "trades", "busts", "decisions",
    "decided_trades", "levels", "daily_turnover", "targets", "trading_days", "daily_members", "daily_phases",
    "goods_movements", "cash_movements", "reserve_changes", "candles", "alerts", "day_closings", "records", "actions",
    "proposals",
)  # fmt: skip
"""The tables that both revisions have."""

_UP = """
CREATE TABLE instrument_texts (
    instrument integer NOT NULL,
    from_seq bigint NOT NULL,
    name_en varchar NOT NULL,
    name_zh varchar NOT NULL,
    spec varchar NOT NULL,
    note varchar NOT NULL,
    PRIMARY KEY (instrument, from_seq)
);
INSERT INTO instrument_texts SELECT instrument, listed_seq, name_en, name_zh, spec, note FROM instruments;
UPDATE read_format SET format = 10
"""

_DOWN = """
DROP TABLE instrument_texts;
UPDATE read_format SET format = 9
"""


def upgrade() -> None:
    """Adds the table and fills it."""
    _execute(_UP)


def downgrade() -> None:
    """Drops the table, and empties the others."""
    op.execute(text(f"TRUNCATE {', '.join(_TABLES)}"))
    _execute(_DOWN)


def _execute(statements: str) -> None:
    for statement in statements.split(";\n"):
        op.execute(text(statement))
