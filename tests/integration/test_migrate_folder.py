"""`rex migrate --data-dir`: the formats of a data folder, and a read database of an older one."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matching_engine import Engine
from services.cli import app
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal.journal_lock import JournalLock
from services.migrations.folder import migrate_folder
from services.migrations.outcome import Migrated
from services.processes.exit_codes import ExitCode
from services.read_model.database import SET_ASIDE
from services.read_model.tables import READ_FORMAT
from services.reporting.checked_report import report_at_rest
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import History, opening

OLDER = f"ALTER TABLE targets DROP COLUMN name; DROP INDEX orders_open; PRAGMA user_version={READ_FORMAT - 1}"
JOURNAL = Migrated("journal", "1", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal with three trades, completely projected, without a running venue."""
    asyncio.run(journal_of(tmp_path, History(Engine()), [opening(), deals(3)]))
    return tmp_path


def alter(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as connection:
        connection.executescript(sql)


def migrate(folder: Path, *options: str) -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, ["migrate", "--data-dir", str(folder), *options])
    return ended.exit_code, ended.stdout, ended.stderr


@pytest.mark.anyio
async def test_an_older_read_database_is_rebuilt_from_the_journal_and_proven(folder: Path) -> None:
    alter(folder, OLDER)
    journal, read_database = folder / JOURNAL_FILE, folder / READ_DATABASE_FILE
    before = read_database.read_bytes()
    done = [JOURNAL, Migrated("read database", str(READ_FORMAT - 1), str(READ_FORMAT))]
    assert await migrate_folder(journal, read_database, check=True) == done
    assert read_database.read_bytes() == before
    seen: list[int] = []
    assert await migrate_folder(journal, read_database, on_progress=seen.append) == done
    found = await report_at_rest(folder, 2023, prove=True)
    assert (found.agree, found.report.trades) == (True, 3)
    assert read_database.with_name(READ_DATABASE_FILE + SET_ASIDE).read_bytes() == before
    now = [JOURNAL, Migrated("read database", str(READ_FORMAT), str(READ_FORMAT))]
    assert await migrate_folder(journal, read_database) == now


def test_a_folder_of_this_version_needs_nothing(folder: Path) -> None:
    assert migrate(folder) == (0, f"journal: 1, nothing to do\nread database: {READ_FORMAT}, nothing to do\n", "")
    (folder / READ_DATABASE_FILE).unlink()
    status, said, _ = migrate(folder, "--json")
    assert (status, json.loads(said)) == (
        0,
        {
            "changed": False,
            "databases": [
                {"database": "journal", "from": "1", "to": "1"},
                {"database": "read database", "from": "none", "to": "none"},
            ],
        },
    )


def test_a_running_venue_keeps_its_read_database(folder: Path) -> None:
    alter(folder, OLDER)
    held = JournalLock.take(folder / JOURNAL_FILE)
    try:
        status, _, said = migrate(folder)
    finally:
        held.release()
    assert (status, said.count("\n")) == (ExitCode.OTHER_WRITER, 1)
    assert "is in use by another REX process" in said
    assert not (folder / (READ_DATABASE_FILE + SET_ASIDE)).exists()


@pytest.mark.parametrize(
    ("sql", "status", "sentence"),
    [
        (f"PRAGMA user_version={READ_FORMAT + 1}", ExitCode.TROUBLE, "use the newer REX. Nothing was changed"),
        (
            f"{OLDER}; UPDATE position SET seq = 99, row_hash = x'00'",
            ExitCode.JOURNAL_DAMAGED,
            "commands up to seq 99. Remove nothing",
        ),
        (f"{OLDER}; UPDATE position SET journal_id = x'00'", ExitCode.TROUBLE, "was made from another journal"),
    ],
)
def test_a_newer_read_database_and_one_that_is_evidence_stay(
    folder: Path, sql: str, status: ExitCode, sentence: str
) -> None:
    alter(folder, sql)
    before = (folder / READ_DATABASE_FILE).read_bytes()
    ended, _, said = migrate(folder)
    assert (ended, said.count("\n")) == (status, 1)
    assert sentence in said
    assert (folder / READ_DATABASE_FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "name a database: --database-url (REX_DATABASE_URL) or --data-dir (REX_DATA_DIR)"),
        (["--data-dir", "x", "--database-url", "postgresql://h/d"], "name two places: give one of them"),
        (["--data-dir", "x", "--empty-read-database"], "--empty-read-database is for PostgreSQL"),
    ],
)
def test_options_that_make_no_sense_are_bad_usage(options: list[str], sentence: str) -> None:
    ended = CliRunner().invoke(app, ["migrate", *options], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    assert ended.exit_code == ExitCode.USAGE
    assert sentence in ended.stderr
