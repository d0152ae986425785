"""The tables of the journal and of its snapshots, and a new journal in them."""

from __future__ import annotations

import secrets

import asyncpg
from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from services.journal.batch import NO_HASH
from services.journal.errors import JournalRefused
from services.journal.postgres.connections import Database
from services.journal.postgres.statements import NEW_ROW

FORMAT = 1
"""Version of the tables below. A journal of another format is refused."""

metadata = MetaData()

journal = Table(
    "journal",
    metadata,
    Column("first_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),  # the row; STORAGE EXTERNAL: PostgreSQL does not compress it
)

journal_writer = Table(
    "journal_writer",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("format", SmallInteger, nullable=False),
    Column("journal_id", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("epoch_after", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("last_hash", LargeBinary, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("url", Text, nullable=False),
    Column("backend", Integer, nullable=False),
    postgresql_with={"fillfactor": 10},  # room in the page: every append is a HOT update of the one row
)
"""The columns are those of `writer_row.WriterRow`."""

snapshots = Table(
    "snapshots",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("state_hash", LargeBinary, nullable=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),  # of the snapshot's bytes (services/snapshots); STORAGE EXTERNAL too
)

EXTERNAL = ("journal", "snapshots")
"""The tables with a column `data` that PostgreSQL must not compress."""


async def make_tables(connection: asyncpg.Connection) -> None:
    """Makes the tables, empty, as `rex migrate` does."""
    for table in metadata.sorted_tables:
        await connection.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
    for table_name in EXTERNAL:
        await connection.execute(f"ALTER TABLE {table_name} ALTER COLUMN data SET STORAGE EXTERNAL")


async def initialise(connection: asyncpg.Connection, journal_id: bytes | None = None) -> None:
    """Makes a new journal in the tables: the writer row, in epoch 0; without `journal_id` with a random one. Raises
    JournalRefused if the tables hold a journal."""
    made = await connection.execute(NEW_ROW, FORMAT, journal_id or secrets.token_bytes(16), 0, 0, NO_HASH)
    if made != "INSERT 0 1":
        raise JournalRefused(
            "the database (REX_DATABASE_URL) holds a journal already: a new one needs an empty database"
        )


async def create(url: str) -> None:
    """Makes the tables and a new journal in the database at url."""
    connection = await Database(url).connect()
    try:
        await make_tables(connection)
        await initialise(connection)
    finally:
        await connection.close()
