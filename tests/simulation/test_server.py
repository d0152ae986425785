"""The simulated PostgreSQL answers the product's statements as the real one does."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import asyncpg
import pytest

from services.journal.batch import NO_HASH, JournalBatch
from services.journal.postgres import statements, tables
from services.journal.postgres.connections import Database
from tests.simulation.postgres import Answer, PostgresServer
from tests.simulation.process import Process
from tests.simulation.promises import Promises
from tests.simulation.world import World
from tests.unit.journal.chains import JOURNAL_ID, next_batch

Call = tuple[str, tuple[Any, ...]]

BACKEND = 7
"""The place of `backend` in the writer row: a process id, which differs."""


class Client:
    """Draws statements that are right, stale or foreign, by what it knows of the chain."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._batches: list[JournalBatch] = []
        self._epoch = self._beat = 0

    def call(self) -> Call:
        draw = self._chance
        kinds = (
            self._append,
            self._append,
            self._append,
            self._claim,
            self._beats,
            self._reads,
            self._reads,
            self._reads,
        )
        return draw.choice(kinds)()

    def took(self, call: Call, found: list[Any], batch: JournalBatch | None) -> None:
        """What the real server answered."""
        sql, _ = call
        if found and batch is not None:
            self._batches.append(batch)
        if found and sql == statements.CLAIM:
            self._epoch += 1
        if found and sql in (statements.APPEND, statements.BEAT, statements.HAND_OVER):
            self._beat += 1

    def _append(self) -> Call:
        place = self._chance.choice((len(self._batches), len(self._batches), max(len(self._batches) - 1, 0)))
        epoch = self._chance.choice((self._epoch, self._epoch, max(self._epoch - 1, 0)))
        before = self._batches[place - 1] if place else None
        batch = next_batch(before, self._chance.randint(1, 3), epoch=epoch)
        self.appended = batch
        return statements.APPEND, (
            batch.first_seq, batch.last_seq, epoch, batch.encode(), batch.hash, batch.previous_hash,
        )  # fmt: skip

    def _claim(self) -> Call:
        last_seq = self._batches[-1].last_seq if self._batches else 0
        wrong = self._chance.choice((0, 0, 1))
        return statements.CLAIM, (self._epoch, last_seq + wrong, self._beat, f"ws://{self._chance.randint(1, 3)}")

    def _beats(self) -> Call:
        epoch = self._chance.choice((self._epoch, self._epoch + 1))
        return self._chance.choice((statements.BEAT, statements.BARRIER, statements.HAND_OVER)), (epoch,)

    def _reads(self) -> Call:
        last_seq = self._batches[-1].last_seq if self._batches else 0
        seq = self._chance.randint(0, last_seq + 2)
        reads: list[Call] = [
            (statements.ROW, ()),
            (statements.LAST, ()),
            (statements.BEFORE, (seq,)),
            (statements.AFTER, (seq, self._chance.choice((600, 2_000, 10**6)))),
            (statements.FORMAT, ()),
            (statements.DURABILITY, ()),
        ]
        return self._chance.choice(reads)


async def asked(url: str, client: Client, count: int) -> list[tuple[Call, list[tuple[Any, ...]]]]:
    """The statements of the client, and the answers of the real server."""
    connection = await Database(url).connect()
    try:
        await tables.make_tables(connection)
        await tables.initialise(connection, JOURNAL_ID)
        answers = []
        for _ in range(count):
            call = client.call()
            found: list[asyncpg.Record] = await connection.fetch(call[0], *call[1])
            client.took(call, found, client.appended if call[0] == statements.APPEND else None)
            answers.append((call, [tuple(record.values()) for record in found]))
        return answers
    finally:
        await connection.close()


def simulated(calls: list[Call]) -> list[list[tuple[Any, ...]]]:
    """The answers of the simulated server, one statement after the other."""
    world = World(1)
    server = PostgresServer(world, Promises(world), JOURNAL_ID)
    peer = server.connected(Process("client"))
    answers: list[list[tuple[Any, ...]]] = []

    async def ask(call: Call) -> list[Answer]:
        answered: asyncio.Future[list[Answer]] = world.loop.create_future()
        server.receive(peer, *call, lambda records, _warning, error: answered.set_result(records))
        return await answered

    try:
        for call in calls:
            answers.append([tuple(record) for record in world.loop.run_until_complete(ask(call))])
        assert not world.failure
    finally:
        world.loop.close()
    return answers


def comparable(records: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [record[:BACKEND] if len(record) > BACKEND else record for record in records]


def test_every_statement_is_answered_as_by_the_real_server(postgres_url: str) -> None:
    answers = asyncio.run(asked(postgres_url, Client(5), 400))
    calls = [call for call, _ in answers]
    for (call, expected), found in zip(answers, simulated(calls), strict=True):
        name = next(name for name, text in vars(statements).items() if text == call[0])
        where = f"{name} {[value for value in call[1] if not isinstance(value, bytes)]}"
        assert comparable(found) == comparable(expected), where
    kinds = {call[0] for call, records in answers if records}
    assert {statements.APPEND, statements.CLAIM, statements.BEAT, statements.AFTER} <= kinds
    assert {statements.APPEND, statements.CLAIM, statements.BEAT} <= {
        call[0] for call, records in answers if not records
    }


@pytest.mark.parametrize("fails_over", [True, False])
def test_a_commit_that_the_standby_lacks_is_visible_after_its_session_ended_and_gone_after_a_failover(
    fails_over: bool,
) -> None:
    world = World(1)
    server = PostgresServer(world, Promises(world), JOURNAL_ID)
    peer = server.connected(Process("client"))
    batch = next_batch(None, epoch=0)
    server.standby_up = False
    values = batch.first_seq, batch.last_seq, 0, batch.encode(), batch.hash, NO_HASH
    errors: list[Exception | None] = []
    server.receive(peer, statements.APPEND, values, lambda _records, _warning, error: errors.append(error))

    async def end() -> None:
        await asyncio.sleep(0.1)
        assert server.chain() == []
        server.terminate(peer)
        await asyncio.sleep(0.1)

    try:
        world.loop.run_until_complete(end())
        assert isinstance(errors[0], asyncpg.AdminShutdownError)
        assert server.chain() == [batch]
        assert not server.keeps(batch)
        server.crash()
        if fails_over:
            server.promote()
        else:
            server.start()
        assert server.chain() == ([] if fails_over else [batch])
    finally:
        world.loop.close()
