"""The figures of the processes of a soak by the second, and what they say: does memory grow, are files or sockets left?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import fmean
from time import monotonic
from typing import NamedTuple

from tests.faults.process_figures import Figures, figures
from tests.faults.rig import Report
from tests.patience import PATIENCE_S

MOST_MB_AN_HOUR = 1.0
WARM_UP = 0.25
"""This part of a life is not judged: pools, caches and tables fill."""
JUDGED_FROM_S = 300
"""A shorter life says nothing about memory."""
BLOCKS = 24
"""A life is judged by the means of so many equal parts: neighbouring samples are no news."""
POOLED = 24
"""So many descriptors more may be open when all clients have left: connections to databases, files of the libraries."""


def has_left(name: str, before: Figures, now: Figures) -> bool:
    """Whether a process has as few sockets as before its clients came. Only the embedded venue's are all its clients' own: the
    others open connections to PostgreSQL as they need them."""
    return now.sockets <= before.sockets + (0 if name == "venue" else POOLED)


class Slope(NamedTuple):
    """A least-squares slope and its standard error, in MB an hour."""

    mb_an_hour: float
    error: float

    @property
    def too_steep(self) -> bool:
        """Whether it is above MOST_MB_AN_HOUR by more than twice its error."""
        return self.mb_an_hour - 2 * self.error > MOST_MB_AN_HOUR


class Watch:
    """Samples of processes, by name."""

    def __init__(self) -> None:
        self.samples: dict[str, list[tuple[float, Figures]]] = {}
        self._began_s = monotonic()

    def look(self, pids: Mapping[str, int]) -> None:
        """Takes a sample of each process that runs."""
        for name, pid in pids.items():
            with suppress(OSError, IndexError):  # It is ending.
                self.samples.setdefault(name, []).append((monotonic() - self._began_s, figures(pid)))

    def slopes(self) -> dict[str, Slope]:
        """How memory grows after the warm-up, of the processes that lived for JUDGED_FROM_S and to the end."""
        ends_s = max((samples[-1][0] for samples in self.samples.values()), default=0.0)
        lives = {
            name: samples
            for name, samples in self.samples.items()
            if samples[-1][0] - samples[0][0] >= JUDGED_FROM_S and samples[-1][0] >= ends_s - 10
        }
        return {name: slope_of([(at_s, found.rss_bytes) for at_s, found in samples]) for name, samples in lives.items()}

    def judge(
        self, before: Mapping[str, Figures], after: Mapping[str, Figures], report: Report, *, memory: bool = True
    ) -> None:
        """Adds counts and broken promises to the report; not of `memory` in a life that is to fill tables only."""
        for name, slope in (self.slopes() if memory else {}).items():
            word = name.replace(" ", "_")
            samples = self.samples[name]
            report.counts |= {
                f"rss_mb_{word}_steady": samples[int(len(samples) * WARM_UP)][1].rss_mb,
                f"rss_mb_{word}_end": samples[-1][1].rss_mb,
                f"rss_mb_an_hour_{word}": round(slope.mb_an_hour, 2),
                f"rss_mb_an_hour_{word}_error": round(slope.error, 2),
            }
            if slope.too_steep:
                grows = f"{slope.mb_an_hour:.2f} ± {slope.error:.2f} MB an hour"
                report.broken.append(f"the memory of {name} grows by {grows}, {MOST_MB_AN_HOUR:g} is allowed")
        for name, found in before.items():
            report.highest("descriptors_most", max(sample.descriptors for _, sample in self.samples[name]))
            if not has_left(name, found, after[name]):
                report.broken.append(f"{name} has {after[name].sockets} sockets where there were {found.sockets}")
            if after[name].descriptors > found.descriptors + POOLED:
                held = f"{after[name].descriptors} descriptors where there were {found.descriptors}"
                report.broken.append(f"{name} has {held}")

    def table(self) -> str:
        """Ten samples of each process."""
        return "".join(
            f"{name:24} {at_s:7.0f} s {found.rss_bytes / 2**20:8.1f} MB {found.descriptors:4} descriptors"
            f" {found.sockets:4} sockets {found.cpu_s:7.0f} s of processor\n"
            for name, samples in self.samples.items()
            for at_s, found in samples[:: max(1, len(samples) // 10)]
        )


def slope_of(samples: Sequence[tuple[float, int]]) -> Slope:
    """Of (seconds, bytes), without the warm-up: least squares over the means of BLOCKS parts."""
    steady = samples[int(len(samples) * WARM_UP) :]
    size = max(1, len(steady) // BLOCKS)
    blocks = [steady[first : first + size] for first in range(0, len(steady) - size + 1, size)]
    hours = [fmean(at_s for at_s, _ in block) / 3_600 for block in blocks]
    sizes = [fmean(size for _, size in block) / 2**20 for block in blocks]
    middle, mean = fmean(hours), fmean(sizes)
    spread = sum((hour - middle) ** 2 for hour in hours)
    slope = sum((hour - middle) * (mb - mean) for hour, mb in zip(hours, sizes, strict=True)) / spread
    left = sum((mb - mean - slope * (hour - middle)) ** 2 for hour, mb in zip(hours, sizes, strict=True))
    return Slope(slope, (left / max(1, len(blocks) - 2) / spread) ** 0.5)


async def when_all_have_left(pids: Mapping[str, int], before: Mapping[str, Figures]) -> dict[str, Figures]:
    """The figures once the processes have closed their clients' sockets, or after PATIENCE_S."""
    until = monotonic() + PATIENCE_S
    while True:
        found = {name: figures(pid) for name, pid in pids.items()}
        if all(has_left(name, before[name], now) for name, now in found.items()) or monotonic() > until:
            return found
        await asyncio.sleep(0.1)


def left_behind(folder: Path) -> list[str]:
    """The files in a folder for temporary files, which should be empty when the processes have ended."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
