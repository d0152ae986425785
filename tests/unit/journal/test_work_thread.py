"""A thread that works for the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from services.journal.work_thread import WorkThread

pytestmark = pytest.mark.anyio


def divide(dividend: int, divisor: int) -> int:
    return dividend // divisor


async def test_work_is_done_in_its_order_and_has_its_result_or_its_error() -> None:
    thread, done = WorkThread("work"), list[int]()
    waits = [thread.do(done.append, number) for number in range(100)]
    with pytest.raises(ZeroDivisionError):
        await thread.do(divide, 1, 0)
    assert done == list(range(100))
    assert all(one.done() for one in waits)
    assert await thread.do(divide, 6, 3) == 2
    assert await thread.do(threading.current_thread) is not threading.current_thread()
    thread.end()


async def test_its_end_waits_for_all_work_also_for_what_nobody_waits_for_any_more() -> None:
    thread, done, may_go_on = WorkThread("work"), list[int](), threading.Event()
    thread.do(may_go_on.wait)
    canceled = thread.do(done.append, 1)
    canceled.cancel()
    may_go_on.set()
    thread.end()
    assert done == [1]
    await asyncio.sleep(0)
    assert canceled.cancelled()
    WorkThread("idle").end()


def test_work_of_a_loop_that_is_closed_stops_nothing() -> None:
    thread, may_go_on, done = WorkThread("work"), threading.Event(), list[int]()

    async def give() -> None:
        thread.do(may_go_on.wait)
        thread.do(done.append, 1)

    asyncio.run(give())
    may_go_on.set()
    thread.end()
    assert done == [1]
