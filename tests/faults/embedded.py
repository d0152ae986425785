"""The faults of an embedded venue, as one table. They follow each other in one data folder under load, or each has a new one.

    python -m tests.faults power_cut --count 500 --seed 1

Two members trade over WebSocket and REST. After a number of acknowledgements drawn from the seed a `rex serve` is harmed, and
the next one starts. It must have each order that was ever acknowledged in this folder: once, with its id, filled at least as
far; then the orders without a reply are sent again. What the fault must show beyond that is said where it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from services.scaled.launch import DidNotStart
from tests.faults import device_faults, file_faults
from tests.faults.folder import Folder
from tests.faults.mutants import early_acknowledgement
from tests.faults.rig import Advance, Report, Rig, scratch
from tests.faults.thin_disk import thin_disk
from tests.faults.traders import check_ledgers, open_traders
from tests.faults.venue_process import Mutant, VenueProcess, serve


class Fault(NamedTuple):
    """A row of the table. `harm` loads and harms the venue, and ends it."""

    name: str
    harm: Callable[[Folder, VenueProcess], Coroutine[Any, Any, None]]


@contextmanager
def on_disk() -> Iterator[Folder]:
    """On a disk of its own, which can lose its power and fail. Raises CannotRun."""
    with thin_disk() as disk:
        yield Folder(disk.folder, disk)


@contextmanager
def anywhere() -> Iterator[Folder]:
    """Where temporary files are."""
    with TemporaryDirectory() as work:
        yield Folder(Path(work) / "rex-data")


@contextmanager
def in_memory() -> Iterator[Folder]:
    """Where syncs are free."""
    with TemporaryDirectory(dir=scratch()) as work:
        yield Folder(Path(work) / "rex-data")


class Part(NamedTuple):
    """What fails, how, and where."""

    name: str
    faults: Sequence[Fault]
    """In turn."""
    faults_a_folder: int
    folder: Callable[[], Any] = on_disk

    def named(self, *names: str) -> list[Fault]:
        """The faults of these names, in this order."""
        faults = {fault.name: fault for fault in self.faults}
        return [faults[name] for name in names]


KILLED = Fault("kill", device_faults.kill)
CUT = Fault("power cut", device_faults.cut_power)
SYNC, SYNC_AT_REST = Fault("sync", device_faults.fail_sync), Fault("sync at rest", device_faults.fail_sync_at_rest)
DEVICE = [Fault("device", device_faults.fail), Fault("device at rest", device_faults.fail_at_rest)]

KILL = Part("kill", [KILLED], 10, anywhere)
POWER_CUT = Part("power_cut", [CUT], 10)
FAILED_SYNC = Part("failed_sync", [SYNC, CUT, SYNC_AT_REST, CUT], 2)
FAILED_DEVICE = Part("failed_device", [DEVICE[0], *DEVICE], 6)
FILE_REMOVED = Part("file_removed", [Fault(name, harm) for name, harm in file_faults.HARMS.items()], 1, in_memory)
PARTS = (POWER_CUT, KILL, FAILED_SYNC, FAILED_DEVICE, FILE_REMOVED)


def run(part: Part, faults: int, seed: int, advance: Advance, *, mutant: Mutant | None = None) -> Report:
    """So many faults of one part, in folder after folder; with a mutant, up to the first broken promise. Raises CannotRun."""
    report, random, turn = Report(part.name), Random(seed), cycle(part.faults)
    for first in range(0, faults, part.faults_a_folder):
        some = [*islice(turn, min(part.faults_a_folder, faults - first))]
        with part.folder() as folder:
            asyncio.run(follow_each_other(folder, some, report, random, advance, mutant=mutant))
        if mutant and report.broken:
            break
    return report


async def follow_each_other(
    folder: Folder,
    faults: Sequence[Fault],
    report: Report,
    random: Random,
    advance: Advance,
    *,
    mutant: Mutant | None = None,
) -> None:
    """These faults, one after the other; then looks for every order, unless the folder is gone."""
    folder.report, folder.random = report, random
    for number, fault in enumerate([*faults, None]):
        before = faults[number - 1].name if number else "nothing"
        try:
            with serve(folder.path, mutant=mutant) as venue:
                if number:
                    await check_ledgers(venue.url, folder.traders, report)
                else:
                    folder.traders = await open_traders(venue)
                if report.broken or fault is None:
                    return
                await fault.harm(folder, venue)
        except DidNotStart as reason:
            report.broken.append(f"after {before}: {reason}")
            return
        report.add(fault.name.replace(" ", "_"))
        advance()
        if folder.is_gone:
            return


def by_chance(trials: int, seed: int, advance: Advance) -> Report:
    """A defect that a rig sees only if its harm hits the right moment, so no test, which would have to see it always: a venue
    publishes a batch when its write starts, not when it is durable. 16 of 20 kills saw it. The first trial that does ends the
    trials; the count says which one it was."""
    report = Report("by_chance")
    for trial in range(1, trials + 1):
        advance()
        if run(KILL, 1, seed + trial, lambda: None, mutant=early_acknowledgement).broken:
            report.add("saw_it_in_trial", trial)
            return report
    report.broken.append(f"no kill saw the defect in {trials} trials")
    return report


BY_CHANCE = Rig("by_chance", by_chance, "trials", short=8, long=40)
LENGTHS = {"power_cut": (20, 500), "kill": (20, 300), "failed_sync": (8, 100), "failed_device": (6, 24)}
"""Of each part: how many faults for a first try, and for `make faults`."""

RIGS = [
    Rig(part.name, partial(run, part), "faults", *LENGTHS.get(part.name, (len(part.faults), 5 * len(part.faults))))
    for part in PARTS
]
