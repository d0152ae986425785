"""Cancels that the gateway sends for a key: after its WebSocket was lost, and when its dead-man timer runs out.

They take the normal way: a MASS_CANCEL of the key's account, with the key as actor. Timers are in this process's memory only:
a gateway that dies cancels nothing, and a new start knows no timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from matching_engine.records import Event
from services.gateway.problems import ProblemError
from services.venue_state.keys import ApiKey

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0

log = structlog.get_logger("rex.cancel_all")

MassCancel = Callable[[ApiKey], Awaitable[Event]]
"""Sends one MASS_CANCEL of the key's account; returns its event, or raises ProblemError."""


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Takes the call back."""


class CancelAll:
    """Cancels all open orders of a key's account, and keeps the timers of the keys. `call_later` (seconds, function): None is
    that of the event loop."""

    def __init__(
        self, mass_cancel: MassCancel, call_later: Callable[[float, Callable[[], None]], Timer] | None = None
    ) -> None:
        self._mass_cancel = mass_cancel
        self._call_later = call_later
        self._timers: dict[int, Timer] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def arm(self, key: ApiKey, seconds: int) -> None:
        """Cancels after so many seconds, unless it is called again before; 0 disarms. Replaces the key's earlier timer."""
        key.trading_account()
        timer = self._timers.pop(key.key_id, None)
        if timer is not None:
            timer.cancel()
        if seconds:
            later = self._call_later or asyncio.get_running_loop().call_later
            self._timers[key.key_id] = later(seconds, lambda: self._run_out(key))

    def is_armed(self, key_id: int) -> bool:
        """Whether a timer of the key runs."""
        return key_id in self._timers

    def now(self, key: ApiKey, why: str) -> asyncio.Task[None]:
        """Cancels all open orders of the key's account; sends the cancel again until the venue has taken it."""
        task = asyncio.create_task(self._cancel(key, why))
        self.tasks.add(task)  # The event loop itself holds tasks by weak references only.
        task.add_done_callback(self.tasks.discard)
        return task

    def _run_out(self, key: ApiKey) -> None:
        self._timers.pop(key.key_id, None)
        self.now(key, "its dead-man timer ran out")

    async def _cancel(self, key: ApiKey, why: str) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                canceled = await self._mass_cancel(key)
            except ProblemError as problem:
                if problem.status not in (429, 503):
                    log.error(
                        "all orders of a key could not be canceled", key_id=key.key_id, why=why, code=problem.code
                    )
                    return
                log.warning("all orders of a key are canceled later", key_id=key.key_id, why=why, code=problem.code)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                log.info("all orders of a key were canceled", key_id=key.key_id, why=why, orders=canceled.number)
                return
