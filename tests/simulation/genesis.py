"""The journal that every simulated venue begins with: what `rex init` makes, in small."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from matching_engine import Engine
from matching_engine.records import EventKind
from services.commands import administrative as admin
from services.commands.attachments import KeyIssued
from services.data.calendar import TradingCalendar
from services.journal.batch import NO_HASH, JournalBatch
from services.sequencer.schedule import trading_date_at
from services.sequencer.sequencer import assemble
from tests.unit.read_model.history import ACCOUNTS, SENDER, opening

JOURNAL_ID = bytes(range(16))
SHANGHAI_15_00_NS = 1_767_596_400_000_000_000
"""Monday 2026-01-05, 15:00 in Shanghai."""
BEFORE_THE_ROLL_NS = SHANGHAI_15_00_NS + (2 * 3_600 - 6) * 10**9
"""Six seconds before the trading day ends."""


class Genesis(NamedTuple):
    """The first row, and the ids of the keys in it."""

    batch: JournalBatch
    traders: dict[int, int]
    """Account to key."""
    operator: int


@cache
def calendar() -> TradingCalendar:
    """The exchange's own."""
    return TradingCalendar.load(None)


@cache
def genesis(now_ns: int) -> Genesis:
    """The first row of a venue that was made a minute before now_ns."""
    date = trading_date_at(calendar(), now_ns)
    holders = [*ACCOUNTS, 0]
    keys = [
        admin.record(
            SENDER,
            KeyIssued(
                key_hash=f"{account:064x}",
                account=account,
                name=f"key {account}",
                scopes=("read", "trade") if account else ("operate", "admin"),
            ),
        )
        for account in holders
    ]
    submissions = [*opening(int(f"{date:%Y%m%d}")), *keys]
    commands, attachments = assemble((), submissions, 1, now_ns - 60 * 10**9)
    events = Engine().process(commands)
    assert not (events["kind"] == EventKind.REJECTED).any()
    batch = JournalBatch(
        JOURNAL_ID, 0, 1, len(commands), 0, NO_HASH, commands.tobytes(), events.tobytes(), tuple(attachments)
    )
    seqs = range(len(commands) - len(holders) + 1, len(commands) + 1)
    key_of = dict(zip(holders, seqs, strict=True))
    return Genesis(batch, {account: key_of[account] for account in ACCOUNTS}, key_of[0])
