"""The journal's backends against the contract."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from load_tests.servers.postgres import PostgresServer
from services.journal import JournalBusy
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from tests.integration.journal_contract import JournalContract, fill, read_all
from tests.integration.postgres_journal import lead


class TestSqliteJournal(JournalContract[Path]):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        return tmp_path / "data" / "journal"

    @pytest.fixture
    def other_place(self, tmp_path: Path) -> Path:
        return tmp_path / "data" / "other"

    async def open(self, place: Path, *, read_only: bool = False) -> SqliteJournal:
        return await SqliteJournal.open(place, read_only=read_only)

    async def rewrite(self, place: Path, first_seq: int, data: bytes | None) -> None:
        with closing(sqlite3.connect(place)) as connection, connection:
            if data is None:
                connection.execute("DELETE FROM rows WHERE first_seq = ?", (first_seq,))
            else:
                connection.execute("UPDATE rows SET data = ? WHERE first_seq = ?", (data, first_seq))

    async def test_a_second_writer_is_told_that_the_place_is_taken(self, place: Path) -> None:
        journal = await self.open(place)
        with pytest.raises(JournalBusy) as busy:
            await self.open(place)
        assert str(place.parent) in str(busy.value)
        batches = await fill(journal, [1])
        await journal.close()
        again = await self.open(place)
        assert await read_all(again) == batches
        await again.close()


class TestPostgresJournal(JournalContract[str]):
    @pytest.fixture
    def place(self, postgres_url: str) -> str:
        return postgres_url

    @pytest.fixture
    def other_place(self, shared_postgres: PostgresServer) -> str:
        return shared_postgres.create_database("other_place")

    async def open(self, place: str, *, read_only: bool = False) -> PostgresJournal:
        return await PostgresJournal.open(place) if read_only else await lead(place)

    async def rewrite(self, place: str, first_seq: int, data: bytes | None) -> None:
        connection = await asyncpg.connect(place)
        if data is None:
            await connection.execute("DELETE FROM journal WHERE first_seq = $1", first_seq)
        else:
            await connection.execute("UPDATE journal SET data = $2 WHERE first_seq = $1", first_seq, data)
        await connection.close()
