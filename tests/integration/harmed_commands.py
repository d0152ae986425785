"""What befalls a `rex` command in a process of its own: mutants for `tests/faults/venue_process.py`, which import no test."""

from __future__ import annotations

import os
import resource
import signal
from typing import Any

from services.journal.postgres.connections import DatabaseConnection
from services.snapshots import folder as snapshots_folder
from services.snapshots.folder import FolderStore

LIMIT_BYTES = 40 * 1024
"""Enough for SQLite's index of a log."""


def limit_files() -> None:
    """As `ulimit -f 40`."""
    _limit(LIMIT_BYTES)


def _limit(file_bytes: int) -> None:
    _, bound = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, bound))


def limit_snapshots() -> None:
    """Files may have 1,000 bytes while a snapshot is written. Not before: SQLite needs a file for its index of the log."""
    write = FolderStore._write

    def limited(self: FolderStore, snapshot: Any) -> None:
        _limit(1_000)
        write(self, snapshot)

    FolderStore._write = limited  # type: ignore[method-assign]


def die(*_arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_before_its_name() -> None:
    vars(snapshots_folder)["_drop_pages"] = die


def die_after_its_name() -> None:
    vars(snapshots_folder)["sync"] = die


def die_before_the_commit() -> None:
    copy_rows = DatabaseConnection.copy_records_to_table

    async def copied_and_killed(connection: DatabaseConnection, *arguments: Any, **options: Any) -> None:
        await copy_rows(connection, *arguments, **options)
        die()

    DatabaseConnection.copy_records_to_table = copied_and_killed
