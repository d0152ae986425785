"""One client's queue: strict in one lane, conflated in the other, bounded in both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from services.gateway.websocket.client_queue import CLOSE_TOO_SLOW, ClientQueue, Closing, Stream

A, B = Stream("depth", 0), Stream("depth", 1)


def queue(strict: int = 3, market: int = 3) -> ClientQueue:
    return ClientQueue(
        lambda stream: f"snapshot of {stream.instrument}", strict_messages=strict, market_messages=market
    )


def drain(waiting: ClientQueue) -> list[str]:
    return list(iter(waiting.next_text, None))


def test_replies_go_before_market_data_and_each_lane_keeps_its_order() -> None:
    waiting = queue()
    waiting.put_market(A, "a1")
    waiting.put("r1")
    waiting.put_market(B, "b1")
    waiting.put("r2")
    assert drain(waiting) == ["r1", "r2", "a1", "b1"]


def test_a_full_market_lane_is_dropped_for_one_snapshot_of_each_stream_in_it() -> None:
    waiting = queue(market=3)
    for stream, text in ((A, "a1"), (B, "b1"), (A, "a2"), (A, "a3"), (A, "a4"), (B, "b2")):
        waiting.put_market(stream, text)
    assert drain(waiting) == ["snapshot of 0", "snapshot of 1"]


def test_a_stream_that_lost_nothing_goes_on_while_another_is_stale() -> None:
    waiting = queue(market=3)
    for number in range(4):
        waiting.put_market(A, f"a{number}")
    waiting.put_market(B, "b1")
    assert drain(waiting) == ["b1", "snapshot of 0"]


def test_updates_follow_the_snapshot_once_it_is_sent() -> None:
    waiting = queue()
    waiting.need_snapshot(A)
    waiting.put_market(A, "in the snapshot")
    assert waiting.next_text() == "snapshot of 0"
    waiting.put_market(A, "a1")
    assert drain(waiting) == ["a1"]


def test_subscribing_again_leaves_out_what_waits_of_the_stream() -> None:
    waiting = queue()
    waiting.put_market(A, "a1")
    waiting.put_market(B, "b1")
    waiting.need_snapshot(A)
    assert drain(waiting) == ["b1", "snapshot of 0"]


def test_a_full_strict_lane_ends_the_connection_and_holds_nothing() -> None:
    waiting = queue(strict=2)
    waiting.put_market(A, "a1")
    for number in range(3):
        waiting.put(f"r{number}")
    assert waiting.closing == Closing(CLOSE_TOO_SLOW, "private messages were not read fast enough")
    waiting.put("r3")
    waiting.put_market(A, "a2")
    waiting.need_snapshot(B)
    assert (len(waiting), drain(waiting)) == (0, [])


def test_the_first_reason_to_close_counts() -> None:
    waiting = queue()
    waiting.close(1009, "too large")
    waiting.close(4001, "revoked")
    assert waiting.closing == Closing(1009, "too large")


def test_updates_that_are_held_back_follow_what_was_missed_or_end_in_a_snapshot() -> None:
    waiting = queue()
    first, second = Stream("trades", 1), Stream("trades", 2)
    waiting.hold(first)
    of_first, of_second = waiting.hold(first), waiting.hold(second)
    waiting.put_market(first, "live")
    waiting.put_resumed(first, "missed")
    waiting.release(first, of_first)
    waiting.put_market(first, "later")
    assert [waiting.next_text() for _ in range(4)] == ["missed", "live", "later", None]
    for number in range(4):
        assert waiting.is_held(second, of_second)
        waiting.put_market(second, str(number))
    assert not waiting.is_held(second, of_second)
    waiting.put_resumed(second, "missed")
    waiting.release(second, of_second)
    assert [waiting.next_text() for _ in range(2)] == ["snapshot of 2", None]


def test_who_holds_again_is_not_released_by_the_hold_before() -> None:
    waiting, stream = queue(), Stream("trades", 1)
    before = waiting.hold(stream)
    waiting.put_market(stream, "told by a snapshot or missed")
    again = waiting.hold(stream)
    waiting.put_market(stream, "live")
    waiting.release(stream, before)
    assert (waiting.is_held(stream, before), waiting.is_held(stream, again), waiting.next_text()) == (False, True, None)
    waiting.release(stream, again)
    assert [waiting.next_text() for _ in range(2)] == ["live", None]


@pytest.mark.anyio
@pytest.mark.parametrize("end", [drain, lambda waiting: waiting.close(1001, "gone")])
async def test_whoever_sends_much_waits_until_nothing_waits_or_the_connection_closes(
    end: Callable[[ClientQueue], object],
) -> None:
    waiting = queue()
    await waiting.room()
    waiting.put("r1")
    waiting.put_market(A, "a1")
    sending = asyncio.create_task(waiting.room())
    await asyncio.sleep(0)
    assert waiting.next_text() == "r1"
    await asyncio.sleep(0)
    assert not sending.done()
    end(waiting)
    await sending
