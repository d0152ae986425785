"""Where and how a process of REX logs."""

from __future__ import annotations

import sys

import structlog


def log_to_standard_error() -> None:
    """Logs one line for each event to standard error: standard output belongs to what was asked for.

    An error is followed by its plain traceback. structlog's own choice, where Rich is installed, shows the values of all local
    variables, keys and addresses with passwords among them, and holds the event loop for a second.
    """
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback
