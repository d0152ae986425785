"""Journals of a real engine, in memory or wherever a test keeps them, and stores of snapshots that can be damaged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence

import numpy as np

from matching_engine import Engine
from matching_engine.records import COMMAND, Command, pack_commands
from services.journal import Journal
from services.journal.batch import NO_HASH, JournalBatch
from services.snapshots.errors import SnapshotFailed
from services.snapshots.record import Snapshot, header_of
from services.snapshots.store import KeptSnapshot
from tests.unit.journal.chains import JOURNAL_ID


def batches_of(
    commands: Sequence[Command], sizes: Sequence[int], *, journal_id: bytes = JOURNAL_ID
) -> list[JournalBatch]:
    """The commands, without texts, in batches of these sizes, in turn, with the events of a new engine."""
    engine, first = Engine(), 0
    batches: list[JournalBatch] = []
    while first < len(commands):
        part = [one._replace(attachment=0) for one in commands[first : first + sizes[len(batches) % len(sizes)]]]
        data = pack_commands(part)
        batches.append(
            JournalBatch(
                journal_id=journal_id,
                epoch=1,
                first_seq=first + 1,
                last_seq=first + len(part),
                inbox_position=0,
                previous_hash=batches[-1].hash if batches else NO_HASH,
                commands=data,
                events=engine.process(np.frombuffer(data, COMMAND)).tobytes(),
            )
        )
        first += len(part)
    return batches


class Batches:
    """A journal of these batches, for reading. A test may take batches away or put others in."""

    epoch = 1

    def __init__(self, batches: Sequence[JournalBatch], journal_id: bytes = JOURNAL_ID) -> None:
        self.batches = list(batches)
        self.journal_id = journal_id

    async def last_batch(self) -> JournalBatch | None:
        return self.batches[-1] if self.batches else None

    def append(self, batch: JournalBatch) -> Awaitable[None]:
        raise NotImplementedError

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        for batch in self.batches:
            if batch.last_seq > after_seq:
                yield batch

    async def close(self) -> None:
        return


class MemoryStore:
    """Snapshots in memory."""

    def __init__(self) -> None:
        self.data: dict[int, bytes] = {}
        self.full = False

    def name(self, seq: int) -> str:
        return f"the snapshot at {seq}"

    async def kept(self) -> list[KeptSnapshot]:
        return [KeptSnapshot(seq, len(data), header_of(data)) for seq, data in sorted(self.data.items(), reverse=True)]

    async def read(self, seq: int) -> bytes | None:
        return self.data.get(seq)

    async def write(self, snapshot: Snapshot) -> None:
        if self.full:
            raise SnapshotFailed("the store is full")
        self.data[snapshot.header.seq] = snapshot.data

    async def remove(self, seq: int) -> None:
        self.data.pop(seq, None)


async def state_hash_of(journal: Journal) -> str:
    """The state hash of an engine that has executed all of it."""
    engine = Engine()
    async for batch in journal.read(0):
        engine.process(np.frombuffer(batch.commands, COMMAND))
    return engine.state_hash()
