"""What a process writes when an error was not expected."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import structlog
from services.log import log_to_standard_error

log_to_standard_error()

def broken(key):
    raise RuntimeError("unexpected")

try:
    broken("rex_" + "1" * 8)
except RuntimeError:
    structlog.get_logger("rex").exception("a bug")
"""


def test_an_error_is_logged_with_its_traceback_and_without_the_values_in_it() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    assert "a bug" in ended.stderr
    assert "in broken\n" in ended.stderr
    assert "RuntimeError: unexpected" in ended.stderr
    assert "rex_11111111" not in ended.stderr
