"""Journal batches out of the naive engine: commands numbered and timed as the sequencer does."""

from __future__ import annotations

import numpy as np

from matching_engine.records import (
    ALL_INSTRUMENTS,
    EVENT,
    Command,
    CommandKind,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    pack_commands,
)
from services.journal.batch import JournalBatch
from tests.model.naive_engine import NaiveEngine

START_NS = 1_700_000_000_000_000_000
TRADERS = (2, 3)


class EngineBatches:
    """An engine, and the journal batch of each batch it is given."""

    def __init__(self) -> None:
        self.engine = NaiveEngine()

    def batch(self, *commands: Command) -> JournalBatch:
        first_seq = self.engine.last_seq + 1
        stamped = [
            command._replace(seq=seq, time_ns=START_NS + seq * 1_000) for seq, command in enumerate(commands, first_seq)
        ]
        events = [event for command in stamped for event in self.engine.submit(command)]
        return JournalBatch(
            journal_id=bytes(16),
            epoch=1,
            first_seq=first_seq,
            last_seq=first_seq + len(stamped) - 1,
            inbox_position=0,
            previous_hash=bytes(32),
            commands=pack_commands(stamped),
            events=np.array(events, dtype=EVENT).tobytes(),
        )


def opening(instruments: int = 2) -> list[Command]:
    """Two funded traders, instruments at 1,000 ticks with a band of 10 %, and the first trading day."""
    listed = [
        Command(
            kind=CommandKind.LIST_INSTRUMENT,
            instrument=number,
            amount_fen=100,
            price_ticks=1_000,
            rate_ppm=100_000,
            quantity_lots=1_000,
        )
        for number in range(instruments)
    ]
    opened = [Command(kind=CommandKind.OPEN_ACCOUNT) for _ in TRADERS]
    funded = [Command(kind=CommandKind.DEPOSIT, account=account, amount_fen=10**12) for account in TRADERS]
    stocked = [
        Command(kind=CommandKind.RECEIVE, account=account, instrument=number, quantity_lots=100_000)
        for account in TRADERS
        for number in range(instruments)
    ]
    phase = Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS)
    return [*listed, *opened, *funded, *stocked, roll(20231201), phase]


def roll(date: int) -> Command:
    return Command(kind=CommandKind.DAY_ROLL, date=date)


def limit(
    account: int,
    side: Side,
    price_ticks: int,
    quantity_lots: int,
    *,
    instrument: int = 0,
    time_in_force: TimeInForce = TimeInForce.DAY,
) -> Command:
    return Command(
        kind=CommandKind.NEW_ORDER,
        account=account,
        instrument=instrument,
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=time_in_force,
        price_ticks=price_ticks,
        quantity_lots=quantity_lots,
    )


def cancel(account: int, order_id: int) -> Command:
    return Command(kind=CommandKind.CANCEL, account=account, order_id=order_id)
