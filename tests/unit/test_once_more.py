"""The rule of a stage of CI, with planted tests: what fails twice refuses, what fails once is FLAKY, many are no chance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.left_behind import STATUS as HAS_LEFT_PROCESSES
from tests.once_more import MAX_FILES

pytestmark = [pytest.mark.slow, pytest.mark.rig]

ROOT = Path(__file__).parents[2]
PASSES = "def test_planted(): pass"
FAILS = "def test_planted(): assert False"
SEEN_FIRST = """
import os
from pathlib import Path
def test_planted():
    seen = Path(__file__).with_suffix('.seen')
    is_first = not seen.exists()
    seen.touch()
"""
FAILS_FIRST = f"{SEEN_FIRST}    assert not is_first"
CRASHES_FIRST = f"{SEEN_FIRST}    if is_first: os._exit(139)"
"""The worker ends under it, and xdist runs it a second time by itself."""
IS_BROKEN = "import nothing_of_this_name"
LEAVES_A_PROCESS = """
import subprocess
def test_planted():
    subprocess.run(["sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $! >orphan"], check=True)
"""
FINDS_PROCESSES = """
from functools import partial
from tests import conftest
from tests.conftest import pytest_configure, pytest_sessionfinish
conftest.left_behind = partial(conftest.left_behind, 0)
"""


@pytest.mark.parametrize(
    ("planted", "status", "flaky"),
    [
        ([PASSES], 0, []),
        ([PASSES, FAILS], 1, []),
        ([PASSES, FAILS_FIRST], 0, ["FLAKY test_1.py::test_planted"]),
        ([PASSES, CRASHES_FIRST], 0, ["FLAKY test_1.py::test_planted"]),
        ([FAILS, FAILS_FIRST], 1, []),
        ([CRASHES_FIRST, FAILS_FIRST], 0, ["FLAKY test_0.py::test_planted", "FLAKY test_1.py::test_planted"]),
        ([FAILS_FIRST] * MAX_FILES, 0, [f"FLAKY test_{number}.py::test_planted" for number in range(MAX_FILES)]),
        ([FAILS_FIRST] * (MAX_FILES + 1), 1, []),
        ([PASSES, IS_BROKEN], pytest.ExitCode.INTERRUPTED, []),
        ([], pytest.ExitCode.NO_TESTS_COLLECTED, []),
    ],
)
def test_only_what_fails_twice_or_in_many_files_refuses(
    tmp_path: Path, planted: list[str], status: int, flaky: list[str]
) -> None:
    ended = stage(tmp_path, planted)
    assert (ended.returncode, [line for line in ended.stdout.splitlines() if "FLAKY" in line]) == (status, flaky)
    told = tmp_path / "build/flaky"
    assert (told.read_text().splitlines() if told.exists() else []) == flaky


def test_a_process_that_is_left_behind_refuses_also_beside_a_test_that_fails_first(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(FINDS_PROCESSES)
    try:
        assert stage(tmp_path, [FAILS_FIRST, LEAVES_A_PROCESS]).returncode == HAS_LEFT_PROCESSES
    finally:
        os.kill(int((tmp_path / "orphan").read_text()), signal.SIGKILL)


def stage(folder: Path, planted: list[str]) -> subprocess.CompletedProcess[str]:
    """A stage of CI on these tests, a file each."""
    for number, program in enumerate(planted):
        (folder / f"test_{number}.py").write_text(program)
    return subprocess.run(
        [sys.executable, "-m", "tests.once_more", "-p", "xdist", "-n", "1"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
