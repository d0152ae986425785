"""The rebuilt read database: what stands beside it, and where its file is."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.read_model.audit import rebuilt as audit
from services.read_model.audit.proof import ReadDatabaseProof
from services.read_model.audit.rebuilt import Rebuilt
from services.read_model.database import make_tables
from services.read_model.errors import ReadDatabaseFailed
from services.read_model.write_batch import WriteBatch
from tests.unit.read_model.history import JOURNAL_ID
from tests.unit.read_model.test_audit_of_the_past import a_little
from tests.unit.read_model.test_write_batch import audited, empty_database, project


def test_a_mistake_of_the_projector_which_is_in_both_is_found_beside_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = WriteBatch._move_cash
    monkeypatch.setattr(
        WriteBatch, "_move_cash", lambda changes, account, *fen: right(changes, account, fen[0] + 1, fen[1])
    )
    history, batches = a_little()
    with empty_database() as connection:
        project(connection, batches)
        named = audited(connection, history.engine, batches)
    assert [
        sentence for sentence in named if sentence.startswith("account 2: cash_fen ") and "in the engine" in sentence
    ]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_its_file_goes_with_it(temporary: Path) -> None:
    with Rebuilt(JOURNAL_ID) as rebuilt, empty_database() as compared:
        for batch in a_little()[1]:
            rebuilt.add(batch)
        rebuilt.attach_to(compared)
        assert list(temporary.iterdir())
    assert list(temporary.iterdir()) == []


def test_it_leaves_half_of_the_room_to_the_journal(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "COMMANDS_AT_ONCE", 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1))
    with Rebuilt(JOURNAL_ID) as rebuilt, empty_database() as compared:
        for batch in a_little()[1]:
            rebuilt.add(batch)
        assert "needs twice that" in str(rebuilt.failure)
        assert list(temporary.iterdir()) == [], "its room is free at once"
        for _ in range(2):
            with pytest.raises(ReadDatabaseFailed, match="needs twice that"):
                rebuilt.attach_to(compared)


def test_a_proof_ends_as_soon_as_there_is_no_room(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the end of the journal: until then its read transaction lets the log of a running venue grow."""
    history, batches = a_little()
    path = temporary / "read.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        make_tables(connection)
        project(connection, batches)
    monkeypatch.setattr(audit, "COMMANDS_AT_ONCE", 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1))
    with ReadDatabaseProof(path, JOURNAL_ID, history.engine) as proof:
        proof.take(batches[0])
        with pytest.raises(ReadDatabaseFailed, match="needs twice that"):
            proof.take(batches[1])
        assert [one for one in temporary.iterdir() if one.is_dir()] == []


def test_a_file_that_somebody_removed_is_no_difference(temporary: Path) -> None:
    """ATTACH would make an empty one: then every row of a right read database would be one too many."""
    with Rebuilt(JOURNAL_ID) as rebuilt, empty_database() as compared:
        for batch in a_little()[1]:
            rebuilt.add(batch)
        rebuilt.attach_to(empty := sqlite3.connect(":memory:"))
        empty.close()
        (file,) = temporary.glob("*/*")
        file.unlink()
        with pytest.raises(ReadDatabaseFailed, match="that is made from the journal to compare"):
            rebuilt.attach_to(compared)
        assert not file.exists()
