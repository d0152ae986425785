"""A progress bar for people, on standard error; nothing where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Stages:
    """One line that says what is being done, and how far it has come."""

    def __init__(self, bar: Progress, line: TaskID) -> None:
        self._bar = bar
        self._line = line

    def begin(self, what: str, total: int | None = None) -> None:
        """The next stage; without a total the bar only shows that something is going on."""
        self._bar.reset(self._line, description=what, total=total)

    def advance(self, steps: int = 1) -> None:
        """So much more is done."""
        self._bar.advance(self._line, steps)


@contextmanager
def shown(enabled: bool) -> Iterator[Stages]:
    """Stages that are shown while the block runs, if that is wanted and standard error is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    off = not (enabled and sys.stderr.isatty())
    with Progress(*columns, console=Console(stderr=True), disable=off, transient=True) as bar:
        yield Stages(bar, bar.add_task("", total=None))
