"""Small journals for the tests of the audit program, and forgeries of them by somebody who knows the format."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from matching_engine import Engine
from matching_engine.records import (
    ALL_INSTRUMENTS,
    EVENT,
    Command,
    CommandKind,
    Event,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    pack_commands,
    unpack_events,
)
from services.journal.batch import NO_HASH, JournalBatch
from services.reporting.audit import Audit, Calendar, Decoder

JOURNAL_ID = bytes(range(16))
SHANGHAI = timezone(timedelta(hours=8))


def at(*date_and_time: int) -> int:
    """A time in Shanghai, in nanoseconds since 1970."""
    return int(datetime(*date_and_time, tzinfo=SHANGHAI).timestamp()) * 10**9  # type: ignore[arg-type, misc]


def command(kind: CommandKind, **fields: Any) -> Command:
    return Command(kind=kind, **fields)


def order(account: int, side: int, lots: int, ticks: int, instrument: int = 0, **fields: Any) -> Command:
    """A LIMIT order that stays open until it is canceled."""
    return Command(
        kind=CommandKind.NEW_ORDER, account=account, side=side, quantity_lots=lots, price_ticks=ticks, instrument=instrument,
        order_type=OrderType.LIMIT, time_in_force=TimeInForce.GTC, **fields,
    )  # fmt: skip


def journal(*rows: Sequence[Command], time_ns: int = at(2026, 3, 2, 10)) -> list[JournalBatch]:
    """The rows of these commands as the engine carries them out. A command without a time has that of the one before."""
    engine, batches, last_hash, seq = Engine(), list[JournalBatch](), NO_HASH, 0
    for row in rows:
        stamped = []
        for sent in row:
            time_ns, seq = sent.time_ns or time_ns, seq + 1
            stamped.append(sent._replace(seq=seq, time_ns=time_ns))
        events = np.array([event for one in stamped for event in engine.submit(one)], EVENT).tobytes()
        batch = JournalBatch(
            JOURNAL_ID, 1, stamped[0].seq, seq, 0, last_hash, pack_commands(stamped), events, (b"a text",)
        )
        batches.append(batch)
        last_hash = batch.hash
    return batches


def opening(*, maker_ppm: int = 100, taker_ppm: int = 300, date: int = 20260302) -> list[Command]:
    """Seq 1 to 16: fees, three instruments, accounts 2 and 3 with 1,000,000.00 yuan and goods, a trading day under way."""
    commands = [command(CommandKind.SET_FEES, rate_ppm=maker_ppm, taker_rate_ppm=taker_ppm)]
    for instrument, (tick_value_fen, ticks) in enumerate(((10_000, 4_730), (1_000, 1_605), (100, 30))):
        commands.append(
            command(
                CommandKind.LIST_INSTRUMENT, instrument=instrument, amount_fen=tick_value_fen, price_ticks=ticks,
                rate_ppm=100_000, quantity_lots=1_000,
            )
        )  # fmt: skip
    commands += [command(CommandKind.OPEN_ACCOUNT), command(CommandKind.OPEN_ACCOUNT)]
    for account in (2, 3):
        commands.append(command(CommandKind.DEPOSIT, account=account, amount_fen=100_000_000))
        commands += [
            command(CommandKind.RECEIVE, account=account, instrument=instrument, quantity_lots=50)
            for instrument in range(3)
        ]
    phase = command(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS)
    return [*commands, command(CommandKind.DAY_ROLL, date=date), phase]


def three_trades() -> list[Command]:
    """Seq 17 to 23: the example of docs/figure.md. Three trades, of which the second is busted."""
    return [
        order(2, Side.SELL, 2, 4_730),
        order(3, Side.BUY, 2, 4_730),
        order(3, Side.SELL, 1, 1_605, 1),
        order(2, Side.BUY, 1, 1_605, 1),
        order(2, Side.SELL, 1, 30, 2),
        order(3, Side.BUY, 1, 30, 2),
        command(CommandKind.BUST_TRADE, order_id=20 << 20 | 1),
    ]


def example() -> list[JournalBatch]:
    """Three rows: the opening, the three trades and the bust, the next trading day."""
    return journal(
        opening(), three_trades(), [command(CommandKind.DAY_ROLL, date=20260303, time_ns=at(2026, 3, 2, 17))]
    )


def audited(
    batches: Iterable[JournalBatch], year: int = 2026, to_seq: int | None = None, calendar: Calendar | None = None
) -> Audit:
    """What the program computes of these rows."""
    decoder = Decoder(year, to_seq, calendar)
    for batch in batches:
        decoder.take(batch.encode())
    return decoder.audit


def resealed(batches: Iterable[JournalBatch], change: Callable[[JournalBatch], JournalBatch]) -> list[JournalBatch]:
    """The rows with a change, and with every hash and CRC computed anew: the chain is whole."""
    found, last_hash = list[JournalBatch](), NO_HASH
    for batch in batches:
        found.append(replace(change(batch), previous_hash=last_hash))
        last_hash = found[-1].hash
    return found


def forge_events(change: Callable[[Event], Event | None]) -> Callable[[JournalBatch], JournalBatch]:
    """Changes each event, or removes it (None)."""

    def forged(batch: JournalBatch) -> JournalBatch:
        events = [changed for event in unpack_events(batch.events) if (changed := change(event)) is not None]
        return replace(batch, events=np.array(events, EVENT).tobytes())

    return forged


def forge_commands(change: Callable[[Command], Command]) -> Callable[[JournalBatch], JournalBatch]:
    """Changes each command."""
    return lambda batch: replace(batch, commands=pack_commands(map(change, batch.command_list)))


def write(path: Path, batches: Iterable[JournalBatch]) -> Path:
    """A journal's SQLite file with these rows."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE meta (format INTEGER, journal_id BLOB, epoch INTEGER)")
        connection.execute(
            "CREATE TABLE rows (first_seq INTEGER PRIMARY KEY, last_seq INTEGER, epoch INTEGER, data BLOB)"
        )
        connection.execute("INSERT INTO meta VALUES (1, ?, 1)", (JOURNAL_ID,))
        rows = [(batch.first_seq, batch.last_seq, batch.epoch, batch.encode()) for batch in batches]
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", rows)
    return path
