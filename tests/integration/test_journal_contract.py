"""The journal's backends against the contract."""

from __future__ import annotations

from pathlib import Path

from services.journal.sqlite import SqliteJournal
from tests.integration.journal_contract import JournalContract


class TestSqliteJournal(JournalContract):
    async def open(self, place: Path, *, read_only: bool = False) -> SqliteJournal:
        return await SqliteJournal.open(place, read_only=read_only)
