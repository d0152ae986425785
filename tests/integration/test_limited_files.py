"""`rex journal copy` and `rex simulate-year` where a file may not grow: the cause by name, and nothing is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.files.data_folder import JOURNAL_FILE
from services.journal.sqlite import SqliteJournal
from services.processes.exit_codes import ExitCode
from tests.faults.venue_process import Finished, rex
from tests.integration.harmed_commands import limit_files
from tests.unit.journal.chains import next_batch

pytestmark = pytest.mark.anyio


def limited(*arguments: object) -> Finished:
    """The command after `ulimit -f 40`."""
    return rex(*map(str, arguments), mutant=limit_files)


async def test_a_copy_names_the_limit_and_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    journal = await SqliteJournal.open(source / JOURNAL_FILE)
    batch = None
    for _ in range(40):
        batch = next_batch(batch, 200, journal_id=journal.journal_id)
        await journal.append(batch)
    await journal.close()
    done = limited("journal", "copy", "--from", source, "--to", tmp_path / "a" / "b")
    assert (done.exit_status, done.out) == (ExitCode.DEVICE_FAILED, ""), done.err
    assert "file too large: files of this process may have 40,960 bytes (ulimit -f)" in " ".join(done.err.split())
    assert os.listdir(tmp_path) == ["source"]


def test_a_simulated_year_names_the_limit_and_leaves_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    done = limited("simulate-year", 2023, "--commands", 50_000, "--days", 2, "--data-dir", kept / "a" / "b")
    assert done.exit_status in (ExitCode.TROUBLE, ExitCode.DEVICE_FAILED), done.err
    assert "40,960 bytes (ulimit -f)" in " ".join(done.err.split())
    assert list(kept.iterdir()) == []
