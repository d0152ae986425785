"""The rebuilt read database: what stands beside it, and where its file is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.read_database.audit.rebuilt import Rebuilt
from services.read_database.changes import Changes
from services.read_database.errors import ReadDatabaseFailed
from tests.unit.read_database.history import JOURNAL_ID
from tests.unit.read_database.test_audit_of_the_past import a_little
from tests.unit.read_database.test_changes import audited, empty_database, project


def test_a_mistake_of_the_projector_which_is_in_both_is_found_beside_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = Changes._move_cash
    monkeypatch.setattr(
        Changes, "_move_cash", lambda changes, account, *fen: right(changes, account, fen[0] + 1, fen[1])
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
    with Rebuilt(JOURNAL_ID) as rebuilt:
        for batch in a_little()[1]:
            rebuilt.add(batch)
        rebuilt.finish()
        assert list(temporary.iterdir())
    assert list(temporary.iterdir()) == []


def test_it_leaves_half_of_the_room_to_the_journal(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Rebuilt(JOURNAL_ID) as rebuilt:
        rebuilt.finish()
        (file,) = temporary.glob("*/*")
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=file.stat().st_size - 1))
        for batch in a_little()[1]:
            rebuilt.add(batch)
        for _ in range(2):
            with pytest.raises(ReadDatabaseFailed, match="needs twice that"):
                rebuilt.finish()
        assert list(temporary.iterdir()) == [], "its room is free at once"
