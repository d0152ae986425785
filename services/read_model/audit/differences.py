"""The differences between the read database and what the journal makes, or an engine that has executed the journal.

What the journal makes is projected into a temporary database (rebuilt.py) by the code that the venue's projector runs. So each
row that was changed, lost or added since is found. A mistake of that code would be in both: the engine stands beside them by
itself. It has all that decides the future: money, goods, open orders, the day's trades, phases, limits, the turnover of each
year (engine_tables.py).
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from itertools import chain, islice

from services.journal.batch import JournalBatch
from services.read_model.audit.comparison import MAX_DIFFERENCES, Table, compare
from services.read_model.audit.engine_tables import AuditedEngine, engine_tables
from services.read_model.audit.rebuilt import Rebuilt
from services.read_model.audit.row_by_row import differing_rows
from services.read_model.database import make_tables


def differences(connection: sqlite3.Connection, engine: AuditedEngine, rebuilt: Rebuilt) -> list[str]:
    """The differences from the rebuilt database or, where there are none, from the engine: one sentence each, MAX_DIFFERENCES
    at most; empty where there are none.

    The connection is in a transaction, or nobody writes the file; the engine and
    `rebuilt` are at the database's position. Raises sqlite3.Error where the file cannot be read, and what `Rebuilt.attach_to`
    raises.
    """
    return differences_of_rows(connection, rebuilt) or differences_of_state(
        connection, engine, rebuilt.last_batch, every_trade=True
    )


def differences_of_rows(connection: sqlite3.Connection, rebuilt: Rebuilt) -> list[str]:
    """The differences from the rebuilt database, and between tables and indexes. Returns and raises as `differences` does."""
    rebuilt.attach_to(connection)
    found = list(compare(connection, _schema())) or _damage(connection)
    return shortened(found or list(islice(differing_rows(connection), MAX_DIFFERENCES + 1)))


def differences_of_state(
    connection: sqlite3.Connection, engine: AuditedEngine, last_batch: JournalBatch | None, *, every_trade: bool = False
) -> list[str]:
    """The differences in what the engine's state shows, without the journal's batches: money, goods, limits, instruments, open
    orders, books, the day's trades, and the turnover of each year beside the sums of its days; with `every_trade` also beside
    all its trades.

    The engine is at the database's position, in `last_batch`. Returns and raises as `differences` does. Without `every_trade`
    what it reads grows with what is open and with the day's trades, not with the age of the journal.
    """
    found = list(compare(connection, _schema()))
    if not found:
        tables = engine_tables(engine, last_batch, every_trade=every_trade)
        every = chain.from_iterable(compare(connection, table) for table in tables)
        found = list(islice(every, MAX_DIFFERENCES + 1))
    return shortened(found)


def shortened(found: list[str]) -> list[str]:
    """The first MAX_DIFFERENCES, then `and more` where there are more."""
    return found if len(found) <= MAX_DIFFERENCES else [*found[:MAX_DIFFERENCES], "and more"]


def _damage(connection: sqlite3.Connection) -> list[str]:
    """Damage that SQLite finds in the file's pages and between tables and indexes, as one sentence.

    A query that uses an index returns the index's values, even where the table has others.
    """
    (found,) = connection.execute("PRAGMA main.integrity_check(1)").fetchone()
    return [] if found == "ok" else [f"its pages are damaged: {' '.join(str(found).split())[:200]}"]


@cache
def _schema() -> Table:
    """The tables and indexes of this version. Nothing else is allowed: a trigger would write rows of its own."""
    ours = "type IN ('trigger', 'view') OR name NOT GLOB 'sqlite_*'"  # SQLite's own are tables and indexes
    query = f"SELECT type, name, sql FROM main.sqlite_master WHERE {ours} ORDER BY type, name"
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        make_tables(model)
        true = model.execute(query).fetchall()
    return Table("{} {}", ["definition"], query, true, "tables of this version of REX", key_columns=2)
