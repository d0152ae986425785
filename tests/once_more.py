"""A stage of CI: runs pytest, and once more the files that failed.

    python -m tests.once_more -n 3 -m 'not rig'

takes pytest's arguments. Up to MAX_FILES files that failed run a second time, in this one process and nothing beside them.
A test that failed first and passes then is printed as `FLAKY file::test`, and the status is 0. What fails twice, more files and
a run that pytest could not finish, refuse the change.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

MAX_FILES = 5


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
        for test in sorted(failed):
            say(f"FLAKY {test}")
    return status


def run(arguments: Sequence[str]) -> tuple[int, list[str]]:
    """The exit status of pytest, and the ids of the tests that failed, of files that could not be collected their names."""
    with tempfile.TemporaryDirectory(prefix="rex-pytest-") as cache:
        status = subprocess.run([sys.executable, "-m", "pytest", "-o", f"cache_dir={cache}", *arguments]).returncode
        failed = Path(cache, "v/cache/lastfailed")
        return status, list(json.loads(failed.read_text())) if failed.exists() else []


def say(text: str) -> None:
    """Writes a line of its own to standard output, where pytest writes."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
