"""A virtual environment for each peer, made at first use and kept under build/."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ENVIRONMENTS = Path(__file__).parents[2] / "build" / "peers"
PYTHONS = ("python3", "python3.11", "python3.12", "python3.13", "python3.14")
INSTALL_TIMEOUT_S = 600


class NotRun(Exception):
    """A peer cannot run here; the message says why in one sentence."""


def python_of(requirements: Path, least: tuple[int, int]) -> Path:
    """The interpreter of an environment with these requirements, on Python `least` or newer. Raises NotRun."""
    folder = ENVIRONMENTS / requirements.stem
    wanted = requirements.read_text()
    python, installed = folder / "bin" / "python", folder / "requirements.txt"
    if installed.exists() and installed.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    run_step(str(_interpreter(least)), "-m", "venv", str(folder))
    # Without a network pip would try again for minutes.
    run_step(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1",
         "-r", str(requirements))  # fmt: skip
    installed.write_text(wanted)
    return python


def clean_environment() -> Mapping[str, str]:
    """The environment without PYTHON… variables, so that a peer does not import this repository: one has a package of the same
    name."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _interpreter(least: tuple[int, int]) -> Path:
    for candidate in _candidates():
        probe = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {least})"
        found = subprocess.run([candidate, "-c", probe], capture_output=True, env=clean_environment(), check=False)
        if found.returncode == 0:
            return candidate
    raise NotRun("it needs Python {}.{} or newer with venv, and there is none on PATH".format(*least))


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    for folder in os.get_exec_path():
        for name in PYTHONS:
            if (path := Path(folder) / name).exists():
                yield path


def run_step(*command: str) -> None:
    """Runs a step of an installation. Raises NotRun with its last error line."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, env=clean_environment(), check=False
        )
    except subprocess.TimeoutExpired:
        raise NotRun(f"its installation took longer than {INSTALL_TIMEOUT_S} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        last = next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1])
        raise NotRun(f"it cannot be installed ({last})")
