"""Compares the archived days of a folder with their manifests and with the journal, those too whose rows stay in its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from services.journal.archives.day import MANIFEST, ArchivedDay
from services.journal.archives.reading import Archives
from services.journal.chain import ChainEnd


class CheckedArchives(NamedTuple):
    """What was found of days that are all as they were sealed."""

    days: int
    last_day: str
    """Empty if there is no day."""
    later_days: int
    """Those that hold commands after the journal's last one: the journal is an older copy than the archives."""


def check_archives(
    archives: Archives, journal_id: bytes, last_seq: int, end_before: Callable[[int], ChainEnd]
) -> CheckedArchives:
    """Compares every day of the folder; the journal ends at `last_seq`, and `end_before` returns its row before a command.

    Raises ArchiveUnusable for the first day that is missing, damaged, or of other rows than the journal's.
    """
    for _ in archives.days():
        pass  # A day whose rows have left the file and that is missing is named.
    names = archives.names()
    for name in names:
        day = archives.day(name)
        archives.check_files(day)
        if day.journal_id != journal_id.hex():
            raise archives.damaged(day, f"it is of the journal {day.journal_id}", name=MANIFEST)
        if day.last_seq <= last_seq and not _is_of(day, end_before):
            raise archives.damaged(day, "it holds other rows than the journal", name=MANIFEST)
    later = sum(archives.day(name).last_seq > last_seq for name in names)
    return CheckedArchives(len(names), names[-1] if names else "", later)


def _is_of(day: ArchivedDay, end_before: Callable[[int], ChainEnd]) -> bool:
    return (end_before(day.first_seq), end_before(day.last_seq + 1)) == (day.begin, day.end)
