"""Compares the read database of a data folder while the journal is read, at the position it has when reading begins.

It compares all that a start compares (differences.py), and every order (every_order.py): both at once, or one of them.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType

from services.journal.batch import JournalBatch
from services.read_database.audit.differences import differences, shortened
from services.read_database.audit.engine_tables import AuditedEngine
from services.read_database.audit.every_order import EveryOrder
from services.read_database.audit.journaled import Journaled
from services.read_database.database import check_format, connect_reader
from services.read_database.errors import ReadDatabaseDamaged


class ReadDatabaseProof:
    """A context manager that takes every batch from the first on (`take`), after the engine has executed it.

    It keeps a read transaction open, so that a running venue does not change the compared rows. Until it ends, the
    file's write-ahead log cannot be reused and grows by about 11 KiB a command. A missing or empty file is not compared.
    """

    def __init__(self, path: Path, engine: AuditedEngine | None, *, every_order: bool = True) -> None:
        """Without `every_order` it compares only what a start compares; without an engine only every order."""
        self._path = path
        self._wants_every_order = every_order
        self._engine = engine
        self._journaled = Journaled()
        self._connection: sqlite3.Connection | None = None
        self._every_order: EveryOrder | None = None
        self._held = ExitStack()
        self.seq = 0
        """The read database's position; 0 where there is nothing to compare."""
        self._compared = False
        self.differences: list[str] = []
        """The differences, one sentence each."""

    def __enter__(self) -> ReadDatabaseProof:
        if self._path.exists() and self._path.stat().st_size:
            try:
                check_format(self._path)
                self._connection = self._held.enter_context(closing(connect_reader(self._path)))
                self._connection.execute("BEGIN")
                found = self._connection.execute("SELECT seq FROM position").fetchone()
                self.seq = int(found[0]) if found is not None else 0
                if self._wants_every_order:
                    self._every_order = EveryOrder(self._connection)
            except ReadDatabaseDamaged as damage:
                self.differences.append(str(damage))
            except (sqlite3.Error, ValueError) as error:
                self._add_unreadable(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._held.close()

    @property
    def is_done(self) -> bool:
        """Whether there was nothing to compare, or it was compared."""
        return self._compared or not self.seq or self._connection is None

    def take(self, batch: JournalBatch) -> None:
        """Takes the next batch. At the read database's position it compares."""
        if self.is_done or self._connection is None:
            return
        try:
            if self._engine is not None:
                self._journaled.add(batch)
            if self._every_order is not None:
                self._every_order.add(batch)
            if batch.last_seq >= self.seq:
                self._compared = True
                self.differences += self._compare(self._connection)
        except sqlite3.Error as error:
            self._compared = True
            self._add_unreadable(error)

    def _compare(self, connection: sqlite3.Connection) -> list[str]:
        found = [] if self._engine is None else differences(connection, self._engine, self._journaled)
        if self._every_order is not None:
            self._every_order.finish()
            found += self._every_order.differences
        return shortened(found)

    def _add_unreadable(self, error: Exception) -> None:
        self.differences.append(f"the read database {self._path} cannot be read: {error}")
