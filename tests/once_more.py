"""A stage of CI: runs pytest, and once more the files that failed.

    python -m tests.once_more -n 3 -m 'not rig'

takes pytest's arguments. Up to MAX_FILES files that failed run a second time, in this one process and nothing beside them.
A test that failed first and passes then is a line `FLAKY file::test`, printed and in build/flaky, and the status is 0. What
fails twice, more files, a process that the tests have left behind, and a run that pytest could not finish, refuse the change.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.failed_tests import FAILED_TESTS

MAX_FILES = 5
FLAKY = Path("build/flaky")
"""The lines of all stages of one run of CI."""


def main(arguments: Sequence[str]) -> int:
    """The status of the stage: 0, or pytest's."""
    status, failed = run(arguments)
    files = sorted({test.partition("::")[0] for test in failed})
    if status != pytest.ExitCode.TESTS_FAILED or not files:
        return status
    if len(files) > MAX_FILES:
        say(f"{len(files)} files failed: too many to be chance, none runs once more")
        return status
    say(f"Once more, alone: {' '.join(files)}")
    status, _ = run([*arguments, "-n", "0", *files])
    if status == pytest.ExitCode.OK:
        FLAKY.parent.mkdir(exist_ok=True)
        with FLAKY.open("a", encoding="utf-8") as lines:
            for test in sorted(failed):
                say(line := f"FLAKY {test}")
                lines.write(f"{line}\n")
    return status


def run(arguments: Sequence[str]) -> tuple[int, set[str]]:
    """The exit status of pytest, and the ids of the tests that failed, of files that could not be collected their names."""
    with tempfile.TemporaryDirectory(prefix="rex-pytest-") as folder:
        failed = Path(folder, "failed")
        status = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.failed_tests", "-p", "no:cacheprovider", *arguments],
            env=os.environ | {FAILED_TESTS: str(failed)},
            check=False,
        ).returncode
        return status, set(failed.read_text(encoding="utf-8").splitlines()) if failed.exists() else set()


def say(text: str) -> None:
    """Writes a line of its own to standard output, where pytest writes."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
