"""What windows admit, the inbox of the sequencer admits, whatever the order."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.records import COMMAND
from services.messaging import InboxFull, Submission
from services.messaging.admission import Admission

WINDOW = 128
puts = st.tuples(
    st.integers(0, 2), st.integers(0, 9), st.sampled_from([1, 1, 2, 16, 40]), st.booleans(), st.integers(0, 3)
)


@given(st.lists(puts, max_size=120))
def test_an_inbox_of_twice_the_windows_refuses_nothing(steps: list[tuple[int, int, int, bool, int]]) -> None:
    windows, inbox = [Admission(WINDOW) for _ in range(3)], Admission(2 * 3 * WINDOW)
    waiting: list[list[tuple[int, int]]] = [[], [], []]
    for gateway, account, count, only_cancels, answered in steps:
        submission = Submission(bytes(COMMAND.itemsize * count), (), account, only_cancels)
        with contextlib.suppress(InboxFull):
            assert windows[gateway].add(*submission) == count
            inbox_count = _added(inbox, submission)
            assert inbox_count == count
            waiting[gateway].append((account, count))
        for one in waiting[gateway][:answered]:
            windows[gateway].remove(*one)
            inbox.remove(*one)
        del waiting[gateway][:answered]
    assert inbox.commands == sum(window.commands for window in windows)


def _added(inbox: Admission, submission: Submission) -> int:
    try:
        return inbox.add(*submission)
    except InboxFull as refused:
        pytest.fail(f"the window admitted what the inbox refuses: {refused}")
