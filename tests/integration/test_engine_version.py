"""A journal whose rows another engine version made: a start and every reader refuse it in one sentence, and change nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from matching_engine import ENGINE_VERSION
from services.processes.exit_codes import ExitCode
from tests.faults.venue_process import rex
from tests.integration.golden_journals import rewrite, stored, unpack

REFUSED, CHECK_FAILED = ExitCode.JOURNAL_DAMAGED, ExitCode.TROUBLE
STATUS = {
    "serve --port 0": REFUSED,
    "demo --port 0": REFUSED,
    "snapshot": REFUSED,
    "archive": REFUSED,
    "journal export": REFUSED,
    "journal verify": CHECK_FAILED,
    "journal verify --prove": CHECK_FAILED,
    "report 2024": CHECK_FAILED,
    "report 2024 --prove": CHECK_FAILED,
}


@pytest.mark.parametrize("command", STATUS)
@pytest.mark.parametrize("other", [ENGINE_VERSION - 1, ENGINE_VERSION + 1], ids=["older", "newer"])
def test_a_journal_of_another_engine_version_is_refused(tmp_path: Path, command: str, other: int) -> None:
    path = unpack("engine_5/thin_days", tmp_path)
    rewrite(path, lambda batch: replace(batch, engine_version=other))
    before = stored(path)
    refused = rex(*command.split(), "--data-dir", tmp_path)
    assert refused.exit_status == STATUS[command]
    sentence = f"was made by engine version {other}; this REX runs version {ENGINE_VERSION}: use the REX that made it"
    assert refused.err.replace("\n", " ").count(sentence) == 1
    assert stored(path) == before
