"""Makes the journals of this folder with an engine of version 3. Run it with a checkout of commit 6dbe5ff in front:

    git worktree add ../rex-engine-3 6dbe5ff
    PYTHONPATH=../rex-engine-3 python tests/data/engine_3/make_journals.py tests/data/engine_3

Version 3 settled each day at its VWAP, however few lots it was of, or at the previous price. The journal id is drawn by chance,
all else is the same each time.
"""

from __future__ import annotations

import asyncio
import lzma
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from matching_engine import ENGINE_VERSION
from matching_engine.records import COMMAND, Phase, Side, TimeInForce
from services.commands import administrative as admin
from services.commands.attachments import AccountText
from services.data.instruments import load_instruments
from services.engine_versions.upgrades import starting_engine
from services.first_start import GUARDS, Missing, Present
from services.journal.sqlite import SqliteJournal
from services.upgrade import upgrade
from tests.data.engine_2.make_journals import ACCOUNTS, CASH_FEN, INSTRUMENTS, NOBODY, History

DAYS = (
    (datetime(2024, 1, 3, 9, tzinfo=UTC), 20240104),
    (datetime(2024, 1, 4, 9, tzinfo=UTC), 20240105),
    (datetime(2024, 1, 5, 9, tzinfo=UTC), 20240108),
)
"""When each trading day begins, 17:00 in Shanghai of the one before, and its date."""
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
    """A journal of three trading days on which less is traded than the five lots that version 4 asks for."""
    path = folder / "journal.sqlite"
    journal = await SqliteJournal.open(path)
    history = History(journal, seed=11)
    history.come_to(DAYS[0][0])
    missing = Missing(Present({}, {"venue": 1}, 1, frozenset()), {})
    missing.venue(load_instruments()[:INSTRUMENTS], 2024, GUARDS)
    await history.run(missing.submission(NOBODY))
    for account in ACCOUNTS:
        opened = admin.open_account(NOBODY, AccountText(name=f"member {account}"))
        goods = [admin.change_inventory(NOBODY, account, number, 5_000) for number in range(INSTRUMENTS)]
        await history.run(opened, admin.change_cash(NOBODY, account, CASH_FEN), *goods)
    for begins, day in DAYS:
        history.come_to(begins)
        await history.run(admin.set_phase(NOBODY, Phase.CLOSED), admin.day_roll(NOBODY, day))
        await thin_day(history)
    await journal.close()
    return path.read_bytes()


async def sealed(folder: Path) -> bytes:
    """`auction_halted` of engine version 2, taken over by version 3 with a sealed state, and a trading day of version 3."""
    path = folder / "journal.sqlite"
    older = Path(__file__).parents[1] / "engine_2" / "auction_halted.sqlite.xz"
    path.write_bytes(lzma.decompress(older.read_bytes()))
    await upgrade(folder)
    journal = await SqliteJournal.open(path)
    history = History(journal, seed=13)
    history.engine = await starting_engine(journal)
    async for batch in journal.read(history.engine.last_seq):
        history.time_ns, history.last_hash = batch.time_ns, batch.hash
        history.engine.process(np.frombuffer(batch.commands, COMMAND))
    history.come_to(DAYS[0][0])
    await history.run(admin.set_phase(NOBODY, Phase.CLOSED), admin.day_roll(NOBODY, DAYS[0][1]))
    await history.run(admin.set_phase(NOBODY, Phase.CONTINUOUS))
    await history.trade(60)
    await journal.close()
    return path.read_bytes()


def main() -> None:
    """Writes `thin_days.sqlite.xz` and `sealed.sqlite.xz` into the folder named."""
    assert ENGINE_VERSION == 3, "this is not engine version 3: see above how to run it"
    for make in (thin_days, sealed):
        with TemporaryDirectory() as folder:
            data = asyncio.run(make(Path(folder)))
        path = Path(sys.argv[1]) / f"{make.__name__}.sqlite.xz"
        path.write_bytes(lzma.compress(data, preset=9))
        sys.stdout.write(f"{path}: {len(data)} bytes, {path.stat().st_size} compressed\n")


if __name__ == "__main__":
    main()
