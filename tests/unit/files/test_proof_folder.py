"""A folder of a proof is there as long as its maker lives, and not much longer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from services.files.proof_folder import PREFIX, ProofFolder, remove_abandoned


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_of_the_folders_only_those_of_the_dead_are_removed(temporary: Path) -> None:
    of_the_dead = temporary / f"{PREFIX}dead"
    (of_the_dead / "parts").mkdir(parents=True)
    (of_the_dead / "parts" / "read.sqlite").write_text("rows")
    of_somebody = temporary / "rex-proof-of-2026"
    of_somebody.mkdir()
    foreign = temporary / "foreign"
    foreign.mkdir()
    (temporary / f"{PREFIX}link").symlink_to(foreign)
    (temporary / f"{PREFIX}file").write_text("a note")
    living = ProofFolder()
    assert not of_the_dead.exists(), "each may hold half of the room"
    remove_abandoned()
    left = {path.name for path in temporary.iterdir()}
    assert left == {living.path.name, "foreign", f"{PREFIX}link", f"{PREFIX}file", of_somebody.name}
    living.remove()
    assert not living.path.exists()


def test_only_its_owner_reads_it_and_it_is_removed_with_what_is_in_it(temporary: Path) -> None:
    folder = ProofFolder()
    assert (folder.path.parent, folder.path.name.startswith(PREFIX)) == (temporary, True)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    (folder.path / "read.sqlite").write_text("rows")
    folder.remove()
    assert list(temporary.iterdir()) == []
