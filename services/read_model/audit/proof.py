"""Compares the read database of a data folder while the journal is read, at the position it has when reading begins.

It compares with what the journal makes and with the engine (differences.py): both at once, or one of them.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType

from services.journal.batch import JournalBatch
from services.read_model.audit.differences import (
    differences,
    differences_of_rows,
    differences_of_state,
)
from services.read_model.audit.engine_tables import AuditedEngine
from services.read_model.audit.rebuilt import Rebuilt
from services.read_model.database import check_format, connect_reader
from services.read_model.errors import ReadDatabaseDamaged


class ReadDatabaseProof:
    """A context manager that takes every batch from the first on (`take`), after the engine has executed it.

    It keeps a read transaction open, so that a running venue does not change the compared rows. Until it ends, the
    file's write-ahead log cannot be reused and grows by about 11 KiB a command. A missing or empty file is not compared.
    """

    def __init__(
        self, path: Path, journal_id: bytes, engine: AuditedEngine | None = None, *, rebuilds: bool = True
    ) -> None:
        """Without an engine it compares only with what the journal makes; without `rebuilds` only with the engine."""
        self._path = path
        self._journal_id = journal_id
        self._engine = engine
        self._rebuilds = rebuilds
        self._rebuilt: Rebuilt | None = None
        self._connection: sqlite3.Connection | None = None
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
                self._open()
            except ReadDatabaseDamaged as damage:
                self.differences.append(str(damage))
            except (sqlite3.Error, ValueError) as error:
                self._add_unreadable(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._held.close()

    def _open(self) -> None:
        """Begins the read transaction."""
        if self._rebuilds:
            self._rebuilt = self._held.enter_context(Rebuilt(self._journal_id))
        self._connection = self._held.enter_context(closing(connect_reader(self._path)))
        self._connection.execute("BEGIN")
        found = self._connection.execute("SELECT seq FROM position").fetchone()
        self.seq = int(found[0]) if found is not None else 0

    @property
    def is_done(self) -> bool:
        """Whether there was nothing to compare, or it was compared."""
        return self._compared or not self.seq or self._connection is None

    def take(self, batch: JournalBatch) -> None:
        """Takes the next batch. At the read database's position it compares. Raises ReadDatabaseFailed as soon as there is
        nothing to compare with."""
        if self.is_done or self._connection is None:
            return
        if self._rebuilt is not None:
            self._rebuilt.add(batch)
            if self._rebuilt.failure is not None:
                raise self._rebuilt.failure
        if batch.last_seq >= self.seq:
            self._compared = True
            try:
                self.differences += self._compare(self._connection, batch)
            except sqlite3.Error as error:
                self._add_unreadable(error)

    def _compare(self, connection: sqlite3.Connection, batch: JournalBatch) -> list[str]:
        if self._rebuilt is None:
            assert self._engine is not None, "there is something to compare with"
            return differences_of_state(connection, self._engine, batch, every_trade=True)
        if self._engine is None:
            return differences_of_rows(connection, self._rebuilt)
        return differences(connection, self._engine, self._rebuilt)

    def _add_unreadable(self, error: Exception) -> None:
        self.differences.append(f"the read database {self._path} cannot be read: {error}")
