"""Copies the read database from PostgreSQL into a SQLite file, as of one position: for the audit, which reads such a file.

The audit is a few hundred lines of SQL and of SQLite's own checks, and reads synchronously while the journal is re-executed. A
copy of the rows as they are costs less than a second audit, and both kinds are held to the same one. What it cannot see is an
index that disagrees with its table; PostgreSQL's `pg_amcheck` does.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.journal.postgres.connections import Database
from services.read_model import database as sqlite
from services.read_model import tables
from services.read_model.postgres.connecting import trouble_named

_AT_ONCE = 4_096


async def copy_to_file(read_database: AsyncEngine, database: Database, path: Path) -> None:
    """Copies every row of every table into a new SQLite file at path. `open_read_database` has opened it from `database`.

    Raises ReadDatabaseFailed.
    """
    await sqlite.open_read_database(path).dispose()
    async with read_database.connect() as connection:
        await connection.execute(select(tables.position))  # begins the transaction: what follows is of one position
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        with closing(sqlite.connect_writer(path)) as file, trouble_named(database):
            file.execute("BEGIN IMMEDIATE")
            for table in tables.metadata.sorted_tables:
                columns = ", ".join(column.name for column in table.columns)
                cursor = await driver.cursor(f"SELECT {columns} FROM {table.name}")
                while rows := await cursor.fetch(_AT_ONCE):
                    file.executemany(tables.insert_into(table), rows)
            file.execute("COMMIT")
