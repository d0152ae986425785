from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from matching_engine.records import Event
from services.gateway.problems import ProblemError
from services.gateway.reader import GatewayReader
from services.journal.sqlite import SqliteJournal
from services.market_data import Market, MarketChanges
from services.messaging.in_process import InProcessFeed
from tests.unit.gateway.order_entry.test_order_entry import BUY, DESK, Gateway

pytestmark = pytest.mark.anyio


class Recorder:
    """Waits for a reply as a request does."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.note = note

    def on_event(self, event: Event) -> None:
        self.note("reply")

    def on_problem(self, problem: ProblemError) -> None:
        self.note(problem.code)


async def test_state_and_market_first_then_pushes_then_replies(tmp_path: Path) -> None:
    gateway, market = Gateway(), Market()
    market.apply(gateway.opening)
    seen: list[tuple[str, int, int, int]] = []
    pending = gateway.entry.pending

    def note(what: str) -> None:
        seen.append((what, gateway.state.last_seq, market.seq, pending.waiting))

    def fan_out(_: MarketChanges) -> None:
        note("push")

    journal = await SqliteJournal.open(tmp_path / "journal.db")
    try:
        reader = GatewayReader(
            journal, InProcessFeed(), state=gateway.state, market=market, pending=pending, fan_out=fan_out
        )
        await pending.submit(DESK, [gateway.entry.order_command(DESK, BUY)], [Recorder(note)])
        batch = gateway.venue.batch(await gateway.inbox.take(1, 1_000))
        reader.take(batch)
    finally:
        await journal.close()
    assert seen == [("push", batch.last_seq, batch.last_seq, 1), ("reply", batch.last_seq, batch.last_seq, 0)]


async def test_when_the_reader_ends_whoever_still_waits_is_told(tmp_path: Path) -> None:
    gateway, seen = Gateway(), list[str]()
    journal = await SqliteJournal.open(tmp_path / "journal.db")
    pending = gateway.entry.pending
    reader = GatewayReader(
        journal,
        InProcessFeed(),
        state=gateway.state,
        market=Market(),
        pending=pending,
        fan_out=lambda changes: None,
    )
    running = asyncio.create_task(reader.run())
    await pending.submit(DESK, [gateway.entry.order_command(DESK, BUY)], [Recorder(seen.append)])
    placing = await gateway.ask(gateway.entry.place(DESK, BUY))
    running.cancel()  # as a task group does when another part of the venue has failed
    with pytest.raises(asyncio.CancelledError):
        await running
    await journal.close()
    with pytest.raises(ProblemError) as caught:
        await placing
    assert (seen, caught.value.code, pending.waiting) == (["outcome_unknown"], "outcome_unknown", 0)
