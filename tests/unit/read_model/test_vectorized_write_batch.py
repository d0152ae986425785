"""Law: the changes of a journal are the same, computed with arrays or event by event."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.records import EVENT, CommandKind, EventKind
from services.journal.batch import NO_HASH, JournalBatch
from services.messaging import Submission
from services.read_model import vectorized_write_batch
from services.read_model.vectorized_write_batch import VectorizedWriteBatch
from services.read_model.write_batch import Position, WriteBatch
from tests.long import examples, some
from tests.property.engine_flow import Flow, terms, venue
from tests.unit.read_model.history import JOURNAL_ID, History, batches_of, opening, requests

START = Position(0, 0, 0, NO_HASH, JOURNAL_ID, 0)


@pytest.fixture(autouse=True)
def arrays_for_every_batch() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectorized_write_batch, "FEWEST_COMMANDS", 1)
        yield


def told(changes: WriteBatch) -> dict[str, Any]:
    """All that a run has collected, by name."""
    kept = {name: value for name, value in vars(changes).items() if name != "orders"}
    return {**kept, "new orders": changes.orders.new, "older orders": changes.orders.old}


def assert_same(batches: list[JournalBatch], cuts: set[int]) -> None:
    """Compares both ways after every batch; after a cut, each begins a new run."""
    slow, fast = WriteBatch(START), VectorizedWriteBatch(START)
    for number, batch in enumerate(batches):
        slow.add(batch)
        fast.add(batch)
        assert told(fast) == told(slow)
        if number in cuts:
            slow, fast = WriteBatch(slow.position), VectorizedWriteBatch(fast.position)


@pytest.mark.parametrize("seed", some(range(3)))
def test_arrays_make_the_changes_of_single_events_whatever_the_engine_is_asked(seed: int) -> None:
    flow, chance = Flow(seed), Random(seed)
    flow.extend(venue())
    flow.extend(terms(flow.chance))
    while len(flow.commands) < 400:
        flow.stretch()
    batches = [batch for _, batch in batches_of(flow.commands, chance)]
    assert_same(batches, set(chance.sample(range(len(batches)), 5)))
    kinds = {event.kind for batch in batches for event in batch.event_list}
    assert kinds >= {
        EventKind.REPLACED,
        EventKind.TRIGGERED,
        EventKind.SELF_TRADE_PREVENTED,
        EventKind.TRADE,
        EventKind.LEVEL,
    }


@given(requests=requests, cuts=st.sets(st.integers(0, 12)))
@settings(deadline=None, max_examples=examples(40))
def test_arrays_make_the_changes_of_single_events_wherever_batches_and_runs_end(
    requests: list[list[Submission]], cuts: set[int]
) -> None:
    history = History()
    assert_same([history.batch(submissions) for submissions in [opening(), *requests]], cuts)


def test_one_batch_holds_whole_days() -> None:
    """A day roll in the middle of a batch dates the orders after it."""
    flow = Flow(3)
    flow.extend(venue())
    while len(flow.commands) < 400:
        flow.stretch()
    batches = [batch for _, batch in batches_of(flow.commands, Random(3))]
    whole = JournalBatch.joined(batches)
    assert sum(command.kind == CommandKind.DAY_ROLL for command in whole.command_list) > 1
    assert_same([whole], set())


def test_a_sum_that_might_not_fit_64_bits_is_not_computed_with_arrays() -> None:
    events = np.zeros(600, EVENT)
    events["amount_fen"] = 10**16
    assert vectorized_write_batch._too_large(events)
    assert not vectorized_write_batch._too_large(events[:400])


@pytest.mark.parametrize("make", [WriteBatch, VectorizedWriteBatch])
def test_the_rows_of_a_run_are_freed_with_it_and_wait_for_no_garbage_collection(make: type[WriteBatch]) -> None:
    changes = make(START)
    changes.add(History().batch(opening()))
    freed = weakref.ref(changes)
    with no_garbage_collection():
        del changes
        assert freed() is None


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
