"""A measured figure beside its limit, and how both are timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the result."""

    name: str
    value: float
    unit: str
    limit_name: str = ""
    limit: float | None = None
    expected: str = ""
    """What we set out to reach."""
    note: str = ""

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


def best_rates(count: int, runs: int, *work: Callable[[], object]) -> list[float]:
    """For each piece of work, the best rate per second of `runs`; they take turns, so a busy moment meets them all."""
    seconds: list[list[float]] = [[] for _ in work]
    for _ in range(runs):
        for number, piece in enumerate(work):
            start = perf_counter()
            piece()
            seconds[number].append(perf_counter() - start)
    return [count / min(taken) for taken in seconds]


def middle(rates: list[float]) -> float:
    """The median: for what depends on a device or a second process, where the best is luck."""
    return median(rates)


def spread(rates: list[float], limits: list[float]) -> str:
    """How far the ratio ranges over the runs, each beside the limit measured next to it: a median alone hides that."""
    ratios = [rate / limit for rate, limit in zip(rates, limits, strict=True)]
    return f"{min(ratios):.0%} to {max(ratios):.0%} in {len(ratios)} runs"
