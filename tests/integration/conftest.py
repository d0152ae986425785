"""A read database of each kind, for the tests that hold for both."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.read_databases import ReadDatabase


@pytest.fixture(params=["sqlite", "postgres"])
async def read_database(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str) -> ReadDatabase:
    """A read database with tables and without rows."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    database = ReadDatabase(tmp_path, url)
    await database.make()
    return database
