"""One-minute candles: a run's trades added up, and the SQL that merges them into the table and recounts one after a bust.

The minute is that of the venue's clock, in UTC. Trades that an operator busted are taken out; trades that do not count by
decision stay, because they were made at their price.
"""

from __future__ import annotations

from services.read_model import tables

CandleKey = tuple[int, int, int]
"""Instrument, trading date, and the first second of the minute."""

MINUTE_NS = 60 * 10**9
CANDLE_COLUMNS = tuple(column.name for column in tables.candles.columns)


def add_to_candle(
    candles: dict[CandleKey, list[int]],
    instrument: int,
    trading_date: int,
    time_ns: int,
    price_ticks: int,
    quantity_lots: int,
    amount_fen: int,
) -> None:
    """Adds a trade, the latest so far, to the candle of its minute."""
    key = instrument, trading_date, time_ns // MINUTE_NS * 60
    candle = candles.get(key)
    if candle is None:
        candles[key] = [price_ticks, price_ticks, price_ticks, price_ticks, quantity_lots, amount_fen, 1]
        return
    if price_ticks > candle[1]:
        candle[1] = price_ticks
    elif price_ticks < candle[2]:
        candle[2] = price_ticks
    candle[3] = price_ticks
    candle[4] += quantity_lots
    candle[5] += amount_fen
    candle[6] += 1


MERGE_CANDLE = """
ON CONFLICT (instrument, trading_date, start_s) DO UPDATE SET
    high_ticks = CASE WHEN excluded.high_ticks > candles.high_ticks THEN excluded.high_ticks ELSE candles.high_ticks END,
    low_ticks = CASE WHEN excluded.low_ticks < candles.low_ticks THEN excluded.low_ticks ELSE candles.low_ticks END,
    close_ticks = excluded.close_ticks,
    quantity_lots = candles.quantity_lots + excluded.quantity_lots,
    amount_fen = candles.amount_fen + excluded.amount_fen,
    trades = candles.trades + excluded.trades
"""
"""The trades of a run are later than those of the table."""


def _minute_of(time_ns: str) -> str:
    """The SQL of the minute of a time, rounded down like Python's: SQL's division rounds a time before 1970 up."""
    return f"({time_ns} / {MINUTE_NS} - CASE WHEN {time_ns} % {MINUTE_NS} < 0 THEN 1 ELSE 0 END)"


_MINUTE = f"(SELECT {_minute_of('time_ns')} FROM trades WHERE trade_id = ?3)"
RECOUNT_CANDLE = (
    f"DELETE FROM candles WHERE trading_date = ?1 AND instrument = ?2 AND start_s = {_MINUTE} * 60",
    f"""
    WITH minute AS (
        SELECT * FROM trades WHERE trading_date = ?1 AND instrument = ?2 AND busted_seq IS NULL
        AND {_minute_of("time_ns")} = {_MINUTE}
    )
    INSERT INTO candles ({", ".join(CANDLE_COLUMNS)})
    SELECT instrument, trading_date, {_minute_of("min(time_ns)")} * 60,
        (SELECT price_ticks FROM minute ORDER BY trade_id LIMIT 1), max(price_ticks), min(price_ticks),
        (SELECT price_ticks FROM minute ORDER BY trade_id DESC LIMIT 1),
        sum(quantity_lots), sum(amount_fen), count(*)
    FROM minute GROUP BY instrument, trading_date
    """,
)
"""The candle of a trade's minute anew from the trades that stand. Parameters: trading date, instrument and id of the trade."""
