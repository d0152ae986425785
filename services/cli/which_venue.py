"""Whether a data folder holds a venue. A command that is not meant to begin one does not: a volume that was not mounted, or a
mistyped name, is no new venue."""

from __future__ import annotations

from pathlib import Path

from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal import JournalMissing
from services.venue.errors import InitRefused


def require_venue(data_dir: Path) -> None:
    """Raises JournalMissing. What is left of a lost venue counts as one: the start names what was lost."""
    if not _holds_venue(data_dir):
        missing = JournalMissing.at(data_dir / JOURNAL_FILE)
        raise JournalMissing(f"{missing}. `rex serve --new` begins a venue")


def require_none(data_dir: Path) -> None:
    """Raises InitRefused."""
    if _holds_venue(data_dir):
        raise InitRefused(f"{data_dir} holds a venue already: start it without --new")


def _holds_venue(data_dir: Path) -> bool:
    return any((data_dir / name).is_file() for name in (JOURNAL_FILE, f"{JOURNAL_FILE}-wal", READ_DATABASE_FILE))
