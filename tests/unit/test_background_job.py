"""Tests in a background job: what they start hears Ctrl-C all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_what_tests_start_in_a_background_job_hears_ctrl_c() -> None:
    script = "import signal, tests.conftest\nprint([signal.getsignal(number) is signal.SIG_IGN for number in (2, 3)])"
    in_background = ["sh", "-c", 'trap "" INT QUIT; exec "$@"', "sh"]
    told = subprocess.run(
        [*in_background, sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout == "[False, False]\n"
