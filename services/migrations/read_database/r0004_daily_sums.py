"""The trading days, each account's and each phase's part of a day's turnover, and the goods that came in and went out.

When a day began, what was received and released, and which command listed an instrument is in the journal only. So both
directions empty the read database, and the projector fills it from the journal.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"

_TABLES = (
    "position", "fees", "instruments", "accounts", "holdings", "api_keys", "orders", "trades", "busts", "decisions",
    "decided_trades", "levels", "daily_turnover", "targets",
)  # fmt: skip
"""The tables that both revisions have."""

_UP = """
ALTER TABLE instruments ADD COLUMN listed_seq bigint NOT NULL;
CREATE TABLE trading_days (
    trading_date integer PRIMARY KEY,
    first_seq bigint NOT NULL,
    began_ns bigint NOT NULL
);
CREATE TABLE daily_members (
    trading_date integer NOT NULL,
    instrument integer NOT NULL,
    account bigint NOT NULL,
    bought bigint NOT NULL,
    bought_lots bigint NOT NULL,
    bought_fen bigint NOT NULL,
    sold bigint NOT NULL,
    sold_lots bigint NOT NULL,
    sold_fen bigint NOT NULL,
    fees_fen bigint NOT NULL,
    PRIMARY KEY (trading_date, instrument, account)
);
CREATE TABLE daily_phases (
    trading_date integer NOT NULL,
    instrument integer NOT NULL,
    phase smallint NOT NULL,
    trades bigint NOT NULL,
    quantity_lots bigint NOT NULL,
    amount_fen bigint NOT NULL,
    PRIMARY KEY (trading_date, instrument, phase)
);
CREATE TABLE goods_movements (
    seq bigint PRIMARY KEY,
    time_ns bigint NOT NULL,
    trading_date integer NOT NULL,
    account bigint NOT NULL,
    instrument integer NOT NULL,
    lots bigint NOT NULL,
    actor bigint NOT NULL
);
UPDATE read_format SET format = 4
"""

_DOWN = """
DROP TABLE goods_movements;
DROP TABLE daily_phases;
DROP TABLE daily_members;
DROP TABLE trading_days;
ALTER TABLE instruments DROP COLUMN listed_seq;
UPDATE read_format SET format = 3
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
