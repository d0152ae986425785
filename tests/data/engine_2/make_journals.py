"""Makes the journals of this folder with an engine of version 2. Run it with a checkout of commit 09c7c14^ in front:

    git worktree add ../rex-engine-2 09c7c14^
    PYTHONPATH=../rex-engine-2 python tests/data/engine_2/make_journals.py tests/data/engine_2

09c7c14 changed rule 4.6; the version was raised only seven commits later, so that commit's parent is the last one in which
version 2 is what its number says. The journal id is drawn by chance, all else is the same each time.
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
from services.first_start import GUARDS, Missing, Present
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from services.sequencer.sequencer import assemble

DAYS = (
    (datetime(2023, 12, 28, 9, tzinfo=UTC), 20231229),
    (datetime(2023, 12, 29, 9, tzinfo=UTC), 20240102),
    (datetime(2024, 1, 2, 9, tzinfo=UTC), 20240103),
)
"""When each trading day begins, 17:00 in Shanghai of the one before, and its date."""

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


async def write(folder: Path, halts: bool) -> bytes:
    """A journal of three trading days in two years; with `halts` two auctions are halted and go on, where rule 4.6 differs."""
    path = folder / "journal.sqlite"
    journal = await SqliteJournal.open(path)
    history = History(journal, seed=7)
    history.come_to(DAYS[0][0])
    missing = Missing(Present({}, {"venue": 1}, 1, frozenset()), {})
    missing.venue(load_instruments()[:INSTRUMENTS], 2023, GUARDS)
    await history.run(missing.submission(NOBODY))
    for account in ACCOUNTS:
        opened = admin.open_account(NOBODY, AccountText(name=f"member {account}"), owner=9 if account == 4 else 0)
        goods = [admin.change_inventory(NOBODY, account, number, 5_000) for number in range(INSTRUMENTS)]
        await history.run(opened, admin.change_cash(NOBODY, account, CASH_FEN), *goods)
    key = KeyIssued(key_hash="5e" * 32, account=2, name="desk", scopes=("read", "trade"))
    await history.run(admin.record(NOBODY, key), admin.record(NOBODY, KeyRevoked(key_id=1)))
    for begins, day in DAYS:
        history.come_to(begins)
        await history.run(admin.set_phase(NOBODY, Phase.CLOSED), admin.day_roll(NOBODY, day))
        await history.collect()
        if halts and day > 20240000:
            await history.run(admin.halt(NOBODY, 1))
            await history.run(admin.resume(NOBODY, 1))
        await history.run(admin.set_phase(NOBODY, Phase.CONTINUOUS))
        await history.trade(90)
        await history.run(admin.set_limits(NOBODY, 3, max_order_lots=400 + day % 7, max_open_orders=300))
    await journal.close()
    return path.read_bytes()


def main() -> None:
    """Writes `unchanged.sqlite.xz` and `auction_halted.sqlite.xz` into the folder named."""
    assert ENGINE_VERSION == 2, "this is not engine version 2: see above how to run it"
    for name, halts in (("unchanged", False), ("auction_halted", True)):
        with TemporaryDirectory() as folder:
            data = asyncio.run(write(Path(folder), halts))
        path = Path(sys.argv[1]) / f"{name}.sqlite.xz"
        path.write_bytes(lzma.compress(data, preset=9))
        sys.stdout.write(f"{path}: {len(data)} bytes, {path.stat().st_size} compressed\n")


if __name__ == "__main__":
    main()
