"""Both stores of snapshots, files and PostgreSQL, keep the same promises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from matching_engine import Engine
from services.journal.chain import ChainEnd
from services.journal.postgres.tables import create
from services.snapshots.errors import SnapshotFailed
from services.snapshots.folder import FolderStore
from services.snapshots.loading import load
from services.snapshots.postgres import PART_BYTES, PostgresStore
from services.snapshots.record import Snapshot
from services.snapshots.store import SnapshotStore
from services.snapshots.taking import Taken, take
from tests.patience import PATIENCE_S
from tests.property.engine_flow import flow
from tests.unit.journal.chains import JOURNAL_ID
from tests.unit.snapshots.journals import Batches, batches_of, state_hash_of

pytestmark = pytest.mark.anyio

BATCHES = batches_of(flow(11, 600), (25, 4))


@pytest.fixture(params=["folder", "postgres"])
async def make_store(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str) -> Callable[[], SnapshotStore]:
    """Opens the store as another process would."""
    if request.param == "folder":
        return lambda: FolderStore.of(tmp_path)
    url = request.getfixturevalue("postgres_url")
    await create(url)
    return lambda: PostgresStore(url)


def large(seq: int, parts: float) -> Snapshot:
    """A snapshot of so many parts, of bytes that need not be loaded."""
    header = Snapshot.of_engine(Engine(), JOURNAL_ID, ChainEnd(seq, bytes(32)), seq)
    return Snapshot(
        header.header, (header.data * int(parts * PART_BYTES / len(header.data) + 1))[: int(parts * PART_BYTES)]
    )


async def test_what_is_written_is_read_by_another_process_and_removed(make_store: Callable[[], SnapshotStore]) -> None:
    assert await make_store().kept() == []
    assert await make_store().read(5) is None
    for snapshot in (large(5, 3), large(40, 2.5), large(7, 0.01)):
        await make_store().write(snapshot)
    found = await make_store().kept()
    assert [(one.seq, one.size_bytes) for one in found] == [
        (40, int(2.5 * PART_BYTES)),
        (7, int(0.01 * PART_BYTES)),
        (5, 3 * PART_BYTES),
    ]
    assert found[0].header == large(40, 2.5).header
    assert await make_store().read(40) == large(40, 2.5).data
    await make_store().write(large(40, 1.25))
    assert await make_store().read(40) == large(40, 1.25).data
    await make_store().remove(7)
    await make_store().remove(7)
    assert [one.seq for one in await make_store().kept()] == [40, 5]


async def test_a_journal_is_followed_from_snapshot_to_snapshot(make_store: Callable[[], SnapshotStore]) -> None:
    for cut in (10, 20, 30):
        await take(Batches(BATCHES[:cut]), make_store())
    assert [one.seq for one in await make_store().kept()] == [BATCHES[29].last_seq, BATCHES[19].last_seq]
    loaded = await load(Batches(BATCHES), make_store())
    assert loaded is not None
    assert loaded.header.seq == BATCHES[29].last_seq
    assert loaded.engine.state_hash() == await state_hash_of(Batches(BATCHES))


async def test_two_takers_at_one_seq_both_succeed(make_store: Callable[[], SnapshotStore]) -> None:
    """`rex snapshot` beside the venue's own, or two standbys: their snapshots differ in the time only."""
    both = asyncio.Barrier(2)

    async def taken_at(now_ns: int) -> Taken:
        store = make_store()
        write = store.write

        async def write_and_wait(snapshot: Snapshot) -> None:
            await both.wait()  # Who finds the other one's snapshot writes none.
            await write(snapshot)
            await both.wait()

        store.write = write_and_wait  # type: ignore[method-assign]
        return await take(Batches(BATCHES), store, clock=lambda: now_ns)

    async with asyncio.timeout(PATIENCE_S):
        found = await asyncio.gather(taken_at(1), taken_at(2))
    (kept,) = await make_store().kept()
    assert [taken.header for taken in found] == [kept.header] * 2


async def test_writers_of_one_seq_wait_for_each_other(make_store: Callable[[], SnapshotStore]) -> None:
    snapshots = [large(5, 1 + share / 8) for share in range(4)]
    await asyncio.gather(*(make_store().write(snapshot) for snapshot in snapshots))
    assert await make_store().read(5) in [snapshot.data for snapshot in snapshots]


async def test_missing_and_changed_parts_are_damage(postgres_url: str) -> None:
    await create(postgres_url)
    store = PostgresStore(postgres_url)
    for cut in (10, 20):
        await take(Batches(BATCHES[:cut]), store)
    newer, older = [one.seq for one in await store.kept()]
    connection = await asyncpg.connect(postgres_url)
    try:
        for damage in (
            "UPDATE snapshots SET data = set_byte(data, octet_length(data) / 2, 1 # get_byte(data, octet_length(data) / 2))",
            "UPDATE snapshots SET part = 1",
            "UPDATE snapshots SET data = ''",
        ):
            await connection.execute(f"{damage} WHERE seq = {newer}")
            assert [one.seq for one in await store.kept()] == [newer, older]
            loaded = await load(Batches(BATCHES), store)
            assert loaded is not None
            assert loaded.header.seq == older
    finally:
        await connection.close()


async def test_a_server_without_the_table_and_one_that_is_away_are_named(postgres_url: str) -> None:
    with pytest.raises(SnapshotFailed, match="has no table of snapshots: run `rex migrate`"):
        await PostgresStore(postgres_url).kept()
    away = PostgresStore("postgresql://rex@127.0.0.1:1/rex")
    with pytest.raises(SnapshotFailed, match="cannot be reached"):
        await away.kept()
    assert await load(Batches(BATCHES), away) is None
