"""What the projector needs of a read database: to read its position, and to write changes with their position."""

from __future__ import annotations

from typing import Protocol

from services.read_model.write_batch import Position, WriteBatch


class ReadDatabaseWriter(Protocol):
    """Writes one read database. Every method raises ReadDatabaseFailed and ReadDatabaseDamaged (errors.py)."""

    @property
    def name(self) -> str:
        """The file, or the server and its database, for sentences."""

    async def start(self, journal_id: bytes) -> Position:
        """Connects and returns the position; initialises an empty database at the start of this journal."""

    async def write(self, changes: WriteBatch) -> None:
        """Writes all of the changes and their position in one transaction; on an error nothing is written.

        Raises ReadDatabaseBusy if the database no longer stands where the changes begin.
        """

    async def check(self, position: Position) -> None:
        """Looks whether the database still stands at `position`, where its last write or `start` left it.

        Raises ReadDatabaseAway if it stands before it: its server failed over to one that lacks the last transactions, and
        `start` shows where to go on. Raises ReadDatabaseBusy if it stands after it.
        """

    async def close(self) -> None:
        """Ends the connection; `start` may make another one."""
