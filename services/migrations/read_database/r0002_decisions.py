"""Targets with their history, decisions about trades, and the sums of what they exclude.

What the new columns hold cannot be computed from the old ones: who set a target, and when, is in the journal only. So both
directions empty the read database, and the projector fills it from the journal.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"

_TABLES = (
    "position", "fees", "instruments", "accounts", "holdings", "api_keys", "orders", "trades", "busts", "levels",
    "daily_turnover",
)  # fmt: skip
"""The tables that both revisions have, without `targets`."""

_UP = """
DROP TABLE targets;
CREATE TABLE targets (
    seq bigint PRIMARY KEY,
    time_ns bigint NOT NULL,
    actor bigint NOT NULL,
    scope varchar NOT NULL,
    metric varchar(16) NOT NULL,
    year integer NOT NULL,
    month smallint NOT NULL,
    amount bigint NOT NULL,
    pro_rata smallint NOT NULL,
    name varchar NOT NULL,
    why varchar NOT NULL,
    replaces bigint NOT NULL
);
CREATE INDEX targets_by_year ON targets (year, seq);
ALTER TABLE trades ADD COLUMN excluded_seq bigint;
CREATE INDEX trades_by_exclusion ON trades (excluded_seq) WHERE excluded_seq IS NOT NULL;
CREATE TABLE decisions (
    seq bigint PRIMARY KEY,
    time_ns bigint NOT NULL,
    actor bigint NOT NULL,
    decision varchar(16) NOT NULL,
    finding varchar NOT NULL,
    reason varchar NOT NULL,
    name varchar NOT NULL
);
CREATE TABLE decided_trades (
    seq bigint NOT NULL,
    trade_id bigint NOT NULL,
    PRIMARY KEY (seq, trade_id)
);
CREATE INDEX decided_trades_by_trade ON decided_trades (trade_id, seq);
ALTER TABLE daily_turnover
    ADD COLUMN excluded bigint NOT NULL, ADD COLUMN excluded_lots bigint NOT NULL, ADD COLUMN excluded_fen bigint NOT NULL;
UPDATE read_format SET format = 2
"""

_DOWN = """
DROP TABLE targets;
CREATE TABLE targets (
    year integer PRIMARY KEY,
    amount_fen bigint NOT NULL,
    name varchar NOT NULL,
    set_seq bigint NOT NULL
);
DROP TABLE decided_trades;
DROP TABLE decisions;
DROP INDEX trades_by_exclusion;
ALTER TABLE trades DROP COLUMN excluded_seq;
ALTER TABLE daily_turnover DROP COLUMN excluded, DROP COLUMN excluded_lots, DROP COLUMN excluded_fen;
UPDATE read_format SET format = 1
"""


def upgrade() -> None:
    """Empties the tables and adds the new ones: the projector fills all of them from the journal."""
    _empty_and(_UP)


def downgrade() -> None:
    """Empties the tables and takes the new ones away: the older projector fills the others from the journal."""
    _empty_and(_DOWN)


def _empty_and(statements: str) -> None:
    op.execute(text(f"TRUNCATE {', '.join(_TABLES)}"))
    for statement in statements.split(";\n"):
        op.execute(text(statement))
