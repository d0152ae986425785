"""Which trades do not count by decision, and what that takes from each day: the journal's decisions applied anew.

Which ids are trades, and what they are worth, comes from the read database: the audit compares every single trade by itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from services.read_database.audit.comparison import Table
from services.read_database.audit.journaled import Journaled

Sums = dict[tuple[int, int], tuple[int, int, int]]
"""By trading date and instrument: number, lots and amount in fen."""

_DECIDED = """
SELECT trade_id, trading_date, instrument, quantity_lots, amount_fen FROM trades
WHERE trade_id IN (SELECT trade_id FROM decided_trades) ORDER BY trade_id
"""


def exclusion_tables(connection: sqlite3.Connection, journaled: Journaled) -> Iterator[Table]:
    """The marks of the trades that do not count, and the sums of the days. Raises sqlite3.Error."""
    rows = connection.execute(_DECIDED).fetchall()
    seqs = journaled.excluded.seqs
    true = [(row[0], seqs[row[0]]) for row in rows if row[0] in seqs]
    query = "SELECT trade_id, excluded_seq FROM trades WHERE excluded_seq IS NOT NULL ORDER BY trade_id"
    yield Table("trade {}", ["excluded_seq"], query, true, "journal")
    columns = ["excluded", "excluded_lots", "excluded_fen"]
    query = f"""
    SELECT trading_date, instrument, {", ".join(columns)} FROM daily_turnover
    WHERE excluded <> 0 OR excluded_lots <> 0 OR excluded_fen <> 0 ORDER BY trading_date, instrument
    """
    sums = sorted((*day, *excluded) for day, excluded in excluded_by_day(connection, seqs).items())
    yield Table("exclusions of {}, instrument {}", columns, query, sums, "journal", key_columns=2)


def excluded_by_day(connection: sqlite3.Connection, excluded: Mapping[int, int]) -> Sums:
    """What these trades take from each day. Raises sqlite3.Error."""
    sums: Sums = {}
    for trade_id, date, instrument, lots, fen in connection.execute(_DECIDED):
        if trade_id in excluded:
            number, all_lots, all_fen = sums.get((date, instrument), (0, 0, 0))
            sums[date, instrument] = number + 1, all_lots + lots, all_fen + fen
    return sums
