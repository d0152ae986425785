"""A full device under what `rex` prints or writes: one sentence and status 1, never a traceback."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from functools import partial
from io import TextIOWrapper
from pathlib import Path

import pytest

from services.cli.exporting import sink
from tests.faults.venue_process import rex
from tests.integration.test_exports import days, make_venue
from tests.patience import PATIENCE_S

FULL = Path("/dev/full")

PRINTED = {
    "a line": (["--version"], False),
    "a list of files": (["export", "2023", "--to", "out", "--formats", "json"], True),
    "rows": (["journal", "export"], False),
}
"""Commands, and whether they print as with PYTHONUNBUFFERED: a write fails at once then, else perhaps at the process's end."""


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a venue that every test reads."""
    folder = tmp_path_factory.mktemp("made") / "venue"
    make_venue(folder, days())
    return folder


def into_a_full_device(folder: Path, unbuffered: bool) -> None:
    """In the child: its standard output is a full device, its working directory this folder."""
    os.chdir(folder)
    os.dup2(os.open(FULL, os.O_WRONLY), sys.stdout.fileno())
    assert isinstance(sys.stdout, TextIOWrapper)
    sys.stdout.reconfigure(write_through=unbuffered)


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize(("command", "unbuffered"), PRINTED.values(), ids=PRINTED.keys())
def test_what_cannot_be_printed_is_one_sentence(
    venue: Path, tmp_path: Path, command: list[str], unbuffered: bool
) -> None:
    command = command if command[0].startswith("--") else [*command, "--data-dir", str(venue)]
    ended = rex(*command, mutant=partial(into_a_full_device, tmp_path, unbuffered))
    assert ended.err == "rex: the standard output cannot be written: No space left on device\n"
    assert ended.exit_status == 1


def test_a_file_of_rows_that_does_not_fit_is_named_and_removed(tmp_path: Path) -> None:
    rows, before = tmp_path / "rows.jsonl", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(OSError, match=f"^--output {rows} cannot be written: File too large$"), sink(rows) as file:
            file.write(b"row\n" * 1_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


FULL_FOR_A_PDF = """
import resource, sys
def limit(event, arguments):
    if event == "open" and ".pdf" in str(arguments[0]):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
sys.addaudithook(limit)
from services.cli import main
main()
"""
"""The proof before it makes a database."""


def test_a_certificate_that_does_not_fit_is_one_sentence_and_no_file(venue: Path, tmp_path: Path) -> None:
    command = ["certificate", "2023", "--pdf", "certificate.pdf", "--data-dir", str(venue)]
    ended = subprocess.run(
        [sys.executable, "-c", FULL_FOR_A_PDF, *command],
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    said = "rex: --pdf certificate.pdf cannot be made: File too large\n"
    assert (ended.returncode, ended.stderr, ended.stdout) == (1, said, "")
    assert list(tmp_path.iterdir()) == []
