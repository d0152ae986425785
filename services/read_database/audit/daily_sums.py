"""Each day's turnover by account and by phase, added up from the single trades of the read database.

The trades and their marks are compared with the journal before (differences.py), so these are the journal's sums. They are
added up another way than the projector does: the database groups the trades of a buyer and a seller, the rest is done here.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator

from matching_engine.records import Side
from services.read_database.audit.comparison import Table

Key = tuple[int, int, int]
"""Trading date, instrument, and an account or a phase."""
Sums = dict[Key, list[int]]

_DAYS = """
SELECT trading_date FROM trades UNION SELECT trading_date FROM daily_members UNION SELECT trading_date FROM daily_phases
ORDER BY 1
"""
_DEALS = f"""
SELECT trading_date, instrument, phase,
    CASE taker_side WHEN {Side.BUY:d} THEN taker_account ELSE maker_account END AS buyer,
    CASE taker_side WHEN {Side.BUY:d} THEN maker_account ELSE taker_account END AS seller,
    busted_seq IS NULL AS stands, busted_seq IS NULL AND excluded_seq IS NULL AS counts,
    sum(CASE taker_side WHEN {Side.BUY:d} THEN taker_fee_fen ELSE maker_fee_fen END),
    sum(CASE taker_side WHEN {Side.BUY:d} THEN maker_fee_fen ELSE taker_fee_fen END),
    count(*), sum(quantity_lots), sum(amount_fen)
FROM trades WHERE trading_date = ? GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
_MEMBER = ["bought", "bought_lots", "bought_fen", "sold", "sold_lots", "sold_fen", "fees_fen"]
_PHASE = ["trades", "quantity_lots", "amount_fen"]


def daily_sum_tables(connection: sqlite3.Connection) -> Iterator[Table]:
    """Two tables for each day, so that a day at a time is in memory. Raises sqlite3.Error."""
    for (date,) in connection.execute(_DAYS).fetchall():
        members, phases = _added_up(connection, date)
        for name, key, columns, sums in (
            ("daily_members", "account", _MEMBER, members),
            ("daily_phases", "phase", _PHASE, phases),
        ):
            query = f"SELECT trading_date, instrument, {key}, {', '.join(columns)} FROM {name}"
            query += f" WHERE trading_date = {_literal(connection, date)} ORDER BY instrument, {key}"
            true = sorted((*day, *values) for day, values in sums.items())
            yield Table(f"turnover of {{}}, instrument {{}}, {key} {{}}", columns, query, true, "journal", 3)


def _added_up(connection: sqlite3.Connection, date: object) -> tuple[Sums, Sums]:
    """The day's rows of `daily_members` and of `daily_phases`."""
    members: Sums = defaultdict(lambda: [0] * len(_MEMBER))
    phases: Sums = defaultdict(lambda: [0] * len(_PHASE))
    for day, instrument, phase, buyer, seller, stands, counts, buyer_fen, seller_fen, *deals in connection.execute(
        _DEALS, (date,)
    ):
        bought, sold = members[day, instrument, buyer], members[day, instrument, seller]
        bought[-1] += buyer_fen * stands
        sold[-1] += seller_fen * stands
        of_phase = phases[day, instrument, phase]
        for place, more in enumerate(deals):
            bought[place] += more * counts
            sold[len(deals) + place] += more * counts
            of_phase[place] += more * counts
    return members, phases


def _literal(connection: sqlite3.Connection, value: object) -> str:
    """SQL of a value, of any type in a file that is damaged."""
    return str(connection.execute("SELECT quote(?)", (value,)).fetchone()[0])
