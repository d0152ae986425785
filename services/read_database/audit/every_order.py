"""Compares every order and every trade of the read database with those that the journal's batches make.

`differences` (differences.py), which a start has time for, compares open orders, and only sums of ended ones. This is for a
proof: it computes each order (order_rows.py), keeps it while it is open, and compares it when it has ended. Memory: the orders
and trades of a run of commands, all open orders, and one record per trading day and instrument.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from matching_engine.records import COMMAND, EVENT, EventKind
from services.journal.batch import JournalBatch
from services.read_database.audit.comparison import MAX_DIFFERENCES, Rows, Table, compare
from services.read_database.audit.days import Days
from services.read_database.audit.dealings import stored_trades
from services.read_database.audit.order_rows import COLUMNS as ORDER
from services.read_database.audit.order_rows import OrderRows
from services.read_database.audit.trade_digests import COLUMNS as TRADE

COMMANDS_AT_ONCE = 16_384
"""A run: so many commands are computed together. A call of numpy costs as much as a few orders."""
ROWS_AT_ONCE = 4_096
"""How many orders are compared by one query."""


class EveryOrder:
    """Takes every batch from the first on, up to the database's position (`add`); then `finish`.

    The connection is in a transaction, or nobody writes the file. Both methods raise sqlite3.Error where it cannot be read.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._orders = OrderRows()
        self._days = Days(connection)
        self._last_trade_id = 0
        self._waiting: list[JournalBatch] = []
        self._waiting_commands = 0
        self.differences: list[str] = []
        """The differences so far, one sentence each; after MAX_DIFFERENCES no further ones are added."""

    def add(self, batch: JournalBatch) -> None:
        """Takes the next batch."""
        self._waiting.append(batch)
        self._waiting_commands += batch.command_count
        if self._waiting_commands >= COMMANDS_AT_ONCE:
            self._take_in()

    def finish(self) -> None:
        """Compares the open orders, the last trades and the days."""
        self._take_in()
        self._compare(_order_tables(self._orders.open_orders()))
        self._compare(iter([self._trades_after_the_last(), self._days.table()]))

    def _take_in(self) -> None:
        """Takes the waiting batches, and compares the trades and the ended orders, which no longer change."""
        batches, self._waiting, self._waiting_commands = self._waiting, [], 0
        if not batches:
            return
        commands = np.frombuffer(b"".join([batch.commands for batch in batches]), COMMAND)
        events = np.frombuffer(b"".join([batch.events for batch in batches]), EVENT)
        dates = self._days.add(batches, events)
        trades = events["kind"] == EventKind.TRADE
        self._compare(self._trades(stored_trades(events[trades], commands, dates[trades])))
        self._compare(_order_tables(self._orders.add(commands, events, dates)))

    def _compare(self, found: Iterator[Table]) -> None:
        for table in found:
            left = MAX_DIFFERENCES + 1 - len(self.differences)
            self.differences += islice(compare(self._connection, table), left)

    def _trades(self, trades: Any) -> Iterator[Table]:
        """The table of these trades: all that there are after the trades of the last run, up to the last of these."""
        if len(trades):
            true = list(map(tuple, trades.tolist()))
            before, self._last_trade_id = self._last_trade_id, true[-1][0]
            yield _trades_between(before, f"AND trade_id <= {self._last_trade_id}", true)

    def _trades_after_the_last(self) -> Table:
        return _trades_between(self._last_trade_id, "", [])


def _trades_between(before: int, condition: str, true: Rows) -> Table:
    query = f"SELECT {', '.join(TRADE)} FROM trades WHERE trade_id > {before} {condition} ORDER BY trade_id"
    return Table("trade {}", TRADE[1:], query, true, "journal")


def _order_tables(orders: Rows) -> Iterator[Table]:
    """The tables of these orders. Orders that are not in the journal show in the count (differences.py)."""
    for start in range(0, len(orders), ROWS_AT_ONCE):
        true = orders[start : start + ROWS_AT_ONCE]
        order_ids = ", ".join(str(order[0]) for order in true)
        query = f"SELECT {', '.join(ORDER)} FROM orders WHERE order_id IN ({order_ids}) ORDER BY order_id"
        yield Table("order {}", ORDER[1:], query, true, "journal")
