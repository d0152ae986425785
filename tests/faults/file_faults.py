"""Files of a running venue are removed: it may acknowledge nothing once its journal is no longer there.

The journal is removed, or its write-ahead log, or the folder; the folder is moved away; the journal is replaced by a copy of
itself: each under load and while the venue is idle. The process must end by itself, with a non-zero status and a sentence, and
acknowledge no order that was sent later than 5 ms (CHECK_NS) after the removal. Where the lock file is removed, a second venue
on the folder must be refused, and the first must continue. Orders that were under way at the removal may be acknowledged or
not.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from services.files.data_folder import JOURNAL_FILE
from services.journal.batch_writer import CHECK_NS
from services.scaled.launch import DidNotStart
from tests.faults.folder import Folder
from tests.faults.venue_process import VenueProcess, serve

MOST = 200
"""The most acknowledgements before the removal."""


def _remove_journal(path: Path) -> None:
    (path / JOURNAL_FILE).unlink()


def _remove_log(path: Path) -> None:
    (path / f"{JOURNAL_FILE}-wal").unlink()


def _move_folder(path: Path) -> None:
    path.rename(path.with_name("moved"))


def _replace_journal(path: Path) -> None:
    copy = path / "copy"
    shutil.copy(path / JOURNAL_FILE, copy)
    os.replace(copy, path / JOURNAL_FILE)


async def _under_load(harm: Callable[[Path], None], folder: Folder, venue: VenueProcess) -> None:
    await folder.load_until(venue, MOST, partial(harm, folder.path), allowed_s=CHECK_NS / 1e9)
    after = sum(trader.ledger.after for trader in folder.traders)
    if after:
        folder.report.broken.append(f"{after} orders sent after the removal were acknowledged")
    _has_ended(folder, venue)


async def _idle(harm: Callable[[Path], None], folder: Folder, venue: VenueProcess) -> None:
    harm(folder.path)
    _has_ended(folder, venue)


def _has_ended(folder: Folder, venue: VenueProcess) -> None:
    """The venue ends by itself, with a non-zero status and a sentence."""
    folder.is_gone = True
    status, said = venue.ended(), venue.said
    if not status:
        folder.report.broken.append(
            f"the venue goes on as if nothing had happened, or ended as if well: status {status}"
        )
    elif "Traceback (most recent call last)" in said or JOURNAL_FILE not in said:
        folder.report.broken.append(f"status {status} without a sentence about {JOURNAL_FILE}: {said.strip()[-300:]}")


async def _second_venue(folder: Folder, venue: VenueProcess) -> None:
    def harm() -> None:
        (folder.path / f"{JOURNAL_FILE}.lock").unlink()
        try:
            with serve(folder.path):
                folder.report.broken.append("the lock file being removed, a second venue opened the folder")
        except DidNotStart as refusal:
            if "Traceback" in refusal.said:
                folder.report.broken.append(f"the second venue was refused with a traceback: {refusal.said[-300:]}")

    await folder.load_until(venue, MOST, harm)
    if sum(trader.ledger.after for trader in folder.traders) == 0:
        folder.report.broken.append("the first venue did not go on when a second one was refused")


_REMOVALS: dict[str, Callable[[Path], None]] = {
    "journal removed": _remove_journal,
    "log removed": _remove_log,
    "folder removed": shutil.rmtree,
    "folder moved": _move_folder,
    "journal replaced": _replace_journal,
}
HARMS: dict[str, Callable[[Folder, VenueProcess], Coroutine[Any, Any, None]]] = {
    **{name: partial(_under_load, harm) for name, harm in _REMOVALS.items()},
    **{f"{name} at rest": partial(_idle, harm) for name, harm in _REMOVALS.items()},
    "second venue": _second_venue,
}
