"""Declared control groups and measures. No older journal holds any, so nothing is filled."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds the table."""
    op.execute(
        """
        CREATE TABLE records (
            seq bigint PRIMARY KEY,
            time_ns bigint NOT NULL,
            actor bigint NOT NULL,
            type varchar(32) NOT NULL,
            text varchar NOT NULL
        )
        """
    )
    op.execute("UPDATE read_format SET format = 6")


def downgrade() -> None:
    """Drops the table."""
    op.execute("DROP TABLE records")
    op.execute("UPDATE read_format SET format = 5")
