"""The read database that the journal makes: the projector's own code writes it into a temporary file, which is compared with
the venue's (differences.py).

The venue's projector writes small batches as they come; here a run of many is joined, and computed with arrays.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType

from services.files.data_folder import READ_DATABASE_FILE
from services.files.proof_folder import ProofFolder, require_room
from services.journal.batch import JournalBatch
from services.read_model.database import CACHE_KIB, make_tables
from services.read_model.errors import ReadDatabaseFailed
from services.read_model.sqlite_writer import read_position, write
from services.read_model.vectorized_write_batch import VectorizedWriteBatch

SCHEMA = "rebuilt"
"""Its name beside `main`, the database that is compared with it."""
COMMANDS_AT_ONCE = 16_384
"""A run: memory grows with it, the time for a command falls."""


class Rebuilt:
    """A context manager that takes every batch from the first on (`add`), up to the position of the database that is compared.

    The file takes at most half of the free room. Where that or the device ends, it is given up, its room is free again, and
    `failure` says so. What else SQLite refuses is a mistake of the projector, and is raised.
    """

    def __init__(self, journal_id: bytes) -> None:
        self.last_batch: JournalBatch | None = None
        self._journal_id = journal_id
        self._held = ExitStack()
        self._file: tuple[Path, sqlite3.Connection] | None = None
        self.failure: ReadDatabaseFailed | None = None
        """Why there is nothing to compare with."""
        self._waiting: list[JournalBatch] = []
        self._waiting_commands = 0

    def __enter__(self) -> Rebuilt:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._held.close()

    def add(self, batch: JournalBatch) -> None:
        """Takes the next batch."""
        if self._waiting_commands + batch.command_count > COMMANDS_AT_ONCE:
            self._project()
        self.last_batch = batch
        self._waiting.append(batch)
        self._waiting_commands += batch.command_count

    def attach_to(self, compared: sqlite3.Connection) -> None:
        """Projects what still waits, and makes all of it readable as SCHEMA beside the database of this connection. Not
        earlier: an attached file keeps its room. Raises ReadDatabaseFailed where it could not be made, or was removed."""
        self._project()
        path, _ = self._opened()
        try:
            path.stat()  # ATTACH makes a file that is missing.
            compared.execute(f"ATTACH ? AS {SCHEMA}", (str(path),))
        except (sqlite3.OperationalError, OSError) as error:
            raise self._give_up(error) from error

    def _project(self) -> None:
        batches, self._waiting, self._waiting_commands = self._waiting, [], 0
        if not batches or self.failure is not None:
            return
        try:
            path, connection = self._opened()
            changes = VectorizedWriteBatch(read_position(connection, self._journal_id))
            changes.add(JournalBatch.joined(batches))
            assert write(connection, changes), "nobody else moves its position"
            size_bytes = path.stat().st_size
            require_room(path.parent, size_bytes, taken_bytes=size_bytes)
        except (sqlite3.OperationalError, OSError) as error:
            self._give_up(error)
        except ReadDatabaseFailed:
            pass  # `attach_to` raises it.

    def _opened(self) -> tuple[Path, sqlite3.Connection]:
        """The file, which is made at the first call. Raises ReadDatabaseFailed."""
        if self.failure is not None:
            raise self.failure
        if self._file is None:
            try:
                self._file = self._made()
            except (sqlite3.OperationalError, OSError) as error:
                raise self._give_up(error) from error
        return self._file

    def _made(self) -> tuple[Path, sqlite3.Connection]:
        folder = ProofFolder()
        self._held.callback(folder.remove)
        path = folder.path / READ_DATABASE_FILE
        connection = self._held.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE_KIB}"):
            connection.execute(f"PRAGMA {pragma}")
        make_tables(connection)
        read_position(connection, self._journal_id)
        return path, connection

    def _give_up(self, error: Exception) -> ReadDatabaseFailed:
        self.failure = ReadDatabaseFailed("that is made from the journal to compare", error)
        self._held.close()
        return self.failure
