"""Where a settlement price comes from: of each day and instrument, and of the reference price of each instrument.

Until this revision every day was settled at its average price or, without trades, at the previous price: numbers 1 and 4 of the
engine's SettlementSource. So the rows that are there need no journal. The engine knows no decisions: trades that one excluded
were in the average.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_OF_DAYS = """
UPDATE daily_turnover SET settlement_source = CASE WHEN quantity_lots + excluded_lots > 0 THEN 1 ELSE 4 END
WHERE settlement_ticks IS NOT NULL
"""
_OF_INSTRUMENTS = """
UPDATE instruments SET settlement_source = (
    SELECT settlement_source FROM daily_turnover
    WHERE daily_turnover.instrument = instruments.instrument AND settlement_ticks IS NOT NULL
    ORDER BY trading_date DESC LIMIT 1
)
"""


def upgrade() -> None:
    """Adds the columns and fills them."""
    op.execute("ALTER TABLE instruments ADD COLUMN settlement_source smallint")
    op.execute("ALTER TABLE daily_turnover ADD COLUMN settlement_source smallint")
    op.execute(_OF_DAYS)
    op.execute(_OF_INSTRUMENTS)
    op.execute("UPDATE read_format SET format = 3")


def downgrade() -> None:
    """Drops the columns."""
    op.execute("ALTER TABLE instruments DROP COLUMN settlement_source")
    op.execute("ALTER TABLE daily_turnover DROP COLUMN settlement_source")
    op.execute("UPDATE read_format SET format = 2")
