"""`rex journal verify --prove` reads every text: what no reader could read is named, and no journal with it is called good."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matching_engine.records import CommandKind, pack_commands
from services.cli import app
from services.files.data_folder import JOURNAL_FILE
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from tests.unit.read_model.history import SENDER, History, opening


async def write_journal(path: Path, texts: tuple[bytes, ...]) -> int:
    """A journal whose last command is a RECORD that names its first text; returns its seq."""
    journal = await SqliteJournal.open(path)
    history = History(journal_id=journal.journal_id, epoch=journal.epoch)
    last = SENDER._replace(kind=CommandKind.RECORD, attachment=1)
    for submissions in (opening(), [Submission(pack_commands([last]), texts)]):
        await journal.append(history.batch(submissions))
    await journal.close()
    return history.engine.last_seq


@pytest.mark.parametrize(
    ("texts", "trouble"),
    [
        ((), "RECORD needs a text"),
        ((b"{}",), "its text cannot be read: "),
        ((b'{"type": "of_tomorrow"}',), "this version of REX has no record of the kind 'of_tomorrow'"),
    ],
)
def test_a_text_that_no_reader_could_read_is_named(tmp_path: Path, texts: tuple[bytes, ...], trouble: str) -> None:
    seq = asyncio.run(write_journal(tmp_path / JOURNAL_FILE, texts))
    where = ["journal", "verify", "--data-dir", str(tmp_path), "--json"]
    assert json.loads(CliRunner().invoke(app, where).stdout)["good"]
    proven = CliRunner().invoke(app, [*where, "--prove"])
    found = json.loads(proven.stdout)
    assert (proven.exit_code, found["good"], found["error_seq"]) == (1, False, seq)
    assert f"seq {seq}: {trouble}" in found["error"]
