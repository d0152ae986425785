"""Who waits for the read database."""

from __future__ import annotations

import asyncio

import pytest

from services.read_model.seq_waiters import ProjectorStopped, SeqWaiters


async def _begun(waiters: SeqWaiters, *seqs: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(waiters.reached(seq)) for seq in seqs]
    await asyncio.sleep(0)
    return tasks


@pytest.mark.anyio
async def test_everyone_waits_for_their_own_seq() -> None:
    wanted = list[int]()
    waiters = SeqWaiters(wanted.append)
    early, late = await _begun(waiters, 5, 7)
    assert wanted == [5, 7]
    waiters.has_reached(6)
    await early
    assert (waiters.seq, waiters.waiting, late.done()) == (6, 1, False)
    waiters.has_reached(7)
    await late
    await waiters.reached(7)
    assert (wanted, waiters.waiting) == ([5, 7], 0)


@pytest.mark.anyio
async def test_who_gave_up_waiting_is_forgotten() -> None:
    waiters = SeqWaiters(lambda _seq: None)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await waiters.reached(10**6)
    waiters.has_reached(1)
    assert waiters.waiting == 0


@pytest.mark.anyio
async def test_a_stopped_projector_is_told_to_who_waits_and_to_who_comes_later() -> None:
    waiters = SeqWaiters(lambda _seq: None)
    waiters.has_reached(3)
    (waiting,) = await _begun(waiters, 4)
    full = OSError("the disk is full")
    waiters.stop(full)
    for asked in (waiting, waiters.reached(4)):
        with pytest.raises(ProjectorStopped, match="stands at seq 3") as stopped:
            await asked
        assert stopped.value.__cause__ is full
    await waiters.reached(3)
