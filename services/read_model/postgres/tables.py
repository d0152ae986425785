"""The tables of the read database in PostgreSQL: found, made and dropped, each on a connection of the caller, who commits.

Each table has a comment that says whose it is. By it a REX knows the tables that another REX made, whatever their names are.
The journal's tables, and those of others, do not have it.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, SmallInteger, Table, insert, inspect, select, text

from services.read_model import tables
from services.read_model.tables import READ_FORMAT

MARK = "REX derived this table from its journal: `rex migrate` may drop it"
"""The comment of each table. It stays as it is: a newer REX finds the tables of this one by it."""

read_format = Table("read_format", MetaData(), Column("format", SmallInteger, primary_key=True, autoincrement=False))
"""One row: the READ_FORMAT of the tables."""

_MARKED = """
SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND obj_description(oid, 'pg_class') = :mark
AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
"""


def format_of(connection: Connection) -> int | None:
    """The READ_FORMAT of the tables that are there, 0 if they do not say it; None without tables."""
    if not inspect(connection).has_table(read_format.name):
        return None
    return connection.scalar(select(read_format.c.format)) or 0


def make(connection: Connection) -> None:
    """Makes the tables of this version, empty. PostgreSQL refuses where somebody else has a table of such a name."""
    for metadata in (read_format.metadata, tables.metadata):
        metadata.create_all(connection, checkfirst=False)
        for name in metadata.tables:
            connection.exec_driver_sql(f"COMMENT ON TABLE {name} IS '{MARK}'")
    connection.execute(insert(read_format).values(format=READ_FORMAT))


def drop(connection: Connection) -> None:
    """Drops the tables of whatever version, if there are any. PostgreSQL refuses where something of others depends on one."""
    if names := connection.scalars(text(_MARKED), {"mark": MARK}).all():
        connection.exec_driver_sql(f"DROP TABLE {', '.join(names)}")
