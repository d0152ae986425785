"""Records in batches, and the least work any engine must do with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from load_tests.benchmarks.measurement import Work
from load_tests.flows.book_flows import Records
from matching_engine import is_native

BATCH = 4_096


def batches_of(records: Records) -> list[Records]:
    """The records in arrays of at most BATCH, as the sequencer passes them to the engine."""
    return [records[start : start + BATCH] for start in range(0, len(records), BATCH)]


def processing(make: Callable[[], Any], batches: Sequence[Records]) -> Callable[[], Work]:
    """The timed work of running the batches in a new book or engine; `make` creates it, untimed."""

    def prepare() -> Work:
        process = make().process

        def run() -> None:
            for batch in batches:
                process(batch)

        return run

    return prepare


def copying(batches: Sequence[Records], events: Sequence[Records]) -> Callable[[], Work]:
    """The timed work of copying the same commands and events, and nothing else: the limit of any engine with these records."""
    words = [(batch.view("u8"), output.view("u8")) for batch, output in zip(batches, events, strict=True)]

    def run() -> None:
        for batch, output in words:
            batch.copy()
            output.copy()

    return lambda: run


def kind_of_build() -> str:
    """How the engine of this process was built: "native" or "plain Python"."""
    return "native" if is_native() else "plain Python"
