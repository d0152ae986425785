"""A command of the past as the journal has it: its time, its row, its trading day, the self-trades prevented on that day."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import COMMAND, EVENT, EventKind
from services.journal.batch import JournalBatch
from services.messaging.tail import Readable
from services.read_model.tables import daily_turnover, trading_days
from services.reporting.queries import Values

_ROWS_AT_ONCE = 256
"""A quiet venue has a row for each command: numpy is called once for so many."""

_BYTES_AT_ONCE = 1 << 20
"""The events of a busy venue's rows are counted once they are so many bytes."""

_FIELDS = ("seq", "order_id", "maker_order_id", "instrument", "quantity_lots")


class NotReached(Exception):
    """The journal ends before the sequence number of which a report is asked for."""


@dataclass(frozen=True)
class PositionAsOf:
    """The moment after a command."""

    position: Values
    """As the row of `position` would be if the command had been the last one; `row_hash` is of the row that holds it."""
    prevented: Mapping[int, tuple[int, int]]
    """By instrument: self-trades prevented on the command's trading day up to it, and the lots taken from their orders."""

    @property
    def seq(self) -> int:
        """The command."""
        return int(self.position["seq"])

    @property
    def today(self) -> int:
        """Its trading day, yyyymmdd; 0 before the first one."""
        return int(self.position["trading_date"])


async def read_day_of(connection: AsyncConnection, seq: int) -> tuple[int, int]:
    """The trading day of the command seq, and the command from which on the journal must be read for its self-trades: seq where
    none were prevented on that day."""
    began = select(trading_days).where(trading_days.c.first_seq <= seq).order_by(trading_days.c.first_seq.desc())
    day = (await connection.execute(began.limit(1))).first()
    if day is None:
        return 0, seq
    of_day = daily_turnover.c.trading_date == day.trading_date
    any_prevented = select(exists().where(of_day, daily_turnover.c.prevented > 0))
    return day.trading_date, day.first_seq if await connection.scalar(any_prevented) else seq


async def read_as_of(journal: Readable, seq: int, today: int, first_seq: int) -> PositionAsOf:
    """The moment of seq, a command of the trading day `today`; self-trades are counted from the command first_seq on.

    They are counted in a thread, because the event loop is needed for orders.

    Raises NotReached where the journal ends before seq, and the journal's errors.
    """
    prevented = PreventedSelfTrades(first_seq, seq)
    waiting: list[bytes] = []
    waiting_bytes = 0
    async for batch in journal.read(first_seq - 1):
        waiting.append(batch.events)
        waiting_bytes += len(batch.events)
        if batch.last_seq >= seq:
            await asyncio.to_thread(prevented.add, waiting)
            return PositionAsOf(_position(batch, seq, today), prevented.by_instrument)
        if len(waiting) == _ROWS_AT_ONCE or waiting_bytes >= _BYTES_AT_ONCE:
            await asyncio.to_thread(prevented.add, waiting)
            waiting, waiting_bytes = [], 0
    raise NotReached(f"The journal ends before seq {seq:,}.")


def _position(batch: JournalBatch, seq: int, today: int) -> Values:
    times_ns = np.frombuffer(batch.commands, COMMAND)["time_ns"]
    return {
        "seq": seq,
        "time_ns": int(times_ns[seq - batch.first_seq]),
        "trading_date": today,
        "row_hash": batch.hash,
        "journal_id": batch.journal_id,
    }


class PreventedSelfTrades:
    """Counts the self-trades that the commands first_seq to last_seq would have made, as the projector counts them
    (services/read_model/write_batch.py)."""

    def __init__(self, first_seq: int, last_seq: int) -> None:
        self.by_instrument: dict[int, tuple[int, int]] = {}
        """Number of self-trades, and the lots taken from their orders."""
        self._first_seq = first_seq
        self._last_seq = last_seq
        self._pair: tuple[int, int, int] | None = None

    def add(self, rows: Sequence[bytes]) -> None:
        """Adds the events of the next rows, packed."""
        records = np.frombuffer(b"".join(rows), EVENT)
        own = records[records["kind"] == EventKind.SELF_TRADE_PREVENTED]
        own = own[(own["seq"] >= self._first_seq) & (own["seq"] <= self._last_seq)]
        for seq, order_id, maker_order_id, instrument, lots in zip(
            *(own[name].tolist() for name in _FIELDS), strict=True
        ):
            number, all_lots = self.by_instrument.get(instrument, (0, 0))
            # A self-trade that affects both orders makes two events, the second with the order ids exchanged: count it once.
            if self._pair == (seq, maker_order_id, order_id):
                self._pair = None
            else:
                self._pair = (seq, order_id, maker_order_id)
                number += 1
            self.by_instrument[instrument] = number, all_lots + lots
