"""The rule of a stage of CI, with planted tests: what fails twice refuses, what fails once is FLAKY, many are no chance."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.once_more import MAX_FILES

pytestmark = [pytest.mark.slow, pytest.mark.rig]

ROOT = Path(__file__).parents[2]
PASSES = "def test_planted(): pass"
FAILS = "def test_planted(): assert False"
FAILS_FIRST = """
from pathlib import Path
def test_planted():
    seen = Path(__file__).with_suffix('.seen')
    is_first = not seen.exists()
    seen.touch()
    assert not is_first
"""
IS_BROKEN = "import nothing_of_this_name"


@pytest.mark.parametrize(
    ("planted", "status", "flaky"),
    [
        ([PASSES], 0, []),
        ([PASSES, FAILS], 1, []),
        ([PASSES, FAILS_FIRST], 0, ["FLAKY test_1.py::test_planted"]),
        ([FAILS, FAILS_FIRST], 1, []),
        ([FAILS_FIRST] * MAX_FILES, 0, [f"FLAKY test_{number}.py::test_planted" for number in range(MAX_FILES)]),
        ([FAILS_FIRST] * (MAX_FILES + 1), 1, []),
        ([PASSES, IS_BROKEN], pytest.ExitCode.INTERRUPTED, []),
        ([], pytest.ExitCode.NO_TESTS_COLLECTED, []),
    ],
)
def test_only_what_fails_twice_or_in_many_files_refuses(
    tmp_path: Path, planted: list[str], status: int, flaky: list[str]
) -> None:
    for number, program in enumerate(planted):
        (tmp_path / f"test_{number}.py").write_text(program)
    ended = subprocess.run(
        [sys.executable, "-m", "tests.once_more", "-p", "xdist", "-n", "1"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (ended.returncode, [line for line in ended.stdout.splitlines() if "FLAKY" in line]) == (status, flaky)
