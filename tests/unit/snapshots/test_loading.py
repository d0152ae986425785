"""The newest good snapshot is used; each that is not good is passed over with a sentence, and the older one serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from matching_engine import Engine
from services.journal.errors import JournalCorrupt, JournalLost
from services.snapshots.errors import SnapshotFailed
from services.snapshots.loading import Passed, load
from services.snapshots.record import Snapshot
from services.snapshots.store import KeptSnapshot
from services.snapshots.taking import take
from tests.property.engine_flow import flow
from tests.unit.snapshots.journals import Batches, MemoryStore, batches_of, state_hash_of
from tests.unit.snapshots.test_record import resealed

pytestmark = pytest.mark.anyio

COMMANDS = flow(7, 900)
BATCHES = batches_of(COMMANDS, (40, 7, 1))
CUTS = (20, 40)
"""Batches after which a snapshot is taken."""


@pytest.fixture
async def store() -> MemoryStore:
    """Two snapshots: after 20 batches and after 40."""
    kept = MemoryStore()
    for cut in CUTS:
        await take(Batches(BATCHES[:cut]), kept)
    return kept


OLDER, NEWER = (BATCHES[cut - 1].last_seq for cut in CUTS)


async def loaded_seq(store: MemoryStore, journal: Batches | None = None) -> tuple[int, list[Passed]]:
    """From which snapshot the engine came (0: none), after its state was compared with a whole re-execution."""
    journal = journal or Batches(BATCHES)
    passed: list[Passed] = []
    loaded = await load(journal, store, on_passed=passed.append)
    if loaded is None:
        return 0, passed
    assert loaded.engine.state_hash() == await state_hash_of(journal)
    assert loaded.end == (journal.batches[-1].last_seq, journal.batches[-1].hash)
    return loaded.header.seq, passed


async def test_the_newest_serves(store: MemoryStore) -> None:
    assert sorted(store.data) == [OLDER, NEWER]
    assert await loaded_seq(store) == (NEWER, [])
    assert await loaded_seq(MemoryStore()) == (0, [])


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: bytes(len(data)),
        lambda data: data[:200] + bytes([data[200] ^ 4]) + data[201:],
        lambda data: data + b"\0",
    ],
)
async def test_a_damaged_one_is_passed_over(store: MemoryStore, damage: Callable[[bytes], bytes]) -> None:
    store.data[NEWER] = damage(store.data[NEWER])
    seq, (passed,) = await loaded_seq(store)
    assert (seq, passed.seq, passed.is_useless) == (OLDER, NEWER, True)
    assert passed.reason.startswith(f"the snapshot at {NEWER} is ")
    store.data[OLDER] = damage(store.data[OLDER])
    seq, both = await loaded_seq(store)
    assert (seq, [one.seq for one in both]) == (0, [NEWER, OLDER])


async def test_one_of_another_journal_is_passed_over_and_is_not_useless(store: MemoryStore) -> None:
    newer = Snapshot.decode(store.data[NEWER])
    store.data[NEWER] = resealed(newer, journal_id=b"another journal!")
    seq, (passed,) = await loaded_seq(store)
    assert (seq, passed.is_useless) == (OLDER, False)
    assert "is of journal 616e6f74686572206a6f75726e616c21" in passed.reason


async def test_one_of_another_version_is_passed_over(store: MemoryStore) -> None:
    newer = Snapshot.decode(store.data[NEWER])
    for other in (resealed(newer, engine_version=1), resealed(newer, snapshot_format=2)):
        store.data[NEWER] = other
        seq, (passed,) = await loaded_seq(store)
        assert (seq, passed.is_useless) == (OLDER, True)


async def test_one_with_a_state_that_makes_other_events_is_passed_over(store: MemoryStore) -> None:
    other = batches_of(flow(8, 900), (40, 7, 1))
    strange = MemoryStore()
    await take(Batches(other[:40]), strange)
    ((_, data),) = strange.data.items()
    newer = Snapshot.decode(store.data[NEWER])
    wrong = Snapshot.decode(data)
    store.data[NEWER] = resealed(wrong, seq=NEWER, row_hash=newer.header.row_hash)
    seq, (passed,) = await loaded_seq(store)
    assert (seq, passed.seq) == (OLDER, NEWER)


async def test_a_state_that_differs_in_cash_only_is_found_by_the_events_after_it(store: MemoryStore) -> None:
    kept = Snapshot.decode(store.data[NEWER]).engine().state()
    accounts = kept.accounts.copy()
    accounts["cash_fen"] = accounts["reserved_fen"]
    poorer = Engine.from_state(kept._replace(accounts=accounts))
    newer = Snapshot.decode(store.data[NEWER])
    store.data[NEWER] = Snapshot.of_engine(poorer, newer.header.journal_id, newer.header.end, 1).data
    seq, (passed,) = await loaded_seq(store)
    assert (seq, passed.seq) == (OLDER, NEWER)
    assert "cannot be followed: re-executed, seq " in passed.reason


async def test_a_store_that_fails_stops_no_start(store: MemoryStore) -> None:
    class Failing(MemoryStore):
        async def read(self, seq: int) -> bytes | None:
            if seq == NEWER:
                raise SnapshotFailed("the device has failed")
            return await super().read(seq)

    failing = Failing()
    failing.data = store.data
    seq, (passed,) = await loaded_seq(failing)
    assert (seq, passed.reason, passed.is_useless) == (OLDER, "the device has failed", False)

    class Away(MemoryStore):
        async def kept(self) -> list[KeptSnapshot]:
            raise SnapshotFailed("the server is away")

    assert await loaded_seq(Away()) == (0, [])


async def test_a_snapshot_ahead_of_the_journal_is_a_witness_of_lost_commands(store: MemoryStore) -> None:
    with pytest.raises(JournalLost, match=f"knows commands up to seq {NEWER}"):
        await load(Batches(BATCHES[:30]), store)
    with pytest.raises(JournalLost, match="there is no command in the journal"):
        await load(Batches([]), store)


async def test_a_journal_with_another_row_there_is_not_started(store: MemoryStore) -> None:
    rewritten = batches_of(COMMANDS, (41, 7, 1))
    with pytest.raises(JournalCorrupt, match=f"the snapshot at {NEWER} knows a row that ends at seq {NEWER}"):
        await load(Batches(rewritten), store)


async def test_a_damaged_tail_is_the_journals_own_error(store: MemoryStore) -> None:
    forged = replace(BATCHES[45], previous_hash=bytes(32))
    with pytest.raises(JournalCorrupt, match="does not continue the row"):
        await load(Batches([*BATCHES[:45], forged]), store)
