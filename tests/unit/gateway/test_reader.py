from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.gateway.order_entry.order_entry import Outcome
from services.gateway.reader import GatewayReader
from services.journal.batch import JournalBatch
from services.journal.sqlite import SqliteJournal
from services.market_data import Market, MarketChanges
from services.messaging.in_process import InProcessFeed
from tests.unit.gateway.order_entry.test_order_entry import BUY, DESK, Gateway

pytestmark = pytest.mark.anyio


async def test_state_and_market_first_then_pushes_then_replies(tmp_path: Path) -> None:
    gateway, market = Gateway(), Market()
    market.apply(gateway.opening)
    heard: list[tuple[str, int, int, int]] = []

    def stands(what: str) -> None:
        heard.append((what, gateway.state.last_seq, market.seq, gateway.entry.waiting))

    def fan_out(batch: JournalBatch, changes: MarketChanges) -> None:
        stands("push")

    def reply(outcome: Outcome) -> None:
        stands("reply")

    journal = await SqliteJournal.open(tmp_path / "journal.db")
    try:
        reader = GatewayReader(
            journal, InProcessFeed(), state=gateway.state, market=market, order_entry=gateway.entry, fan_out=fan_out
        )
        await gateway.entry.submit_order(DESK, BUY, reply)
        batch = gateway.venue.batch(await gateway.inbox.take(1, 1_000))
        reader.take(batch)
    finally:
        await journal.close()
    assert heard == [("push", batch.last_seq, batch.last_seq, 1), ("reply", batch.last_seq, batch.last_seq, 0)]


async def test_when_the_reader_ends_whoever_still_waits_is_told(tmp_path: Path) -> None:
    gateway, outcomes = Gateway(), list[Outcome]()
    journal = await SqliteJournal.open(tmp_path / "journal.db")
    reader = GatewayReader(
        journal,
        InProcessFeed(),
        state=gateway.state,
        market=Market(),
        order_entry=gateway.entry,
        fan_out=lambda batch, changes: None,
    )
    running = asyncio.create_task(reader.run())
    await gateway.entry.submit_order(DESK, BUY, outcomes.append)
    await asyncio.sleep(0)
    running.cancel()  # as a task group does when another part of the venue has failed
    with pytest.raises(asyncio.CancelledError):
        await running
    await journal.close()
    assert [outcome.problem.code for outcome in outcomes if outcome.problem] == ["outcome_unknown"]
    assert gateway.entry.waiting == 0
