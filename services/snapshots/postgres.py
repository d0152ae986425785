"""Snapshots in the table `snapshots` of the journal's PostgreSQL database, each in parts of a megabyte."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.journal.errors import JournalError
from services.journal.postgres.connections import DRIVER_ERRORS, Database, DatabaseConnection
from services.snapshots.errors import SnapshotFailed
from services.snapshots.record import HEADER, Snapshot, header_of
from services.snapshots.store import KeptSnapshot

PART_BYTES = 2**20
"""The server and its standby take so much at a time."""

_KEPT = """
SELECT whole.seq, whole.size, part.begin
FROM (SELECT seq, sum(octet_length(data))::bigint AS size FROM snapshots GROUP BY seq) AS whole
LEFT JOIN LATERAL (SELECT substring(data FROM 1 FOR $1) AS begin FROM snapshots WHERE seq = whole.seq AND part = 0)
    AS part ON true
ORDER BY whole.seq DESC
"""
_READ = "SELECT data FROM snapshots WHERE seq = $1 ORDER BY part"
_LOCK = "LOCK TABLE snapshots IN SHARE ROW EXCLUSIVE MODE"
"""One process writes at a time, as in a folder: two that write at one seq would meet in its key. Readers wait for nobody."""
_REMOVE = "DELETE FROM snapshots WHERE seq = $1"
_COLUMNS = ["seq", "state_hash", "part", "data"]


class PostgresStore:
    """The rows of one database. Each call makes a connection of its own: there are a few a day."""

    def __init__(self, url: str) -> None:
        """Raises JournalAddressInvalid."""
        self._database = Database(url)

    def name(self, seq: int) -> str:
        """See SnapshotStore."""
        return f"the snapshot at seq {seq} in {self._database.name}"

    async def kept(self) -> list[KeptSnapshot]:
        """See SnapshotStore."""
        async with self._connected() as connection:
            return [
                KeptSnapshot(seq, size, header_of(begin or b""))
                for seq, size, begin in await connection.fetch(_KEPT, HEADER.size)
            ]

    async def read(self, seq: int) -> bytes | None:
        """See SnapshotStore."""
        async with self._connected() as connection:
            parts = await connection.fetch(_READ, seq)
        return b"".join(data for (data,) in parts) if parts else None

    async def write(self, snapshot: Snapshot) -> None:
        """All parts in one transaction."""
        seq, state_hash, data = snapshot.header.seq, snapshot.header.state_hash, snapshot.data
        parts = enumerate(data[begin : begin + PART_BYTES] for begin in range(0, len(data), PART_BYTES))
        async with self._connected() as connection:
            await self._database.check_durable(connection)
            async with connection.transaction():
                await connection.execute(_LOCK)
                await connection.execute(_REMOVE, seq)
                await connection.copy_records_to_table(
                    "snapshots", records=[(seq, state_hash, part, piece) for part, piece in parts], columns=_COLUMNS
                )

    async def remove(self, seq: int) -> None:
        """See SnapshotStore."""
        async with self._connected() as connection:
            await connection.execute(_REMOVE, seq)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[DatabaseConnection]:
        """Raises SnapshotFailed if the server is away or refuses."""
        try:
            connection = await self._database.connect()
            try:
                yield connection
            finally:
                await connection.close()
        except asyncpg.UndefinedTableError as error:
            raise SnapshotFailed(f"{self._database.name} has no table of snapshots: run `rex migrate`") from error
        except DRIVER_ERRORS as error:
            raise SnapshotFailed(self._database.sentence(error)) from error
        except JournalError as error:
            raise SnapshotFailed(str(error)) from error
