"""Trading days by hand: a venue of one engine, its commands and events as journal rows, and its days as the room reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import numpy as np

from matching_engine import Engine
from matching_engine.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    Command,
    CommandKind,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    pack_commands,
)
from services.journal.batch import NO_HASH, JournalBatch
from services.market_statistics.contracts import MarketDay
from services.market_statistics.day_reading import TradingDays

BUY, SELL = Side.BUY, Side.SELL
MONDAY, TUESDAY = 20230102, 20230103
SECOND_NS = 10**9


class Rows:
    """A journal in memory."""

    def __init__(self, rows: Sequence[JournalBatch]) -> None:
        self.rows = rows
        self.read_from: list[int] = []
        """The `after_seq` of each reading."""

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        """The rows that hold commands after after_seq."""
        self.read_from.append(after_seq)
        for row in self.rows:
            if row.last_seq > after_seq:
                yield row


def rows_of(commands: Iterable[Command], in_a_row: int = 5) -> Rows:
    """Runs the commands and stores them, so many in a row of the journal."""
    data = np.frombuffer(pack_commands(list(commands)), COMMAND)
    engine, rows = Engine(), []
    for start in range(0, len(data), in_a_row):
        part = data[start : start + in_a_row]
        events = engine.process(part)
        rows.append(
            JournalBatch(
                journal_id=bytes(16),
                epoch=1,
                first_seq=int(part["seq"][0]),
                last_seq=int(part["seq"][-1]),
                inbox_position=0,
                previous_hash=NO_HASH,
                commands=part.tobytes(),
                events=events.tobytes(),
            )
        )
    return Rows(rows)


def read_day(commands: Iterable[Command], date: int, to_seq: int = 2**62, in_a_row: int = 5) -> MarketDay:
    """The day of these commands."""
    day = asyncio.run(TradingDays(rows_of(commands, in_a_row)).read(date, to_seq))
    assert day is not None
    return day


class Market:
    """Instrument 0 at 1,000 ticks of 1 yuan ± 20 %; accounts 2 to 4 without want. Closed until `open`; no fees.

    `now_s` is the time of the next command, in seconds. Each call sends one command and returns its seq.
    """

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.now_s = 0
        self.tell(CommandKind.LIST_INSTRUMENT, amount_fen=100, price_ticks=1000, rate_ppm=200_000, quantity_lots=500)
        for account in (2, 3, 4):
            self.tell(CommandKind.OPEN_ACCOUNT)
            self.tell(CommandKind.DEPOSIT, account=account, amount_fen=10**12)
            self.tell(CommandKind.RECEIVE, account=account, quantity_lots=10**6)

    def tell(self, kind: CommandKind, **fields: Any) -> int:
        self.commands.append(Command(seq=len(self.commands) + 1, kind=kind, time_ns=self.now_s * SECOND_NS, **fields))
        return len(self.commands)

    def roll(self, date: int) -> int:
        return self.tell(CommandKind.DAY_ROLL, date=date)

    def phase(self, phase: Phase) -> int:
        return self.tell(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=phase)

    def order(self, side: Side, lots: int, price: int, account: int = 2, **fields: Any) -> int:
        words = {"order_type": OrderType.LIMIT, "time_in_force": TimeInForce.DAY, "side": side, "account": account}
        return self.tell(CommandKind.NEW_ORDER, price_ticks=price, quantity_lots=lots, **words | fields)

    def cancel(self, order_id: int, account: int = 2) -> int:
        return self.tell(CommandKind.CANCEL, account=account, order_id=order_id)

    def bust(self, seq: int) -> int:
        """Busts the first trade of a command."""
        return self.tell(CommandKind.BUST_TRADE, order_id=seq << 20 | 1)

    def at(self, second: int) -> Market:
        """The same market, later."""
        self.now_s = second
        return self

    def day(self, date: int = MONDAY) -> MarketDay:
        return read_day(self.commands, date)


def opened() -> Market:
    """Monday has begun at second 0 with continuous trading and empty books."""
    market = Market()
    market.roll(MONDAY)
    market.phase(Phase.CONTINUOUS)
    return market
