"""The read database as plain dictionaries, written by the product's projector; its transactions fail as the seed says."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from services.journal.batch import NO_HASH
from services.read_model import order_changes, tables
from services.read_model.errors import ReadDatabaseAway, ReadDatabaseBusy
from services.read_model.seq_waiters import SeqWaiters
from services.read_model.write_batch import Position, WriteBatch
from tests.simulation.postgres import PostgresServer
from tests.simulation.weather import Weather

_COLUMNS = [column.name for column in tables.orders.columns]
_STATE, _LEAVES, _FILLED = (_COLUMNS.index(name) for name in ("state", "leaves_lots", "filled_lots"))
_ADDED = [_COLUMNS.index(name) for name in order_changes.ADDED]
_SET = [_COLUMNS.index(name) for name in order_changes.SET]


class ReadModel:
    """The tables, at `position`."""

    def __init__(self, journal_id: bytes) -> None:
        self.position = Position(0, 0, 0, NO_HASH, journal_id, 0)
        self.orders: dict[int, list[Any]] = {}
        self.trades: list[tuple[int | None, ...]] = []
        self.cash: dict[int, list[int]] = {}
        """By account: cash and reserved cash, fen."""
        self.lots: dict[tuple[int, int], list[int]] = {}
        """By account and instrument: lots and reserved lots."""
        self.waiters = SeqWaiters(lambda _seq: None)

    def apply(self, changes: WriteBatch) -> None:
        """One transaction."""
        self.orders.update({order_id: list(row) for order_id, row in changes.orders.new.items()})
        for order_id, change in changes.orders.old.items():
            self._change(self.orders[order_id], change)
        self.trades += changes.trades
        for account, amounts in changes.cash.items():
            _add(self.cash.setdefault(account, [0, 0]), amounts)
        for key, amounts in changes.lots.items():
            _add(self.lots.setdefault(key, [0, 0]), amounts)
        self.position = changes.position
        self.waiters.has_reached(self.position.seq)

    @staticmethod
    def _change(row: list[Any], change: list[Any]) -> None:
        for place in _ADDED:
            row[place] += change[place]
        for place in _SET:
            if change[place] is not None:
                row[place] = change[place]
        if change[_STATE] is None and row[_FILLED]:
            row[_STATE] = "partially_filled" if row[_LEAVES] else "filled"

    def order(self, order_id: int) -> dict[str, Any] | None:
        """The columns of an order."""
        row = self.orders.get(order_id)
        return None if row is None else dict(zip(_COLUMNS, row, strict=True))


def _add(row: list[int], amounts: list[int]) -> None:
    row[0] += amounts[0]
    row[1] += amounts[1]


class ModelWriter:
    """What the projector needs of a read database."""

    name = "the simulated read database"

    def __init__(self, model: ReadModel, server: PostgresServer, weather: Weather, chance: Random) -> None:
        self._model = model
        self._server = server
        self._weather = weather
        self._chance = chance

    async def start(self, journal_id: bytes) -> Position:
        """The position."""
        await asyncio.sleep(0.001)
        return self._model.position

    async def write(self, changes: WriteBatch) -> None:
        """One transaction: it may fail before or after its commit."""
        fate = self._chance.random()
        await asyncio.sleep(self._chance.expovariate(300))
        await self._until_kept(changes.position)
        if fate < self._weather.write_fails:
            raise ReadDatabaseAway("the connection was closed")
        if changes.after.seq != self._model.position.seq:
            raise ReadDatabaseBusy(self.name, changes.after.seq)
        self._model.apply(changes)
        if fate < 2 * self._weather.write_fails:
            raise ReadDatabaseAway("the connection was closed")

    async def _until_kept(self, position: Position) -> None:
        """It is in the same PostgreSQL as the journal: its commit waits for the standby, behind the row that it is made from.
        If the server goes away meanwhile, the transaction is rolled back."""
        session = self._server.process
        while not self._server.keeps_hash(position.seq, position.row_hash):
            await asyncio.sleep(0.05)
            if self._server.process is not session:
                raise ReadDatabaseAway("the connection was closed")

    async def check(self, position: Position) -> None:
        """Nobody else moves the position."""
        if self._model.position.seq > position.seq:
            raise ReadDatabaseBusy(self.name, position.seq)

    async def close(self) -> None:
        """There is no connection."""
