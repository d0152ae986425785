"""The history that a demo begins with: the current year up to its last completed trading day, as simulated.

It is made in a folder inside the data folder, which may be a volume of its own. When all is written, its files move out: the
journal first, which is on the device before anything else happens, then the read database, which can be made from it, then the
labels. So a start that is interrupted in whatever way leaves no venue, or a whole one, to which the next start adds the labels.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.data.calendar import TradingCalendar
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.files.new_folder import sync
from services.journal import JournalRefused
from services.journal.journal_lock import locked
from services.simulator.year.labels import LABELS_FILE
from services.venue.simulated_year import OnProgress, SimulatedYear, YearWish, simulate_year

HISTORY_COMMANDS = 80_000
"""About so many a whole year: 8 s of CPU and 57 MB."""

_MAKING = "history.partial"
"""The folder, inside the data folder, in which a history is made."""


@dataclass(frozen=True)
class History:
    """What a demo's history would hold: the first trading days of the year."""

    year: int
    days: int
    last: date


def missing_history(data_dir: Path, calendar: TradingCalendar, today: date) -> History | None:
    """The history up to the last trading day before `today`; None if the folder holds a venue, or if the year has no such
    day."""
    if holds_venue(data_dir):
        return None
    completed = [day for day in calendar.days(today.year) if day < today]
    return History(today.year, len(completed), completed[-1]) if completed else None


async def make_history(
    data_dir: Path, history: History, calendar: TradingCalendar, seed: int, on_progress: OnProgress
) -> SimulatedYear:
    """Makes the venue in the data folder, which holds none.

    Raises JournalBusy if another process has the folder, JournalRefused if it has made a venue there, and the errors of the
    device.
    """
    making = data_dir / _MAKING
    with locked(data_dir / JOURNAL_FILE):
        if holds_venue(data_dir):
            raise JournalRefused(f"another process has made a venue in {data_dir}: start again")
        _remove(making)
        try:
            wish = YearWish(history.year, seed, commands=HISTORY_COMMANDS, days=history.days, for_demo=True)
            made = await simulate_year(making, wish, calendar, on_progress)
            sync(making)
        except BaseException:
            _remove(making)
            raise
        _move_out(data_dir)  # If this fails, the next start goes on with it.
        _remove(making)
    return made


def holds_venue(data_dir: Path) -> bool:
    """Whether there is a journal in the folder, or a read database, which only a journal can have made."""
    return any((data_dir / name).exists() for name in (JOURNAL_FILE, READ_DATABASE_FILE))


def settle_interrupted(data_dir: Path) -> None:
    """Settles what a start left that was interrupted while it made a history: what is finished moves out, the rest is removed.

    Raises JournalBusy if a history is being made, and the errors of the device.
    """
    making = data_dir / _MAKING
    if making.exists():
        with locked(data_dir / JOURNAL_FILE):
            if _is_finished(data_dir):
                # A power cut may have torn it; the start makes it from the journal.
                (making / READ_DATABASE_FILE).unlink(missing_ok=True)
                _move_out(data_dir)
            _remove(making)


def _is_finished(data_dir: Path) -> bool:
    """Whether the history was written to its end: the labels are its last file. A venue that was made in the folder since then
    keeps its place."""
    making = data_dir / _MAKING
    if not (making / LABELS_FILE).exists():
        return False
    return not holds_venue(data_dir) if (making / JOURNAL_FILE).exists() else (data_dir / JOURNAL_FILE).exists()


def _move_out(data_dir: Path) -> None:
    """Gives the files of a finished history their places, as far as they have not got them."""
    for name in (JOURNAL_FILE, READ_DATABASE_FILE, LABELS_FILE):
        if (data_dir / _MAKING / name).exists():
            (data_dir / _MAKING / name).rename(data_dir / name)
            if name != READ_DATABASE_FILE:
                sync(data_dir)  # A power cut cannot take back what has moved: nobody trades before.


def _remove(making: Path) -> None:
    shutil.rmtree(making, ignore_errors=True)
