"""Calls from a native thread: carried out in their order, each whatever became of the one before."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from load_tests.locust.greenlet_calls import GreenletCalls
from tests.patience import PATIENCE_S


def test_a_call_that_raises_is_logged_and_the_next_is_carried_out(caplog: pytest.LogCaptureFixture) -> None:
    carried_out: list[int] = []
    last = Event()
    calls = GreenletCalls()

    def fail() -> None:
        raise ValueError("the first call fails")

    def give_calls() -> None:
        calls.soon(fail)
        calls.soon(carried_out.append, 1)
        calls.soon(carried_out.append, 2)
        calls.soon(last.set)

    gevent.get_hub().threadpool.spawn(give_calls).get()
    assert last.wait(timeout=PATIENCE_S)
    assert carried_out == [1, 2]
    assert "the first call fails" in caplog.text
