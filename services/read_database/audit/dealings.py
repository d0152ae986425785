"""Open orders and each day's trades, computed from the journal's batches; the engine keeps only part of either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from matching_engine.records import COMMAND, EVENT, EventKind
from services.journal.batch import JournalBatch
from services.read_database.audit.excluded import TRADE_ID_SHIFT
from services.read_database.audit.reserves import ReserveSums, Sums
from services.read_database.audit.trade_digests import COLUMNS, TradeDigests

_AT_ONCE_BYTES = 4_096 * EVENT.itemsize
_LESS = np.zeros(256, bool)
_LESS[[EventKind.CANCELED, EventKind.EXPIRED, EventKind.PREVENTED]] = True
"""The kinds of event that reduce the quantity of one order."""
_CHANGED = ("order_id", "quantity_lots")
_TRADE = ("instrument", "order_id", "maker_order_id", "quantity_lots", "amount_fen", "fee_fen", "maker_fee_fen")
_SAME_IN_BOTH = {
    "seq": "seq",
    "instrument": "instrument",
    "price_ticks": "price_ticks",
    "quantity_lots": "quantity_lots",
    "amount_fen": "amount_fen",
    "phase": "phase",
    "taker_side": "side",
    "taker_order_id": "order_id",
    "taker_account": "account",
    "taker_fee_fen": "fee_fen",
    "maker_order_id": "maker_order_id",
    "maker_account": "maker_account",
    "maker_fee_fen": "maker_fee_fen",
    "buyer_reserve_fen": "reserve_fen",
}
"""The columns of a trade in the read database that are fields of its event, with the field's name."""
_BUST = ("instrument", "quantity_lots", "amount_fen")


@dataclass(slots=True)
class OpenOrder:
    """Fields of an open order that the engine does not keep, and its open quantity."""

    client_order_id: bytes
    actor: int
    created_ns: int
    leaves_lots: int
    filled_fen: int = 0
    fees_fen: int = 0


class Dealings:
    """Takes every batch from the first on (`add`). Orders that have ended are dropped."""

    def __init__(self) -> None:
        self._orders: dict[int, OpenOrder] = {}
        self._trades: dict[tuple[int, int], list[int]] = {}
        self._busts: dict[tuple[int, int], list[int]] = {}
        self._trade_digests = TradeDigests()
        self._reserves = ReserveSums()
        self._trading_date = 0
        self._waiting: list[JournalBatch] = []
        self._waiting_bytes = 0

    @property
    def orders(self) -> dict[int, OpenOrder]:
        """The open orders by order_id."""
        self._take_in()
        return self._orders

    @property
    def trades(self) -> dict[tuple[int, int], list[int]]:
        """By trading date and instrument: number, lots, amount_fen, taker's fees_fen, maker's fees_fen of all trades."""
        self._take_in()
        return self._trades

    @property
    def trade_digests(self) -> dict[int, bytes]:
        """By trading date: the digest of its trades (trade_digests.py)."""
        self._take_in()
        return self._trade_digests.days

    @property
    def reserves(self) -> Sums:
        """By account: number and checksum of what its orders reserved and gave back (reserves.py)."""
        self._take_in()
        return self._reserves.accounts

    @property
    def busts(self) -> dict[tuple[int, int], list[int]]:
        """By trading date and instrument: number, lots and amount_fen of the trades that were busted."""
        self._take_in()
        return self._busts

    def add(self, batch: JournalBatch) -> None:
        """Takes the next batch."""
        self._waiting.append(batch)
        self._waiting_bytes += len(batch.events)
        if self._waiting_bytes >= _AT_ONCE_BYTES:
            self._take_in()

    def _take_in(self) -> None:
        """Processes the waiting batches together: a call of numpy costs as much as a few events."""
        if not self._waiting:
            return
        commands = np.frombuffer(b"".join([batch.commands for batch in self._waiting]), COMMAND)
        events = np.frombuffer(b"".join([batch.events for batch in self._waiting]), EVENT)
        first_seq = self._waiting[0].first_seq
        self._waiting, self._waiting_bytes = [], 0
        self._reserves.add(events, commands, first_seq)
        for part in np.split(events, np.flatnonzero(events["kind"] == EventKind.DAY_ROLLED)):
            if len(part) and part["kind"][0] == EventKind.DAY_ROLLED:
                self._trading_date = int(part["date"][0])
            self._add(part, commands, first_seq)

    def _add(self, events: Any, commands: Any, first_seq: int) -> None:
        """Processes additions to orders before reductions, so that an order with nothing left has ended."""
        kinds = events["kind"]
        accepted = events[kinds == EventKind.ACCEPTED]
        entered = commands[accepted["seq"] - np.uint64(first_seq)]
        for order_id, leaves_lots, client_order_id, actor, time_ns in zip(
            *_columns(accepted, "order_id", "leaves_lots"),
            *_columns(entered, "client_order_id", "actor", "time_ns"),
            strict=True,
        ):
            self._orders[order_id] = OpenOrder(client_order_id, actor, time_ns, leaves_lots)
        for order_id, lots in zip(*_columns(events[kinds == EventKind.REPLACED], *_CHANGED), strict=True):
            self._take(order_id, -lots)
        trades = events[kinds == EventKind.TRADE]
        self._trade_digests.add(stored_trades(trades, commands, self._trading_date))
        for trade in zip(*_columns(trades, *_TRADE), strict=True):
            self._trade(*trade)
        for order_id, lots in zip(*_columns(events[_LESS[kinds]], *_CHANGED), strict=True):
            self._take(order_id, lots)
        for instrument, lots, fen in zip(*_columns(events[kinds == EventKind.TRADE_BUSTED], *_BUST), strict=True):
            self._count(self._busts, instrument, (1, lots, fen))

    def _trade(
        self, instrument: int, taker: int, maker: int, lots: int, fen: int, taker_fee_fen: int, maker_fee_fen: int
    ) -> None:
        for order_id, fee_fen in ((taker, taker_fee_fen), (maker, maker_fee_fen)):
            order = self._orders.get(order_id)
            if order is not None:
                order.filled_fen += fen
                order.fees_fen += fee_fen
                self._take(order_id, lots)
        self._count(self._trades, instrument, (1, lots, fen, taker_fee_fen, maker_fee_fen))

    def _take(self, order_id: int, lots: int) -> None:
        order = self._orders.get(order_id)
        if order is not None:  # a forged event may name one that nobody sent
            order.leaves_lots -= lots
            if order.leaves_lots <= 0:
                del self._orders[order_id]

    def _count(self, days: dict[tuple[int, int], list[int]], instrument: int, more: tuple[int, ...]) -> None:
        day = days.get((self._trading_date, instrument))
        if day is None:
            days[self._trading_date, instrument] = list(more)
        else:
            for index, number in enumerate(more):
                day[index] += number


def trade_ids(trades: Any) -> Any:
    """The ids of TRADE events."""
    return (trades["seq"] << np.uint64(TRADE_ID_SHIFT)) | trades["number"]


def stored_trades(trades: Any, commands: Any, trading_dates: Any) -> Any:
    """TRADE events as the read database stores them: an int64 array with a row of COLUMNS for each.

    `commands` has no gap and holds theirs; `trading_dates` is one date, or one for each trade.
    """
    stored = np.empty((len(trades), len(COLUMNS)), "<i8")
    for column, field in _SAME_IN_BOTH.items():
        stored[:, COLUMNS.index(column)] = trades[field]
    stored[:, COLUMNS.index("trade_id")] = trade_ids(trades)
    stored[:, COLUMNS.index("time_ns")] = commands["time_ns"][trades["seq"] - commands["seq"][0]]
    stored[:, COLUMNS.index("trading_date")] = trading_dates
    return stored


def _columns(records: Any, *names: str) -> list[list[Any]]:
    return [records[name].tolist() for name in names]
