"""Removes the files of a running venue: it may acknowledge nothing once its journal is no longer there.

    python -m tests.faults.file_removed --trials 55 --seed 1

The trials, in turn: the journal removed, its write-ahead log removed, the folder removed, the folder moved away, the journal
replaced by a copy of itself; each under load and while the venue is idle. The process must end by itself, with a non-zero
status and a sentence, and acknowledge no order that was sent later than 5 ms (CHECK_NS) after the removal. One trial in eleven
removes the lock file and starts a second venue on the folder: it must be refused, and the first must continue.

Orders that were under way at the moment of the removal may be acknowledged or not: they are not counted.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from services.files.data_folder import JOURNAL_FILE
from services.journal.batch_writer import CHECK_NS
from services.scaled.launch import DidNotStart
from tests.faults.rig import Advance, Report, Rig, main, scratch
from tests.faults.traders import load_until, open_traders
from tests.faults.venue_process import VenueProcess, serve

FEWEST, MOST = 5, 200


def remove_journal(folder: Path) -> None:
    (folder / JOURNAL_FILE).unlink()


def remove_log(folder: Path) -> None:
    (folder / f"{JOURNAL_FILE}-wal").unlink()


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def move_folder(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


def replace_journal(folder: Path) -> None:
    copy = folder / "copy"
    shutil.copy(folder / JOURNAL_FILE, copy)
    os.replace(copy, folder / JOURNAL_FILE)


Harm = Callable[[Path], None]
Trial = Callable[[Path, int, Report], Coroutine[Any, Any, None]]


async def _under_load(harm: Harm, folder: Path, acknowledgements: int, report: Report) -> None:
    with serve(folder) as venue:
        traders = await open_traders(venue)
        await load_until(venue, traders, acknowledgements, lambda: harm(folder), allowed_s=CHECK_NS / 1e9)
        after = sum(trader.ledger.after for trader in traders)
        report.add("acknowledged_after", after)
        if after:
            report.broken.append(f"{harm.__name__}: {after} orders sent afterwards were acknowledged")
        _ended(harm.__name__, venue, report)


async def _idle(harm: Harm, folder: Path, _acknowledgements: int, report: Report) -> None:
    with serve(folder) as venue:
        await open_traders(venue)
        harm(folder)
        _ended(f"{harm.__name__} while idle", venue, report)


def _ended(what: str, venue: VenueProcess, report: Report) -> None:
    """Checks that the venue ended by itself, with a non-zero status and a sentence."""
    status, said = venue.ended(), venue.said
    if status is None:
        report.add("did_not_end")
        report.broken.append(f"{what}: the venue goes on as if nothing had happened")
    elif not status:
        report.add("ended_as_if_well")
        report.broken.append(f"{what}: the venue ended with status {status}")
    elif "Traceback (most recent call last)" in said or JOURNAL_FILE not in said:
        report.broken.append(f"{what}: status {status} without a sentence about {JOURNAL_FILE}: {said.strip()[-300:]}")


async def _second_venue(folder: Path, acknowledgements: int, report: Report) -> None:
    with serve(folder) as venue:
        traders = await open_traders(venue)

        def harm() -> None:
            (folder / f"{JOURNAL_FILE}.lock").unlink()
            try:
                with serve(folder):
                    report.add("second_venues")
                    report.broken.append("the lock file being removed, a second venue opened the folder")
            except DidNotStart as refusal:
                if "Traceback" in refusal.said:
                    report.broken.append(f"the second venue was refused with a traceback: {refusal.said[-300:]}")

        await load_until(venue, traders, acknowledgements, harm)
        if sum(trader.ledger.after for trader in traders) == 0:
            report.broken.append("the first venue did not go on when a second one was refused")


TRIALS: tuple[Trial, ...] = (
    partial(_under_load, remove_journal),
    partial(_under_load, remove_log),
    partial(_under_load, remove_folder),
    partial(_idle, remove_journal),
    _second_venue,
    partial(_under_load, move_folder),
    partial(_under_load, replace_journal),
    partial(_idle, remove_log),
    partial(_idle, remove_folder),
    partial(_idle, move_folder),
    partial(_idle, replace_journal),
)


def run(trials: int, seed: int, advance: Advance) -> Report:
    """Runs `trials` trials, each in a new folder."""
    report = Report(
        "file_removed", {"acknowledged_after": 0, "ended_as_if_well": 0, "did_not_end": 0, "second_venues": 0}
    )
    random = Random(seed)
    for trial in range(trials):
        with TemporaryDirectory(dir=scratch()) as work:
            folder, acknowledgements = Path(work) / "rex-data", random.randint(FEWEST, MOST)
            asyncio.run(TRIALS[trial % len(TRIALS)](folder, acknowledgements, report))
        advance()
    return report


RIG = Rig("file_removed", run, "trials", short=len(TRIALS), long=5 * len(TRIALS))

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
