"""The link on a real PostgreSQL: a leader that another one deposes while it still runs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from matching_engine import Engine
from services.journal import JournalBusy
from services.journal.postgres.journal import PostgresJournal
from services.messaging.in_process import InProcessFeed
from services.messaging.link.server import inbox_of_links, serve_links
from services.sequencer.recovery import recover
from services.sequencer.sequencer import Sequencer, SequencerStopped
from tests.integration.linked_venue import SECRET, Gateway, anything, until
from tests.integration.postgres_journal import lead
from tests.unit.sequencer.venue import Clock, Never

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@contextlib.asynccontextmanager
async def leading(url: str) -> AsyncIterator[tuple[Sequencer, asyncio.Task[None]]]:
    """A sequencer with links that has claimed the journal; its task ends when it is deposed."""
    listener = socket.create_server(("127.0.0.1", 0))
    journal = await lead(url, f"ws://127.0.0.1:{listener.getsockname()[1]}")
    engine, inbox, feed = Engine(), inbox_of_links(), InProcessFeed()
    await recover(engine, journal)
    sequencer = Sequencer(engine, journal, inbox, feed, clock=Clock(), schedule=Never())
    async with serve_links(
        listener,
        SECRET,
        inbox=inbox,
        feed=feed,
        journal_id=journal.journal_id,
        epoch=journal.epoch,
        last_seq=lambda: sequencer.last_seq,
        check=anything,
    ):
        running = asyncio.create_task(sequencer.run())
        try:
            yield sequencer, running
        finally:
            running.cancel()
            await asyncio.wait([running])
            await journal.close()


@contextlib.asynccontextmanager
async def gateway_of(url: str, number: int) -> AsyncIterator[Gateway]:
    journal = await PostgresJournal.open(url)
    gateway = Gateway(journal, number, SECRET, 16_384)
    try:
        await until(lambda: gateway.link.connected)
        yield gateway
    finally:
        await gateway.close()
        await journal.close()


async def test_a_deposed_leader_executes_nothing_and_its_successor_everything_once(postgres_url: str) -> None:
    async with (
        leading(postgres_url) as (_, old),
        gateway_of(postgres_url, 1) as one,
        gateway_of(postgres_url, 2) as two,
    ):
        await one.put(20)
        await two.put(20)
        await until(lambda: len(one.executed) == len(two.executed) == 20)
        async with leading(postgres_url) as (successor, _):
            for _ in range(50):
                await one.put(1)
                await two.put(1)
                await asyncio.sleep(0)
            with pytest.raises(SequencerStopped) as stopped:
                await old
            assert isinstance(stopped.value.cause, JournalBusy)
            await until(lambda: len(one.executed) == len(two.executed) == 70)
            assert one.executed == two.executed == [*range(1, 71)]
            await until(lambda: one.link.depth == two.link.depth == 0)
            await until(lambda: successor.last_seq == 140)
            journal = await PostgresJournal.open(postgres_url)
            commands = [command async for batch in journal.read(0) for command in batch.command_list]
            await journal.close()
            assert sorted((command.gateway_id, command.request_id) for command in commands) == [
                (number, request_id) for number in (1, 2) for request_id in range(1, 71)
            ]
