"""Makes the journals of this folder with an engine of version 5:

    python -m tests.data.engine_5.make_journals NAME …

`thin_days` has plain rows, and days of fewer lots than make a VWAP; `traded` has compressed rows, and orders of every kind. The
journal id is drawn by chance, all else is the same each time.
"""

from __future__ import annotations

import asyncio
import lzma
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from matching_engine import ENGINE_VERSION, Engine
from matching_engine.records import (
    Command,
    CommandKind,
    EventKind,
    Flag,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    unpack_events,
)
from services.commands import administrative as admin
from services.commands.attachments import AccountText, BustText, KeyIssued, KeyRevoked
from services.data.instruments import load_instruments
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.copying import SqliteTarget, copy
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from services.sequencer.sequencer import assemble
from services.venue.first_start import GUARDS, Existing, Seeding
from tests.unit.read_model.history import day_roll

TRADED_DAYS = (
    (datetime(2023, 12, 28, 9, tzinfo=UTC), 20231229),
    (datetime(2023, 12, 29, 9, tzinfo=UTC), 20240102),
    (datetime(2024, 1, 2, 9, tzinfo=UTC), 20240103),
)
"""When each trading day begins, 17:00 in Shanghai of the one before, and its date."""
THIN_DAYS = (
    (datetime(2024, 1, 3, 9, tzinfo=UTC), 20240104),
    (datetime(2024, 1, 4, 9, tzinfo=UTC), 20240105),
    (datetime(2024, 1, 5, 9, tzinfo=UTC), 20240108),
)
CASH_FEN = 10_000_000_000
INSTRUMENTS = 3
ACCOUNTS = (2, 3, 4)
NOBODY = Command()


class History:
    """A journal that is written batch by batch, as a sequencer would."""

    def __init__(self, journal: SqliteJournal, seed: int) -> None:
        self.engine = Engine()
        self.journal = journal
        self.chance = Random(seed)
        self.time_ns = 0
        self.last_hash = NO_HASH
        self.open_orders: list[int] = []
        self.trades: list[int] = []

    def come_to(self, instant: datetime) -> None:
        """Nothing happens until then."""
        self.time_ns = max(self.time_ns, int(instant.timestamp()) * 10**9)

    async def run(self, *submissions: Submission, seconds: float = 1) -> None:
        self.time_ns += int(seconds * 1e9)
        due = [Command(kind=CommandKind.TIME)] if 0 < self.engine.next_deadline_ns <= self.time_ns else []
        first_seq = self.engine.last_seq + 1
        commands, attachments = assemble(due, submissions, first_seq, self.time_ns)
        events = self.engine.process(commands).tobytes()
        batch = JournalBatch(
            journal_id=self.journal.journal_id,
            epoch=self.journal.epoch,
            first_seq=first_seq,
            last_seq=first_seq + len(commands) - 1,
            inbox_position=0,
            previous_hash=self.last_hash,
            commands=commands.tobytes(),
            events=events,
            attachments=attachments,
        )
        await self.journal.append(batch)
        self.last_hash = batch.hash
        for event in unpack_events(events):
            if event.kind == EventKind.ACCEPTED:
                self.open_orders.append(event.order_id)
            elif event.kind == EventKind.TRADE:
                self.trades.append(event.seq << 20 | event.number)

    def order(self, instrument: int, side: int, away: int, lots: int, **fields: Any) -> Submission:
        """A LIMIT order so many ticks from the last price; `fields` are a command's."""
        price_ticks = self.engine.anchor_ticks(instrument) + away
        command = Command(
            kind=CommandKind.NEW_ORDER, account=self.chance.choice(ACCOUNTS), instrument=instrument, side=side,
            order_type=OrderType.LIMIT, time_in_force=TimeInForce.GTC, price_ticks=price_ticks, quantity_lots=lots,
        )  # fmt: skip
        return admin.submission(command._replace(**fields))

    def some_order(self) -> Submission:
        chance = self.chance
        instrument, side, lots = chance.randrange(INSTRUMENTS), chance.randrange(2), chance.randint(1, 20)
        kind = chance.random()
        if kind < 0.1:
            values = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC, "price_ticks": 0}
            return self.order(instrument, side, 0, lots, **values)
        if kind < 0.2:
            trigger_ticks = self.engine.anchor_ticks(instrument) + chance.choice((-4, -2, 2, 4))
            values = {"order_type": OrderType.STOP, "price_ticks": 0, "trigger_ticks": trigger_ticks}
            return self.order(instrument, side, 0, lots, **values)
        away = chance.randint(-6, 3) if side == Side.BUY else chance.randint(-3, 6)
        if kind < 0.3:
            return self.order(instrument, side, away, 40, display_lots=7)
        if kind < 0.4:
            expires_s = self.time_ns // 10**9 + chance.randint(5, 60)
            return self.order(instrument, side, away, lots, time_in_force=TimeInForce.GTD, time_s=expires_s)
        if kind < 0.6:
            return self.order(instrument, side, away, lots, time_in_force=TimeInForce.DAY)
        return self.order(instrument, side, away, lots)

    def some_command(self) -> Submission:
        """Mostly orders; cancels, amends, and now and then a bust."""
        kind = self.chance.random()
        if kind < 0.75 or not self.open_orders:
            return self.some_order()
        order_id = self.chance.choice(self.open_orders)
        if kind < 0.85:
            return admin.submission(Command(kind=CommandKind.CANCEL, order_id=order_id))
        if kind < 0.97:
            flags = Flag.CHANGE_QUANTITY
            amend = Command(
                kind=CommandKind.AMEND, account=self.chance.choice(ACCOUNTS), order_id=order_id,
                quantity_lots=self.chance.randint(1, 30), flags=flags,
            )  # fmt: skip
            return admin.submission(amend)
        return admin.bust_trade(NOBODY, self.chance.choice(self.trades or [1]), BustText(reason="a wrong price"))

    async def trade(self, commands: int) -> None:
        while commands > 0:
            size = min(self.chance.choice((1, 1, 2, 5)), commands)
            commands -= size
            await self.run(*(self.some_command() for _ in range(size)), seconds=self.chance.random() * 3)

    async def collect(self) -> None:
        """A call auction in which every instrument would trade."""
        await self.run(admin.set_phase(NOBODY, Phase.CALL_AUCTION))
        for instrument in range(INSTRUMENTS):
            for lots in (3, 8, 5):
                buys = {"account": 2, "time_in_force": TimeInForce.DAY}
                await self.run(self.order(instrument, Side.BUY, lots, lots, **buys))
                await self.run(self.order(instrument, Side.SELL, -lots, lots - 1, account=3))


async def traded(folder: Path) -> bytes:
    """A journal of three trading days in two years, in two of which an auction is halted and goes on."""
    path = folder / "journal.sqlite"
    journal = await SqliteJournal.open(path)
    history = History(journal, seed=7)
    history.come_to(TRADED_DAYS[0][0])
    missing = Seeding(Existing({}, {"venue": 1}, 1, frozenset()), {})
    missing.venue(load_instruments()[:INSTRUMENTS], 2023, GUARDS)
    await history.run(missing.submission(NOBODY))
    for account in ACCOUNTS:
        opened = admin.open_account(NOBODY, AccountText(name=f"member {account}"), owner=9 if account == 4 else 0)
        goods = [admin.change_inventory(NOBODY, account, number, 5_000) for number in range(INSTRUMENTS)]
        await history.run(opened, admin.change_cash(NOBODY, account, CASH_FEN), *goods)
    key = KeyIssued(key_hash="5e" * 32, account=2, name="desk", scopes=("read", "trade"))
    await history.run(admin.record(NOBODY, key), admin.record(NOBODY, KeyRevoked(key_id=1)))
    for begins, day in TRADED_DAYS:
        history.come_to(begins)
        await history.run(admin.set_phase(NOBODY, Phase.CLOSED), day_roll(NOBODY, day))
        await history.collect()
        if day > 20240000:
            await history.run(admin.halt(NOBODY, 1))
            await history.run(admin.resume(NOBODY, 1))
        await history.run(admin.set_phase(NOBODY, Phase.CONTINUOUS))
        await history.trade(90)
        await history.run(admin.set_limits(NOBODY, 3, max_order_lots=400 + day % 7, max_open_orders=300))
    copied = folder / "copied.sqlite"
    await copy(journal, SqliteTarget(copied))
    await journal.close()
    return copied.read_bytes()


HOUR_S = 3600


async def thin_day(history: History) -> None:
    """Instrument 0 trades 3 lots, 1 trades 2 in its closing auction, 2 has quotes that stand for hours: no VWAP of 5 lots."""
    day = {"time_in_force": TimeInForce.DAY}
    await history.run(admin.set_phase(NOBODY, Phase.CONTINUOUS), seconds=16 * HOUR_S)
    await history.run(
        history.order(0, Side.SELL, 2, 3, account=2, **day), history.order(0, Side.BUY, 2, 3, account=3, **day)
    )
    quotes = [history.order(2, side, away, 4, account=2, **day) for side, away in ((Side.BUY, -1), (Side.SELL, 4))]
    await history.run(*quotes)
    await history.run(admin.set_phase(NOBODY, Phase.CALL_AUCTION), seconds=6 * HOUR_S)
    await history.run(
        history.order(1, Side.SELL, 3, 2, account=2, **day), history.order(1, Side.BUY, 3, 2, account=3, **day)
    )
    await history.run(admin.set_phase(NOBODY, Phase.AUCTION_MATCHING))
    await history.run(admin.set_phase(NOBODY, Phase.CLOSED))


async def thin_days(folder: Path) -> bytes:
    """A journal of three trading days on which less is traded than the five lots of rule 4.10."""
    path = folder / "journal.sqlite"
    journal = await SqliteJournal.open(path)
    history = History(journal, seed=11)
    history.come_to(THIN_DAYS[0][0])
    missing = Seeding(Existing({}, {"venue": 1}, 1, frozenset()), {})
    missing.venue(load_instruments()[:INSTRUMENTS], 2024, GUARDS)
    await history.run(missing.submission(NOBODY))
    for account in ACCOUNTS:
        opened = admin.open_account(NOBODY, AccountText(name=f"member {account}"))
        goods = [admin.change_inventory(NOBODY, account, number, 5_000) for number in range(INSTRUMENTS)]
        await history.run(opened, admin.change_cash(NOBODY, account, CASH_FEN), *goods)
    for begins, day in THIN_DAYS:
        history.come_to(begins)
        await history.run(admin.set_phase(NOBODY, Phase.CLOSED), day_roll(NOBODY, day))
        await thin_day(history)
    await journal.close()
    return path.read_bytes()


def main() -> None:
    """Writes the journals named."""
    assert ENGINE_VERSION == 5, f"this REX has the engine version {ENGINE_VERSION}: make a folder of its own"
    for make in (thin_days, traded):
        if make.__name__ not in sys.argv[1:]:
            continue
        with TemporaryDirectory() as folder:
            data = asyncio.run(make(Path(folder)))
        path = Path(__file__).with_name(f"{make.__name__}.sqlite.xz")
        path.write_bytes(lzma.compress(data, preset=9))
        sys.stdout.write(f"{path}: {len(data)} bytes, {path.stat().st_size} compressed\n")


if __name__ == "__main__":
    main()
