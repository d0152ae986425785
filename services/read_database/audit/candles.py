"""Each day's candles, made anew from the single trades of the read database, which are compared with the journal before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from services.read_database.audit.comparison import Table

_DAYS = "SELECT trading_date FROM trades UNION SELECT trading_date FROM candles ORDER BY 1"
_TRADES = """
SELECT instrument, time_ns, price_ticks, quantity_lots, amount_fen FROM trades
WHERE trading_date = ? AND busted_seq IS NULL ORDER BY trade_id
"""
_COLUMNS = ["open_ticks", "high_ticks", "low_ticks", "close_ticks", "quantity_lots", "amount_fen", "trades"]
_MINUTE_NS = 60 * 10**9


def candle_tables(connection: sqlite3.Connection) -> Iterator[Table]:
    """A table for each day. Raises sqlite3.Error."""
    for (date,) in connection.execute(_DAYS).fetchall():
        minutes: dict[tuple[int, int], list[int]] = {}
        for instrument, time_ns, ticks, lots, fen in connection.execute(_TRADES, (date,)):
            candle = minutes.setdefault((instrument, time_ns // _MINUTE_NS * 60), [ticks, ticks, ticks, ticks, 0, 0, 0])
            candle[1:4] = max(candle[1], ticks), min(candle[2], ticks), ticks
            candle[4] += lots
            candle[5] += fen
            candle[6] += 1
        (literal,) = connection.execute("SELECT quote(?)", (date,)).fetchone()
        query = f"SELECT trading_date, instrument, start_s, {', '.join(_COLUMNS)} FROM candles WHERE trading_date = {literal}"
        true = [(date, *minute, *candle) for minute, candle in sorted(minutes.items())]
        label = "candle of {}, instrument {}, from {} s on"
        yield Table(label, _COLUMNS, f"{query} ORDER BY instrument, start_s", true, "trades", 3)
