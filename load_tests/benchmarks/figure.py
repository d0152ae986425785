"""A measured figure beside its limit, and how both are timed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter_ns, process_time
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the result."""

    name: str
    value: float
    unit: str
    limit_name: str = ""
    limit: float | None = None
    at_least: str = ""
    """What it must reach."""
    aim: str = ""
    """What we set out for."""
    note: str = ""
    flow: str = ""
    """What the flow turned out to be, counted."""

    @property
    def ratio(self) -> float | None:
        """How much of the limit is reached, 1.0 being all of it."""
        return None if not self.limit else self.value / self.limit

    def to_json(self) -> dict[str, Any]:
        """The figure with its ratio."""
        return {**asdict(self), "ratio": self.ratio}


@dataclass(frozen=True)
class Effort:
    """How much work goes into the figures."""

    seed: int = 1
    quick: bool = False

    def messages(self, full: int) -> int:
        """A tenth of the messages in a quick run."""
        return full // 10 if self.quick else full

    @property
    def runs(self) -> int:
        """How often each thing is measured."""
        return 2 if self.quick else 5

    @property
    def short_runs(self) -> int:
        """How often, where one takes a fraction of a second."""
        return 3 if self.quick else 11


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Python's collector waits: it would walk over the benchmark's own records, by chance here or there."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


Work = Callable[[], object]


def median_seconds(runs: int, *works: Callable[[], Work]) -> list[float]:
    """Processor time that each work takes, the median of so many runs after one that warms up.

    Who else runs on the machine is not counted, what it does to the caches is; the works take turns, so a busy moment
    meets them all. Each entry prepares a run, untimed, and returns what is timed.
    """
    seconds: list[list[float]] = [[] for _ in works]
    for turn in range(runs + 1):
        for number, prepare in enumerate(works):
            work = prepare()
            with no_garbage_collection():
                start = process_time()
                work()
                taken = process_time() - start
            if turn:
                seconds[number].append(taken)
    return [median(taken) for taken in seconds]


def call_nanoseconds(function: Callable[..., object], calls: Sequence[tuple[Any, ...]]) -> float:
    """The median over single calls, each timed alone; the clock's own time is part of it."""
    taken = []
    with no_garbage_collection():
        for arguments in calls:
            start = perf_counter_ns()
            function(*arguments)
            taken.append(perf_counter_ns() - start)
    return median(taken)


def call_of_nothing(*arguments: object) -> None:
    """The limit of single calls."""


def middle(rates: list[float]) -> float:
    """The median: for what depends on a device or a second process, where the best is luck."""
    return median(rates)


def spread(rates: list[float], limits: list[float]) -> str:
    """How far the ratio ranges over the runs, each beside the limit measured next to it: a median alone hides that."""
    ratios = [rate / limit for rate, limit in zip(rates, limits, strict=True)]
    return f"{min(ratios):.0%} to {max(ratios):.0%} in {len(ratios)} runs"
