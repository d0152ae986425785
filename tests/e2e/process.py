"""`rex` as a separate process, with a free port and a folder of the test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from services.files.data_folder import JOURNAL_FILE
from tests.patience import PATIENCE_S, impatience

REX = Path(sys.executable).with_name("rex")


class ServedVenue(NamedTuple):
    """A running `rex serve`."""

    process: subprocess.Popen[bytes]
    url: str
    operator_key: str


@contextmanager
def serve(data_dir: Path, errors: IO[bytes] | None = None) -> Iterator[ServedVenue]:
    """A venue with schedule `always`, a new one in a folder without a journal; stopped at the end unless the test has killed
    it. `errors`: its standard error."""
    new = () if (data_dir / JOURNAL_FILE).exists() else ("--new",)
    command = [str(REX), "serve", *new, "--data-dir", str(data_dir), "--port", "0", "--schedule", "always", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
    try:
        assert process.stdout is not None
        with impatience(process):
            line = process.stdout.readline()
        ready: dict[str, Any] = json.loads(line)
        keys = json.loads(Path(ready["keys_file"]).read_text())
        yield ServedVenue(process, ready["url"], keys["operator"]["key"])
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        assert process.stdout is not None
        process.stdout.close()


def console_script(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs one `rex` command to its end, through the console script. (`tests/faults/venue_process.rex` saves the import.)"""
    return subprocess.run([REX, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
