"""The processes that tests have started and left behind: a run that leaves one is red. Linux says it in /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

MARK = "STARTED_BY_TESTS"
"""An environment variable: whoever is started by a test, by however many others, has it."""

NOTICES_S = 15.0
"""So long may a process take to notice that its venue was killed."""

STATUS = 20
"""The exit status of such a run: no second run of the failed tests takes it back."""

PROCESSES = Path("/proc")


def mark_children() -> None:
    """Marks every process that this one starts from now on, with whatever they start."""
    os.environ[MARK] = uuid4().hex


def left_behind(patience_s: float = NOTICES_S) -> list[str]:
    """The marked processes that are no descendants of this one, and have not ended in time: number and command line."""
    deadline = time.monotonic() + patience_s
    while (found := list(_orphans())) and time.monotonic() < deadline:
        time.sleep(0.1)
    return [f"{process.name}: {_command(process)}" for process in found]


def _orphans() -> Iterator[Path]:
    mark = f"{MARK}={os.environ[MARK]}".encode()
    for process in PROCESSES.glob("[0-9]*"):
        try:
            marked = mark in (process / "environ").read_bytes().split(b"\0")
        except OSError:  # It has ended, or is another user's.
            continue
        if marked and not _is_ours(int(process.name)):
            yield process


def _is_ours(pid: int) -> bool:
    """Whether this process is the other one, or has started it, or has started who did, and so on."""
    while pid > 1 and pid != os.getpid():
        try:
            pid = int((PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return True  # It has just ended.
    return pid == os.getpid()


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:300]
    except OSError:
        return "ended meanwhile"
