"""The differences between the read database and an engine that has executed the journal, or the journal's batches.

The engine has all that decides the future: money, goods, open orders, the day's trades, phases, limits, the turnover of each
year. Data that it does not keep (names, keys, targets, decisions, reasons, the key and the fees of open orders, the trades of
past days) come from the journal's batches (`Journaled`). Of ended orders, the number and the sums are compared; a proof
compares each of them (every_order.py).
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from functools import cache
from itertools import chain, islice

from services.journal.batch import JournalBatch
from services.read_database.audit.candles import candle_tables
from services.read_database.audit.comparison import MAX_DIFFERENCES, Table, compare
from services.read_database.audit.daily_sums import daily_sum_tables
from services.read_database.audit.engine_tables import AuditedEngine, engine_tables
from services.read_database.audit.exclusions import exclusion_tables
from services.read_database.audit.journaled import Journaled
from services.read_database.audit.journaled_tables import journaled_tables
from services.read_database.audit.reserves import differing_reserves
from services.read_database.audit.trade_digests import digests_of
from services.read_database.database import make_tables


def differences(connection: sqlite3.Connection, engine: AuditedEngine, journaled: Journaled) -> list[str]:
    """The differences, one sentence each, MAX_DIFFERENCES at most; empty where there are none.

    The connection is in a transaction, or nobody writes the file; the engine and `journaled` are at the database's position.
    Raises sqlite3.Error where the file cannot be read.
    """
    found = list(compare(connection, _schema())) or _damage(connection)
    if not found:
        tables = chain(
            engine_tables(engine, journaled.last_batch, every_trade=True),
            journaled_tables(journaled),
            exclusion_tables(connection, journaled),
        )
        every = chain.from_iterable(compare(connection, table) for table in tables)
        found = list(islice(every, MAX_DIFFERENCES + 1)) or _single_trades(connection, journaled)
    if not found:
        found = list(islice(differing_reserves(connection, journaled.dealings.reserves), MAX_DIFFERENCES + 1))
    if not found:
        of_days = chain(daily_sum_tables(connection), candle_tables(connection))
        sums = chain.from_iterable(compare(connection, table) for table in of_days)
        found = list(islice(sums, MAX_DIFFERENCES + 1))
    return shortened(found)


def differences_of_state(
    connection: sqlite3.Connection, engine: AuditedEngine, last_batch: JournalBatch | None
) -> list[str]:
    """The differences in what the engine's state shows, without the journal's batches: money, goods, limits, instruments, open
    orders, books, the day's trades, and the turnover of each year beside the sums of its days.

    The engine is at the database's position, in `last_batch`. Returns and raises as `differences` does. What it reads grows
    with what is open and with the day's trades, not with the age of the journal.
    """
    found = list(compare(connection, _schema()))
    if not found:
        tables = engine_tables(engine, last_batch, every_trade=False)
        every = chain.from_iterable(compare(connection, table) for table in tables)
        found = list(islice(every, MAX_DIFFERENCES + 1))
    return shortened(found)


def shortened(found: list[str]) -> list[str]:
    """The first MAX_DIFFERENCES, then `and more` where there are more."""
    return found if len(found) <= MAX_DIFFERENCES else [*found[:MAX_DIFFERENCES], "and more"]


def _single_trades(connection: sqlite3.Connection, journaled: Journaled) -> list[str]:
    """The trading days on which the sums are equal and a trade is not."""
    true = journaled.dealings.trade_digests
    try:
        found = digests_of(connection)
    except struct.error as error:
        return [f"a column of a trade in the read database is no whole number: {error}"]
    days = sorted(date for date in true.keys() | found.keys() if true.get(date) != found.get(date))
    return [f"trades of {date} add up, and are others in the read database than in the journal" for date in days]


def _damage(connection: sqlite3.Connection) -> list[str]:
    """Damage that SQLite finds in the file's pages and between tables and indexes, as one sentence.

    A query that uses an index returns the index's values, even where the table has others.
    """
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return [] if found == "ok" else [f"its pages are damaged: {' '.join(str(found).split())[:200]}"]


@cache
def _schema() -> Table:
    """The tables and indexes of this version. Nothing else is allowed: a trigger would write rows of its own."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT GLOB 'sqlite_*' ORDER BY type, name"
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        make_tables(model)
        true = model.execute(query).fetchall()
    return Table("{} {}", ["definition"], query, true, "tables of this version of REX", key_columns=2)
