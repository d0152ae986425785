"""Venues with one defect put in on purpose: a rig that does not catch them shows nothing.

The product has no switch for any of this. A process of the rig patches itself before it becomes a venue.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from services.journal import sqlite as journal_file


def unsynced_journal() -> None:
    """Commits are acknowledged before they are on the device: PRAGMA synchronous=OFF."""
    make_durable = journal_file.make_durable

    def make_careless(connection: sqlite3.Connection, path: Path) -> None:
        make_durable(connection, path)
        connection.execute("PRAGMA synchronous = OFF")
        assert connection.execute("PRAGMA synchronous").fetchone() == (0,)

    journal_file.make_durable = make_careless


MUTANTS: dict[str, Callable[[], None]] = {mutant.__name__: mutant for mutant in (unsynced_journal,)}
