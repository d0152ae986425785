"""Calls from a native thread to be carried out in a greenlet: Locust's objects belong to the thread that gevent runs in."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event

log = logging.getLogger(__name__)


class GreenletCalls:
    """Carries out calls in the order in which they were given, in one greenlet of the thread that made the object."""

    def __init__(self) -> None:
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._given = Event()
        self._watcher = gevent.get_hub().loop.async_()
        self._watcher.start(self._given.set)
        gevent.spawn(self._carry_out)

    def soon(self, function: Callable[..., object], *arguments: Any) -> None:
        """Gives a call, from any thread. The function must not wait: the calls behind it would wait, too.
        If it raises, the log says so."""
        self._calls.append((function, arguments))
        self._watcher.send()

    def _carry_out(self) -> None:
        while True:
            self._given.wait()
            self._given.clear()
            while self._calls:
                function, arguments = self._calls.popleft()
                try:
                    function(*arguments)
                except Exception:  # The calls behind it belong to other accounts.
                    log.exception("A call from the event loop has failed.")
