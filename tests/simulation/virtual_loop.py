"""An event loop in virtual time: no clock, no thread, no socket. What runs next is a function of the seed.

Time moves when nothing is ready, to the next timer, and by a few microseconds with every turn, as on a machine that is not
infinitely fast. A timer is late by what the seed draws. In a seed that shuffles, the order of what is ready in the same turn is
drawn too; otherwise it is that of asyncio, first in, first out.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from random import Random
from typing import Any

from tests.simulation.process import PROCESS, Process

START_S = 1_000.0
"""The loop's time at the beginning. It is not 0, which the link takes for never."""
TURN_S = 0.000_02
"""What a turn takes."""
LATE_S = 0.000_5
"""A timer is at most so late."""


class Stuck(Exception):
    """Nothing is ready, and no timer will make anything ready."""


class SimulatedTask(asyncio.Task[Any]):
    """A task whose place in a set does not depend on its address."""

    def __init__(self, number: int, work: Coroutine[Any, Any, Any], **options: Any) -> None:
        self.number = number
        super().__init__(work, **options)

    def __hash__(self) -> int:
        return self.number


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs the callbacks of every process that is not stopped."""

    def __init__(self, chance: Random, *, shuffles: bool) -> None:
        super().__init__()
        self._chance = chance
        self._shuffles = shuffles
        self._now_s = START_S
        self.steps = 0
        """How many callbacks have run."""
        self.stopped: set[str] = set()
        """The names of the processes that are stopped."""
        self._tasks = 0
        self._ready: deque[asyncio.Handle]
        self._scheduled_by_time: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers = 0
        self.set_task_factory(self._make_task)  # type: ignore[arg-type]

    def time(self) -> float:
        """Virtual seconds."""
        return self._now_s

    def call_at(  # type: ignore[override]  # typeshed names the types of the arguments
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's, a little late."""
        due_s = when + self._chance.random() * LATE_S
        timer = asyncio.TimerHandle(due_s, callback, args, self, context)
        self._timers += 1
        heapq.heappush(self._scheduled_by_time, (due_s, self._timers, timer))
        return timer

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's, a little late."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """There are no threads."""
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Runs `func` at once, and returns the result after a moment."""
        done = self.create_future()
        try:
            self.call_later(self._chance.random() * 0.001, _unless_done, done.set_result, done, func(*args))
        except Exception as error:
            self.call_soon(_unless_done, done.set_exception, done, error)
        return done

    def go_on(self, process: Process) -> None:
        """A stopped process goes on with what was due meanwhile."""
        process.stopped = False
        self.stopped.discard(process.name)
        self._ready.extend(process.waiting)
        process.waiting.clear()

    def stop_process(self, process: Process) -> None:
        """Stops a process."""
        process.stopped = True
        self.stopped.add(process.name)

    def _make_task(self, _loop: Any, work: Coroutine[Any, Any, Any], **options: Any) -> SimulatedTask:
        self._tasks += 1
        number = self._tasks
        task = SimulatedTask(number, work, loop=self, **options)
        context: Context | None = options.get("context")
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is not None:
            process.tasks[number] = task
            task.add_done_callback(lambda _: process.tasks.pop(number, None))
        return task

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled_by_time
        self._now_s += TURN_S
        while not ready or (scheduled and scheduled[0][0] <= self._now_s):
            if not scheduled:
                raise Stuck(f"nothing will happen any more at {self._now_s:.3f} s")
            due_s, _, timer = heapq.heappop(scheduled)
            if not timer.cancelled():
                self._now_s = max(self._now_s, due_s)
                ready.append(timer)
        if self._shuffles and len(ready) > 1:
            mixed = list(ready)
            self._chance.shuffle(mixed)
            ready.clear()
            ready.extend(mixed)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle.cancelled():
                continue
            if self.stopped:
                process = handle._context.get(PROCESS)  # type: ignore[attr-defined]
                if process is not None and process.stopped:
                    process.waiting.append(handle)
                    continue
            self.steps += 1
            handle._run()
            if self._stopping:  # type: ignore[attr-defined]
                break

    def _write_to_self(self) -> None:
        """Nothing waits in a selector."""

    def _process_events(self, event_list: object) -> None:
        """There are no sockets."""


def _unless_done(end: Callable[[Any], None], future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        end(value)
