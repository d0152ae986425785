"""One-minute candles, deposits and withdrawals, and what each order reserved and gave back: an account's ledger and its past.

None of it can be made from the other tables. So both directions empty the read database, and the projector fills it from the
journal.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0007"

_TABLES = (
    "position", "fees", "instruments", "accounts", "holdings", "api_keys", "orders", "trades", "busts", "decisions",
    "decided_trades", "levels", "daily_turnover", "targets", "trading_days", "daily_members", "daily_phases",
    "goods_movements", "alerts", "day_closings", "records", "actions",
)  # fmt: skip
"""The tables that both revisions have."""

_UP = """
ALTER TABLE orders ADD COLUMN first_reserve bigint NOT NULL;
ALTER TABLE trades ADD COLUMN buyer_reserve_fen bigint NOT NULL;
CREATE INDEX goods_movements_by_account ON goods_movements (account, seq);
CREATE TABLE cash_movements (
    seq bigint PRIMARY KEY,
    time_ns bigint NOT NULL,
    trading_date integer NOT NULL,
    account bigint NOT NULL,
    amount_fen bigint NOT NULL,
    actor bigint NOT NULL
);
CREATE INDEX cash_movements_by_account ON cash_movements (account, seq);
CREATE TABLE reserve_changes (
    account bigint NOT NULL,
    seq bigint NOT NULL,
    order_id bigint NOT NULL,
    kind smallint NOT NULL,
    time_ns bigint NOT NULL,
    instrument integer NOT NULL,
    reserved_fen bigint NOT NULL,
    reserved_lots bigint NOT NULL,
    PRIMARY KEY (account, seq, order_id, kind)
);
CREATE TABLE candles (
    instrument integer NOT NULL,
    trading_date integer NOT NULL,
    start_s bigint NOT NULL,
    open_ticks bigint NOT NULL,
    high_ticks bigint NOT NULL,
    low_ticks bigint NOT NULL,
    close_ticks bigint NOT NULL,
    quantity_lots bigint NOT NULL,
    amount_fen bigint NOT NULL,
    trades bigint NOT NULL,
    PRIMARY KEY (instrument, trading_date, start_s)
);
UPDATE read_format SET format = 8
"""

_DOWN = """
DROP TABLE candles;
DROP TABLE reserve_changes;
DROP TABLE cash_movements;
DROP INDEX goods_movements_by_account;
ALTER TABLE trades DROP COLUMN buyer_reserve_fen;
ALTER TABLE orders DROP COLUMN first_reserve;
UPDATE read_format SET format = 7
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
