"""A run of an engine cut anywhere: a snapshot and the tail after it give what the whole run gives."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from services.snapshots.loading import Loaded, load
from services.snapshots.record import Snapshot
from services.snapshots.taking import take
from tests.property.engine_flow import flow
from tests.unit.snapshots.journals import Batches, MemoryStore, batches_of, state_hash_of

LENGTH = 400


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 60), min_size=1, max_size=4), st.data())
def test_a_snapshot_and_its_tail_are_the_whole_run(seed: int, sizes: list[int], data: st.DataObject) -> None:
    """Following compares every event of the tail; the state hash is compared here, at the end and at each further snapshot."""
    batches = batches_of(flow(seed, LENGTH), sizes)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(batches)), min_size=1, max_size=4)))

    async def run() -> tuple[Loaded | None, str]:
        store = MemoryStore()
        for cut in cuts:
            taken = await take(Batches(batches[:cut]), store)
            assert taken.passed == ()
            assert taken.header is not None
            assert taken.header.state_hash.hex() == await state_hash_of(Batches(batches[:cut]))
            again = Snapshot.of_engine(
                Snapshot.decode(store.data[taken.header.seq]).engine(),
                taken.header.journal_id,
                taken.header.end,
                taken.header.taken_ns,
            )
            assert again.data == store.data[taken.header.seq]
        assert len(store.data) == min(len(cuts), 2)
        return await load(Batches(batches), store), await state_hash_of(Batches(batches))

    loaded, whole = asyncio.run(run())
    assert loaded is not None
    assert (loaded.header.seq, loaded.end.last_seq) == (batches[cuts[-1] - 1].last_seq, batches[-1].last_seq)
    assert loaded.engine.state_hash() == whole
