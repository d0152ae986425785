"""Servers as processes of their own: each prints one JSON line on standard output when it is ready, and stops on SIGTERM."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
STOP_SECONDS = 30
"""How long a server may take to stop cleanly before it is killed."""


class ChildFailed(Exception):
    """The process ended, or said something else, before it was ready: carries what it wrote on standard error."""


class Venue(NamedTuple):
    """A running venue of our own."""

    url: str
    operator_key: str
    pid: int


@contextmanager
def child(command: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Starts a server, gives the JSON object it is ready with and its `pid`, stops it at the end. Raises ChildFailed."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            try:
                ready = json.loads(line)
            except ValueError:
                ready = None
            if not isinstance(ready, dict):
                process.terminate()
                process.wait(STOP_SECONDS)
                errors.seek(0)
                said = (line + process.stdout.read() + errors.read()).decode(errors="replace").strip()
                raise ChildFailed(f"{' '.join(command)} did not start (exit status {process.returncode}):\n{said}")
            yield {**ready, "pid": process.pid}
        finally:
            _stop(process)
            process.stdout.close()


@contextmanager
def venue(data_dir: Path) -> Iterator[Venue]:
    """A venue without simulated traders, open around the clock, on a free port. Raises ChildFailed."""
    rex = Path(sys.executable).with_name("rex")
    options = ["--data-dir", str(data_dir), "--port", "0", "--schedule", "always", "--json"]
    with child([str(rex), "serve", *options]) as ready:
        keys = json.loads(Path(ready["keys_file"]).read_text())
        yield Venue(ready["url"], keys["operator"]["key"], ready["pid"])


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
