"""A measured value beside its limit, and how both are timed."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter_ns, process_time
from typing import Any

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measurement:
    """One line of the result."""

    name: str
    value: float
    unit: str
    limit_name: str = ""
    limit: float | None = None
    at_least: str = ""
    """What the value, or its ratio, must reach."""
    aim: str = ""
    """The goal beyond `at_least`."""
    note: str = ""
    flow: str = ""
    """The flow's name and its mix, counted from the events."""

    @property
    def ratio(self) -> float | None:
        """The value as a fraction of the limit; 1.0 is the limit."""
        return None if not self.limit else self.value / self.limit

    def to_json(self) -> dict[str, Any]:
        """All fields and the ratio, for the result file."""
        return {**asdict(self), "ratio": self.ratio}


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    seed: int = 1
    quick: bool = False

    def messages(self, full: int) -> int:
        """A tenth of the messages in a quick run."""
        return full // 10 if self.quick else full

    @property
    def runs(self) -> int:
        """How often each measurement is repeated."""
        return 2 if self.quick else 5

    @property
    def short_runs(self) -> int:
        """How often a measurement of a fraction of a second is repeated."""
        return 3 if self.quick else 11


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Runs the block without Python's garbage collector, which would also walk over the benchmark's own records."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


Work = Callable[[], object]


def median_seconds(runs: int, *works: Callable[[], Work]) -> list[float]:
    """The median processor time of each work, in seconds, over `runs` runs after a warm-up.

    Processor time excludes other processes, but not their effect on the caches; so the works alternate, and other load affects
    them all. Each entry of `works` prepares a run, untimed, and returns the function that is timed.
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


def spent_s(*pids: int) -> float:
    """User and system time of these processes together, in seconds; an ended one has none (PostgreSQL's come and go)."""
    return sum(map(_ticks, pids)) / _TICKS_A_SECOND


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return int(fields[11]) + int(fields[12])


def process_s(pid: int) -> float:
    """Processor time of all threads that a process has now, in seconds, exactly; 0 where there is no /proc."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.glob("*")) / 1e9


def with_children(pid: int) -> list[int]:
    """A process and its children: of PostgreSQL these are all its processes."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def call_nanoseconds(function: Callable[..., object], calls: Sequence[tuple[Any, ...]]) -> float:
    """The median time of a single call, in ns, each timed alone. The clock's own time is included."""
    taken = []
    with no_garbage_collection():
        for arguments in calls:
            start = perf_counter_ns()
            function(*arguments)
            taken.append(perf_counter_ns() - start)
    return median(taken)


def no_op(*arguments: object) -> None:
    """Does nothing: the limit of single calls."""


def ratio_range(rates: list[float], limits: list[float]) -> str:
    """The lowest and highest ratio of a rate to the limit measured next to it: a median alone hides the range."""
    ratios = [rate / limit for rate, limit in zip(rates, limits, strict=True)]
    return f"{min(ratios):.0%} to {max(ratios):.0%} in {len(ratios)} runs"
