"""The flows of `make memcheck` pass without valgrind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from matching_engine import is_native
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow  # starts processes


@pytest.mark.skipif(not is_native(), reason="there is no native engine here")
def test_the_flows_of_the_memory_check_end_alike() -> None:
    command = [sys.executable, "-m", "tests.property.memory_run"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.stdout == "memory_run: 2 flows of the engine in 6 ways, one of the book in 4\n"
    assert (done.returncode, done.stderr) == (0, "")
