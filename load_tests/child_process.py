"""Starts servers as processes. A server prints one JSON line on standard output when it is ready, and stops on SIGTERM."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from services.files.data_folder import JOURNAL_FILE

ROOT = Path(__file__).parents[1]
NO_VARIABLES: Mapping[str, str] = {}
STOP_TIMEOUT_S = 300
"""The time a server has to stop after SIGTERM; then it is killed."""


class ChildFailed(Exception):
    """The process ended, or printed anything else, before it was ready. The message holds its output and errors."""


class RunningVenue(NamedTuple):
    """A venue that this process has started."""

    url: str
    operator_key: str
    pid: int


@contextmanager
def child(command: Sequence[str], variables: Mapping[str, str] = NO_VARIABLES) -> Iterator[dict[str, Any]]:
    """Runs a server while the block runs. Yields the JSON object it printed, with its `pid`. Raises ChildFailed.

    `variables` are added to the environment.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, env=os.environ | variables)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            try:
                ready = json.loads(line)
            except ValueError:
                ready = None
            if not isinstance(ready, dict):
                process.terminate()
                process.wait(STOP_TIMEOUT_S)
                errors.seek(0)
                output = (line + process.stdout.read() + errors.read()).decode(errors="replace").strip()
                raise ChildFailed(f"{' '.join(command)} did not start (exit status {process.returncode}):\n{output}")
            yield {**ready, "pid": process.pid}
        finally:
            _stop(process)
            process.stdout.close()


@contextmanager
def venue(data_dir: Path, *more: str, variables: Mapping[str, str] = NO_VARIABLES) -> Iterator[RunningVenue]:
    """Runs a venue without simulated traders, open around the clock, on a free port; a new one in a folder without a journal.
    `more`: options of `rex serve`; `variables` are added to the environment. Raises ChildFailed."""
    rex = Path(sys.executable).with_name("rex")
    new = () if (data_dir / JOURNAL_FILE).exists() else ("--new",)
    options = [*new, "--data-dir", str(data_dir), "--port", "0", "--schedule", "always", "--json", *more]
    with child([str(rex), "serve", *options], variables) as ready:
        keys = json.loads(Path(ready["keys_file"]).read_text())
        yield RunningVenue(ready["url"], keys["operator"]["key"], ready["pid"])


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
