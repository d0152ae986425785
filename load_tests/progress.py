"""A progress bar on standard error, if that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Stages:
    """One line that shows the present stage and its progress."""

    def __init__(self, bar: Progress, line: TaskID) -> None:
        self._bar = bar
        self._line = line

    def begin(self, description: str, total: int | None = None) -> None:
        """Begins the next stage of `total` steps; without a total the bar only moves."""
        self._bar.reset(self._line, description=description, total=total)

    def advance(self, steps: int = 1) -> None:
        """Counts so many more steps as done."""
        self._bar.advance(self._line, steps)


@contextmanager
def shown(enabled: bool) -> Iterator[Stages]:
    """Shows stages while the block runs, if `enabled` and standard error is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    off = not (enabled and sys.stderr.isatty())
    with Progress(*columns, console=Console(stderr=True), disable=off, transient=True) as bar:
        yield Stages(bar, bar.add_task("", total=None))
