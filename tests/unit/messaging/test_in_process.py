"""Inbox and feed of embedded mode: order, bounds, and the behaviour at the bounds."""

from __future__ import annotations

import asyncio

import pytest

from matching_engine.records import Command, CommandKind, pack_commands
from services.messaging import Gap, InboxFull, Submission
from services.messaging.in_process import InProcessFeed, InProcessInbox
from tests.unit.journal.chains import chain

pytestmark = pytest.mark.anyio

NO_BOUND = 2**40


def submission(count: int, request_id: int = 0, attachments: tuple[bytes, ...] = ()) -> Submission:
    return Submission(pack_commands([Command(kind=CommandKind.RECORD, request_id=request_id)] * count), attachments)


async def test_take_gives_what_waits_oldest_first() -> None:
    inbox = InProcessInbox()
    submissions = [submission(1, n) for n in range(3)]
    for one in submissions:
        await inbox.put(one)
    assert await inbox.take(10, NO_BOUND) == submissions


async def test_take_waits_for_the_first() -> None:
    inbox = InProcessInbox()
    taking = asyncio.create_task(inbox.take(10, NO_BOUND))
    await asyncio.sleep(0)
    assert not taking.done()
    await inbox.put(submission(1))
    assert await taking == [submission(1)]


@pytest.mark.parametrize(
    ("max_commands", "max_bytes", "taken"),
    [(6, NO_BOUND, [1, 2, 3]), (5, NO_BOUND, [1, 2]), (1, NO_BOUND, [1]), (6, 160 * 3, [1, 2]), (0, 0, [1])],
)
async def test_take_keeps_to_both_bounds_but_always_takes_one(
    max_commands: int, max_bytes: int, taken: list[int]
) -> None:
    inbox = InProcessInbox()
    for count in (1, 2, 3):
        await inbox.put(submission(count))
    got = await inbox.take(max_commands, max_bytes)
    assert [len(one.commands) // 160 for one in got] == taken


async def test_attachments_count_as_bytes() -> None:
    inbox = InProcessInbox()
    first, second = submission(1, 1, (bytes(1_000),)), submission(1, 2)
    await inbox.put(first)
    await inbox.put(second)
    assert await inbox.take(10, 1_200) == [first]
    assert await inbox.take(10, 1_200) == [second]


async def test_a_full_inbox_takes_nothing_in_until_there_is_room() -> None:
    inbox = InProcessInbox(max_commands=3)
    await inbox.put(submission(2))
    with pytest.raises(InboxFull, match="2 commands are waiting; the limit is 3"):
        await inbox.put(submission(2))
    await inbox.put(submission(1))
    assert inbox.depth == 3
    assert len(await inbox.take(10, NO_BOUND)) == 2
    assert inbox.depth == 0
    await inbox.put(submission(3))
    assert len(await inbox.take(10, NO_BOUND)) == 1


@pytest.mark.parametrize("wrong", [Submission(b""), Submission(bytes(159)), Submission(bytes(160), (b"a", b"b"))])
async def test_what_is_no_submission_is_refused(wrong: Submission) -> None:
    inbox = InProcessInbox()
    with pytest.raises(ValueError, match="commands"):
        await inbox.put(wrong)
    await inbox.put(submission(1))
    assert await inbox.take(10, NO_BOUND) == [submission(1)]


async def test_a_canceled_take_takes_nothing() -> None:
    inbox = InProcessInbox()
    taking = asyncio.create_task(inbox.take(10, NO_BOUND))
    await asyncio.sleep(0)
    await inbox.put(submission(1))
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert await inbox.take(10, NO_BOUND) == [submission(1)]


async def test_every_subscription_gets_every_batch_published_after_it() -> None:
    feed = InProcessFeed()
    batches = chain([1, 1, 1])
    early = feed.subscribe()
    await feed.publish(batches[0])
    late = feed.subscribe()
    await feed.publish(batches[1])
    await feed.publish(batches[2])
    assert [await early.next_batch() for _ in range(3)] == batches
    assert [await late.next_batch() for _ in range(2)] == batches[1:]


async def test_next_batch_waits() -> None:
    feed = InProcessFeed()
    subscription = feed.subscribe()
    waiting = asyncio.create_task(subscription.next_batch())
    await asyncio.sleep(0)
    assert not waiting.done()
    (batch,) = chain([1])
    await feed.publish(batch)
    assert await waiting == batch


async def test_a_slow_reader_is_told_once_and_goes_on_with_what_came_later() -> None:
    feed = InProcessFeed(max_batches=2)
    batches = chain([1] * 5)
    slow, fast = feed.subscribe(), feed.subscribe()
    for batch in batches[:3]:
        await feed.publish(batch)
        assert await fast.next_batch() == batch
    with pytest.raises(Gap):
        await slow.next_batch()
    assert await slow.next_batch() == batches[2]
    await feed.publish(batches[3])
    assert await slow.next_batch() == batches[3]


async def test_a_closed_subscription_collects_no_more() -> None:
    feed = InProcessFeed(max_batches=1)
    closed, other = feed.subscribe(), feed.subscribe()
    closed.close()
    closed.close()
    first, second = chain([1, 1])
    await feed.publish(first)
    assert await other.next_batch() == first
    other.close()
    await feed.publish(second)
    waiting = [asyncio.create_task(one.next_batch()) for one in (closed, other)]
    await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [False, False]
    for task in waiting:
        task.cancel()
