"""Compares every order and every trade of the read database with those that the journal's batches make.

`differences` (differences.py), which a start has time for, compares open orders, and only sums of ended ones. This is for a
proof: it computes each order as the projector does, keeps it while it is open, and compares it when it has ended. Memory: at
most 4,096 orders and trades plus twice the number of open orders, and one record per trading day and instrument.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from services.journal.batch import NO_HASH, JournalBatch
from services.read_database import tables
from services.read_database.audit.comparison import MAX_DIFFERENCES, Table, compare
from services.read_database.audit.excluded import excluded_after
from services.read_database.audit.exclusions import excluded_by_day
from services.read_database.audit.trade_digests import COLUMNS
from services.read_database.changes import TURNOVER_COLUMNS, Bust, Changes, DayTurnover, Position, turnover_values
from services.read_database.order_changes import LEAVES

AT_ONCE = 4_096
"""How many orders or trades are compared by one query."""
_START = Position(0, 0, 0, NO_HASH, b"", 0)
_ORDER = [column.name for column in tables.orders.columns]
_DAY = ["trading_date", "instrument", *TURNOVER_COLUMNS, "settlement_ticks", "settlement_source"]
_LARGEST_THAT_COUNTS = """
SELECT amount_fen, trade_id FROM trades
WHERE trading_date = ? AND instrument = ? AND busted_seq IS NULL AND excluded_seq IS NULL
ORDER BY amount_fen DESC, trade_id LIMIT 1
"""


class EveryOrder:
    """Takes every batch from the first on, up to the database's position (`add`); then `finish`.

    The connection is in a transaction, or nobody writes the file. Both methods raise sqlite3.Error where it cannot be read.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._changes = Changes(_START)
        self._compare_from = AT_ONCE
        """Number of orders and trades from which on the ended ones are compared."""
        self._last_trade_id = 0
        self.differences: list[str] = []
        """The differences so far, one sentence each; after MAX_DIFFERENCES no further ones are added."""

    def add(self, batch: JournalBatch) -> None:
        """Takes the next batch."""
        changes = self._changes
        changes.add(batch)
        if len(changes.orders.new) + len(changes.trades) >= self._compare_from:
            self._compare(self._ended())
            self._compare_from = AT_ONCE + 2 * len(changes.orders.new)  # so that open orders are not searched too often

    def finish(self) -> None:
        """Compares the open orders, the last trades and the days."""
        self._compare(self._ended())
        self._compare(self._orders(self._changes.orders.new))
        self._compare(iter([self._trades_after_the_last(), self._days()]))

    def _compare(self, found: Iterator[Table]) -> None:
        for table in found:
            left = MAX_DIFFERENCES + 1 - len(self.differences)
            self.differences += islice(compare(self._connection, table), left)

    def _ended(self) -> Iterator[Table]:
        """The tables of trades and ended orders, which no longer change; drops them from memory."""
        changes = self._changes
        yield from self._trades(changes.trades)
        ended = {order_id: order for order_id, order in changes.orders.new.items() if order[LEAVES] <= 0}
        yield from self._orders(ended)
        for order_id in ended:
            del changes.orders.new[order_id]
        for no_longer_needed in (changes.trades, changes.statements, changes.orders.old, changes.levels):
            no_longer_needed.clear()

    def _trades(self, trades: Sequence[tuple[int | None, ...]]) -> Iterator[Table]:
        for start in range(0, len(trades), AT_ONCE):
            true = [trade[: len(COLUMNS)] for trade in trades[start : start + AT_ONCE]]
            before, self._last_trade_id = self._last_trade_id, int(true[-1][0] or 0)
            yield self._trades_between(before, f"AND trade_id <= {self._last_trade_id}", true)

    def _trades_after_the_last(self) -> Table:
        return self._trades_between(self._last_trade_id, "", [])

    def _trades_between(self, before: int, condition: str, true: list[Any]) -> Table:
        query = f"SELECT {', '.join(COLUMNS)} FROM trades WHERE trade_id > {before} {condition} ORDER BY trade_id"
        return Table("trade {}", COLUMNS[1:], query, true, "journal")

    def _orders(self, orders: dict[int, list[Any]]) -> Iterator[Table]:
        """The tables of these orders. Orders that are not in the journal show in the count (differences.py)."""
        order_ids = sorted(orders)
        for start in range(0, len(order_ids), AT_ONCE):
            some = order_ids[start : start + AT_ONCE]
            query = f"SELECT {', '.join(_ORDER)} FROM orders WHERE order_id IN ({', '.join(map(str, some))}) ORDER BY order_id"
            yield Table("order {}", _ORDER[1:], query, [tuple(orders[order_id]) for order_id in some], "journal")

    def _days(self) -> Table:
        """The sums of each trading day and instrument."""
        turnover, settlements = self._decided_turnover(), self._changes.settlements
        nothing = DayTurnover()
        true = [
            (*day, *turnover_values(turnover.get(day, nothing)), *settlements.get(day, (None, None)))
            for day in sorted(turnover.keys() | settlements.keys())
        ]
        query = f"SELECT {', '.join(_DAY)} FROM daily_turnover ORDER BY trading_date, instrument"
        return Table("day {}, instrument {}", _DAY[2:], query, true, "journal", key_columns=2)

    def _decided_turnover(self) -> dict[tuple[int, int], DayTurnover]:
        """The turnover of the days without what decisions exclude, and with the largest trades that count."""
        turnover, busts = dict(self._changes.turnover), [v for v in self._changes.verdicts if isinstance(v, Bust)]
        excluded = excluded_by_day(self._connection, excluded_after(self._changes.verdicts))
        for day, (number, lots, fen) in excluded.items():
            traded = turnover.get(day, DayTurnover())
            turnover[day] = replace(
                traded,
                trades=traded.trades - number,
                quantity_lots=traded.quantity_lots - lots,
                amount_fen=traded.amount_fen - fen,
                excluded=number,
                excluded_lots=lots,
                excluded_fen=fen,
            )
        for day in excluded.keys() | {(bust.trading_date, bust.instrument) for bust in busts}:
            largest_fen, trade_id = self._connection.execute(_LARGEST_THAT_COUNTS, day).fetchone() or (0, None)
            turnover[day] = replace(turnover[day], largest_fen=largest_fen, largest_trade_id=trade_id)
        return turnover
