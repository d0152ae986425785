"""The exit statuses of `rex`, for a supervisor. docs/operators.md says what to do for each."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a `rex` process ended."""

    OK = 0
    TROUBLE = 1
    """A check (`report`, `journal verify`) found an error, or the environment refused: port, file, folder, no journal in it."""
    USAGE = 2
    """An option or a setting is invalid."""
    OTHER_WRITER = 3
    """Another process has the journal open for writing, or has taken it over."""
    DEVICE_FAILED = 4
    """The device of journal or read database failed, or its files were removed: the outcome of the last commands is unknown."""
    JOURNAL_DAMAGED = 5
    """The journal is damaged, has lost commands, or is of another version."""
    CLOCK = 6
    """The clock jumped, or a day roll would skip a trading day. `--accept-clock` starts nevertheless."""
    ENGINE_FAULT = 7
    """The engine met an impossible state and stopped before the commit."""
    WATCHDOG = 8
    """The process did not end within 10 seconds after a fault or a signal, and was ended by its watchdog."""
